"""What a roster is: who is on call for each team, at which level, until when, how they are reached, and what is wrong.

A roster is one whole truth at one moment. It is stored when it differs from the last one, and each alert names the one
in force when it triggered. Nothing here asks a tool or a clock: the moment is always given.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any, Self

from bot.domain.errors import SocmonError
from bot.domain.evidence import canonical

HORIZON = timedelta(days=14)
"""How far ahead gaps are looked for."""
KNOWN_AHEAD = timedelta(days=15)
LATEST_RING = 5
"""Minutes after which a person must have been rung, however deep they sleep."""
MOST_GAPS = 10
STALE = timedelta(minutes=30)
"""Older than this a roster may be out of date: it is asked for every five minutes."""


class UnknownTeam(SocmonError):
    """There is no team of this name."""


class Kind(StrEnum):
    """A way to reach a person. SLACK is all that a rota without a paging tool has."""

    PHONE = "phone"
    SMS = "SMS"
    PUSH = "push"
    WHATSAPP = "WhatsApp"
    EMAIL = "e-mail"
    SLACK = "Slack"


class InSlack(StrEnum):
    """What is known about a person's Slack account."""

    ACTIVE = "active"
    DEACTIVATED = "deactivated"
    NONE = "none"
    UNKNOWN = "unknown"  # Slack did not say


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactMethod:
    """`end` is masked (“…4711”). `rings_after` are minutes after a high-urgency page; None when no rule uses it."""

    kind: Kind
    end: str = ""
    enabled: bool = True
    blocked: bool = False
    rings_after: int | None = None

    @property
    def usable(self) -> bool:
        return self.enabled and not self.blocked

    @property
    def wakes(self) -> bool:
        """Whether it can rouse somebody. E-mail is read in the morning."""
        return self.usable and self.kind is not Kind.EMAIL


@dataclass(frozen=True, slots=True, kw_only=True)
class Responder:
    """A person who is on call at some time. `id` is the source's own name for them, `slack` a Slack user id or "".

    `gone` says that the tool has deleted them and their shifts go on.
    """

    id: str
    name: str
    email: str = ""
    slack: str = ""
    in_slack: InSlack = InSlack.UNKNOWN
    methods: tuple[ContactMethod, ...] = ()
    account_url: str = ""
    gone: bool = False

    @property
    def address(self) -> str:
        """What stands in an alert for this person: the Slack id, else what names them best."""
        return self.slack or self.email or self.id

    @property
    def rings_after(self) -> int | None:
        """Minutes until the first thing rings that can rouse them; None when nothing does."""
        return min(
            (each.rings_after for each in self.methods if each.wakes and each.rings_after is not None),
            default=None,
        )

    @property
    def reachable(self) -> bool:
        return not self.gone and self.rings_after is not None and self.rings_after <= LATEST_RING


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """Who is on call at a level of a team from `start` (inclusive) to `end`; None is for good."""

    responder: str
    level: int
    start: datetime | None = None
    end: datetime | None = None

    def covers(self, at: datetime) -> bool:
        return (self.start is None or self.start <= at) and (self.end is None or at < self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A step of the escalation. After `delay_minutes` without an acknowledgement the next one is called."""

    number: int
    delay_minutes: int
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """`source` is a provider's name or "rota"; `policy` the source's own name for the escalation policy."""

    name: str
    source: str
    policy: str = ""
    levels: tuple[Level, ...] = ()
    shifts: tuple[Shift, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Time from `start` to `end`."""

    start: datetime
    end: datetime


class FaultKind(StrEnum):
    NO_METHOD = "no contact method"
    ONLY_EMAIL = "only e-mail"
    METHOD_DISABLED = "contact method disabled"
    METHOD_BLOCKED = "contact method blocked"
    RULE_TOO_LATE = "rings too late"
    NO_RULE = "no high-urgency rule"
    GAP = "nobody for a time"
    EMPTY_LEVEL = "level with nobody"
    NO_LEVELS = "no escalation"
    SAME_PEOPLE = "escalates to the same people"
    NO_SLACK = "no Slack account"
    SLACK_DEACTIVATED = "Slack account deactivated"
    SLACK_UNKNOWN = "Slack account unknown"
    GONE = "deleted in the tool"


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterFault:
    """Something that keeps an alert from reaching a person; of a `team`, or of a `person` (their id)."""

    kind: FaultKind
    says: str
    team: str = ""
    person: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """Who is on call: teams in the order of the configuration, and everybody who stands in their shifts."""

    teams: tuple[Team, ...] = ()
    responders: tuple[Responder, ...] = ()

    def team(self, name: str) -> Team:
        """Raises UnknownTeam, naming those there are."""
        found = next((team for team in self.teams if team.name.casefold() == name.casefold()), None)
        if found is None:
            known = ", ".join(team.name for team in self.teams) or "none yet"
            raise UnknownTeam(
                f"There is no team “{name}”. Teams here: {known}."
                " They stand under [on_call]; one whose tool has never answered is not known yet."
            )
        return found

    def responder(self, id: str) -> Responder:  # noqa: A002 - the source's word
        """Somebody of whom only the id is known is still somebody."""
        return next((each for each in self.responders if each.id == id), Responder(id=id, name=id))

    def with_slack(self, user: str) -> Responder | None:
        """The person behind a Slack user."""
        return next((each for each in self.responders if user and each.slack == user), None)

    def on_call(self, team: str, at: datetime) -> tuple[Responder, ...]:
        """Who is called first: everybody at the lowest level that has somebody."""
        levels = sorted({shift.level for shift in self.team(team).shifts if shift.covers(at)})
        return self.at_level(team, levels[0], at) if levels else ()

    def at_level(self, team: str, level: int, at: datetime) -> tuple[Responder, ...]:
        shifts = (shift for shift in self.team(team).shifts if shift.level == level and shift.covers(at))
        return tuple(self.responder(each) for each in dict.fromkeys(shift.responder for shift in shifts))

    def until(self, team: str, level: int, responder: str, at: datetime) -> datetime | None:
        """When this person's turn ends, shifts that follow on each other as one; None for good."""
        own = [each for each in self.team(team).shifts if (each.level, each.responder) == (level, responder)]
        end = at
        while True:
            following = [each.end for each in own if each.covers(end)]
            if not following:
                return end
            if None in following:
                return None
            end = max(each for each in following if each is not None)

    def after(self, team: str, level: int, at: datetime) -> tuple[Responder, ...]:
        """Who takes over at the first hand-over after `at`; nobody when none is known or a gap follows."""
        ends = [self.until(team, level, each.id, at) for each in self.at_level(team, level, at)]
        known = [end for end in ends if end is not None]
        return self.at_level(team, level, min(known)) if known else ()

    def gaps(self, team: str, level: int, start: datetime, end: datetime) -> list[Stretch]:
        """When nobody is on call at this level, between `start` and `end`, oldest first."""
        times = [
            (each.start or start, each.end or end) for each in self.team(team).shifts if each.level == level
        ]
        found: list[Stretch] = []
        covered = start
        for begins, ends in sorted(each for each in times if each[0] < each[1]):
            if begins > covered:
                found.append(Stretch(start=covered, end=min(begins, end)))
            covered = max(covered, ends)
            if covered >= end:
                break
        if covered < end:
            found.append(Stretch(start=covered, end=end))
        return [each for each in found if each.start < each.end]

    def faults(self, at: datetime, *, until: datetime | None = None) -> list[RosterFault]:
        """All that keeps alerts from reaching people, now or until then (14 days, if not said otherwise)."""
        end = until or at + HORIZON
        return [
            *(fault for team in self.teams for fault in self._team_faults(team, at, end)),
            *(fault for each in self.responders for fault in _person_faults(each)),
        ]

    def people_of(self, team: str) -> list[Responder]:
        """Everybody who stands in this team's shifts, by level."""
        ids = dict.fromkeys(each.responder for each in sorted(self.team(team).shifts, key=_when))
        return [self.responder(each) for each in ids]

    def _team_faults(self, team: Team, at: datetime, end: datetime) -> Iterator[RosterFault]:
        def fault(kind: FaultKind, says: str) -> RosterFault:
            return RosterFault(kind=kind, team=team.name, says=says)

        if not team.levels:
            named = f"the policy {team.policy}" if team.policy else "this team"
            yield fault(
                FaultKind.NO_LEVELS,
                f"There is no escalation: {named} does not exist or has no levels, so nobody is called.",
            )
        for level in team.levels:
            if not any(each.level == level.number for each in team.shifts):
                yield fault(
                    FaultKind.EMPTY_LEVEL,
                    f"Nobody stands at level {level.number} ({', '.join(level.targets) or 'no targets'}), so the"
                    " escalation passes over it.",
                )
                continue
            gaps = self.gaps(team.name, level.number, at, end)
            for gap in gaps[:MOST_GAPS]:
                yield fault(
                    FaultKind.GAP,
                    f"Nobody is on call at level {level.number} from {_utc(gap.start)} to {_utc(gap.end)}.",
                )
        for lower, higher in zip(team.levels, team.levels[1:], strict=False):
            called = {each.id for each in self.at_level(team.name, lower.number, at)}
            if called and called == {each.id for each in self.at_level(team.name, higher.number, at)}:
                yield fault(
                    FaultKind.SAME_PEOPLE,
                    f"Level {higher.number} calls nobody but those of level {lower.number}, so escalating changes"
                    " nothing.",
                )

    def to_json(self) -> str:
        """Canonical, so that equal rosters have equal digests."""
        return canonical(_plain(asdict(self))).decode()

    @classmethod
    def from_json(cls, text: str) -> Self:
        stored = json.loads(text)
        return cls(
            teams=tuple(map(_team, stored["teams"])), responders=tuple(map(_responder, stored["responders"]))
        )

    @property
    def digest(self) -> str:
        return f"sha256:{sha256(self.to_json().encode()).hexdigest()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRoster:
    """A roster on record: first seen so `at`, last seen so `checked_at`; and who has last reviewed exactly this one."""

    id: int
    at: datetime
    checked_at: datetime
    roster: Roster
    digest: str
    reviewed_at: datetime | None = None
    reviewed_by: str = ""

    @property
    def known_until(self) -> datetime:
        """Beyond this nobody has looked: what is not known is not a gap."""
        return window(self.checked_at)[1]

    def is_stale(self, at: datetime) -> bool:
        return at - self.checked_at > STALE

    def faults(self, at: datetime) -> list[RosterFault]:
        return self.roster.faults(at, until=max(at, min(at + HORIZON, self.known_until)))


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLink:
    """A person's account in a tool is this Slack user: said by a person, on record."""

    provider: str
    account: str
    slack_user: str
    linked_by: str
    at: datetime


def window(at: datetime) -> tuple[datetime, datetime]:
    """The time a roster tells about: from midnight UTC, so that it changes once a day and not at every look."""
    midnight = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight, midnight + KNOWN_AHEAD


def merge(order: Sequence[str], rosters: Iterable[Roster]) -> Roster:
    """One roster of many; teams in this order, people by id."""
    every = list(rosters)
    teams = {team.name: team for roster in every for team in roster.teams}
    people = {each.id: each for roster in every for each in roster.responders}
    return Roster(
        teams=tuple(
            replace(teams[name], shifts=tuple(sorted(teams[name].shifts, key=_when)))
            for name in order
            if name in teams
        ),
        responders=tuple(people[each] for each in sorted(people)),
    )


def only(roster: Roster, source: str) -> Roster:
    """What one source has said."""
    teams = tuple(team for team in roster.teams if team.source == source)
    named = {shift.responder for team in teams for shift in team.shifts}
    return Roster(teams=teams, responders=tuple(each for each in roster.responders if each.id in named))


def _person_faults(person: Responder) -> Iterator[RosterFault]:
    def fault(kind: FaultKind, says: str) -> RosterFault:
        return RosterFault(kind=kind, person=person.id, says=says)

    if person.gone:
        yield fault(FaultKind.GONE, f"{person.name} was deleted in the tool, and still stands in its shifts.")
        return
    yield from _method_faults(person, fault)
    match person.in_slack:
        case InSlack.NONE:
            known = f"as {person.email}" if person.email else "and the tool shows no e-mail address"
            yield fault(
                FaultKind.NO_SLACK,
                f"{person.name} is not known in Slack {known}, so no mention reaches them. Link the account.",
            )
        case InSlack.DEACTIVATED:
            yield fault(
                FaultKind.SLACK_DEACTIVATED,
                f"The Slack account of {person.name} is deactivated, and they stand in the shifts.",
            )
        case InSlack.UNKNOWN:
            yield fault(FaultKind.SLACK_UNKNOWN, f"Slack has not said yet whether it knows {person.name}.")
        case InSlack.ACTIVE:
            pass


def _method_faults(person: Responder, fault: Any) -> Iterator[RosterFault]:
    ringing = [each for each in person.methods if each.kind is not Kind.EMAIL]
    if not person.methods:
        yield fault(FaultKind.NO_METHOD, f"{person.name} has no contact method, so nothing rings.")
    elif not ringing:
        yield fault(FaultKind.ONLY_EMAIL, f"{person.name} is reached by e-mail only, which wakes nobody.")
    rest = " Another way works." if person.reachable else ""
    for each in ringing:
        if not each.enabled:
            yield fault(
                FaultKind.METHOD_DISABLED, f"{each.kind} {each.end} of {person.name} is disabled.{rest}"
            )
        if each.blocked:
            yield fault(
                FaultKind.METHOD_BLOCKED,
                f"{each.kind} {each.end} of {person.name} is blocked by the tool.{rest}",
            )
    if any(each.usable for each in ringing) and not person.reachable:
        if person.rings_after is None:
            yield fault(
                FaultKind.NO_RULE,
                f"No rule of {person.name} rings a phone or a device when the urgency is high.",
            )
        else:
            yield fault(
                FaultKind.RULE_TOO_LATE,
                f"The first thing to ring for {person.name} does so after {person.rings_after} min; at most"
                f" {LATEST_RING} are allowed.",
            )


def _when(shift: Shift) -> tuple[int, str, str, str]:
    return shift.level, _stamp(shift.start) or "", _stamp(shift.end) or "9999", shift.responder


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return _stamp(value)
        case dict():
            return {name: _plain(each) for name, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case StrEnum():
            return str(value)
        case _:
            return value


def _stamp(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if at else None


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _team(stored: Mapping[str, Any]) -> Team:
    levels = tuple(Level(**each | {"targets": tuple(each["targets"])}) for each in stored["levels"])
    shifts = tuple(
        Shift(**each | {"start": _instant(each["start"]), "end": _instant(each["end"])})
        for each in stored["shifts"]
    )
    return Team(**{**stored, "levels": levels, "shifts": shifts})


def _responder(stored: Mapping[str, Any]) -> Responder:
    methods = tuple(ContactMethod(**each | {"kind": Kind(each["kind"])}) for each in stored["methods"])
    return Responder(**{**stored, "methods": methods, "in_slack": InSlack(stored["in_slack"])})
