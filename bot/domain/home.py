"""What App Home is: what needs one person now, whether they are on call and reachable, and for a lead what is amiss.

It names times and never ages, so that it only changes when the facts do.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.alert import Alert, Severity
from bot.domain.oncall import (
    ContactMethod,
    FaultKind,
    Responder,
    Roster,
    RosterFault,
    Shift,
    StoredRoster,
)
from bot.domain.rota import ROTA
from bot.domain.self_test import SelfTest
from bot.domain.status import Problem, Status

SEEN_WITHIN = timedelta(hours=24)
"""Whose Home is kept in step: those who have opened it so lately."""
BETWEEN = timedelta(seconds=15)
"""Between two looks, and two publications to one person for what others did."""
MOST_LISTED = 10

WORST_FIRST = (
    FaultKind.NO_LEVELS,
    FaultKind.GAP,
    FaultKind.EMPTY_LEVEL,
    FaultKind.GONE,
    FaultKind.NO_METHOD,
    FaultKind.NO_RULE,
    FaultKind.ONLY_EMAIL,
    FaultKind.RULE_TOO_LATE,
    FaultKind.METHOD_BLOCKED,
    FaultKind.METHOD_DISABLED,
    FaultKind.SAME_PEOPLE,
    FaultKind.SLACK_DEACTIVATED,
    FaultKind.NO_SLACK,
    FaultKind.SLACK_UNKNOWN,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """What Home has to know of every open alert. `is_late`: the clock has called somebody to acknowledge it."""

    id: int
    severity: Severity
    owner: str | None
    on_call: tuple[str, ...]
    note_needed: bool
    is_late: bool

    @property
    def waits_for(self) -> tuple[str, ...]:
        """Users and user groups."""
        return (self.owner,) if self.owner else self.on_call


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The first few of some alerts, and how many there are in all."""

    alerts: tuple[Alert, ...] = ()
    count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Few:
    """The numbers of the first few of some alerts or follow-ups, and how many there are in all."""

    first: tuple[int, ...] = ()
    count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """A turn on call at a level of a team. `end` None is for good; the `start` of one that has begun is now."""

    team: str
    level: int
    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamNow:
    """Who is called first for a team: everybody at the lowest level that has somebody. `end` is of the first turn."""

    team: str
    people: tuple[Responder, ...]
    end: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OnCall:
    """The roster as it concerns one person.

    `duties` are on now; `following` is the next one when there are none. `methods` and `faults` are the person's own,
    `profile` the address of their account in the tool, "" for none; `teams` are all. `known_until` says how far shifts
    are known. `is_known`: the person stands in it. `is_linkable`: an account in a tool may be theirs.
    """

    duties: tuple[Duty, ...]
    following: Duty | None
    methods: tuple[ContactMethod, ...]
    profile: str
    faults: tuple[RosterFault, ...]
    teams: tuple[TeamNow, ...]
    checked_at: datetime
    known_until: datetime
    is_stale: bool
    is_known: bool
    is_linkable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Oversight:
    """What a lead has to know: what is late, what is amiss. `out_of_step`: tool → acts it could not be told.

    `problems` are socmon's own; `faults` of the roster, the worst first, are told apart from them. `overdue` are
    follow-ups, by number.
    """

    notes_missing: Few
    late: Few
    flapping: Few
    overdue: Few
    faults: tuple[RosterFault, ...]
    out_of_step: Mapping[str, int]
    problems: tuple[Problem, ...]
    review: StoredRoster | None
    is_review_current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """One person's Home at `at`. `on_call` is None while no roster is known, `has_teams` whether there should be one.

    `oversight` is for leads and admins only.
    """

    at: datetime
    has_teams: bool
    mine: Listing
    others: Listing
    on_call: OnCall | None
    self_test: SelfTest | None
    status: Status
    oversight: Oversight | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenHome:
    """Somebody who has opened Home lately; `shown` is the digest of what they see, "" when nobody knows.

    `is_due`: it may be published anew; not while somebody does so, nor just after.
    """

    user: str
    shown: str
    is_due: bool


def on_call_of(
    stored: StoredRoster, faults: Sequence[RosterFault], names: Collection[str], user: str, now: datetime
) -> OnCall:
    """The roster as it concerns this person, of the teams with these names only. `faults` are all of the roster's."""
    roster = stored.roster
    teams = [team for team in roster.teams if team.name in names]
    own = {each.id: each for each in roster.responders if user and each.slack == user}
    turns = [(team.name, shift) for team in teams for shift in team.shifts if shift.responder in own]
    coming = [(shift.start, team, shift) for team, shift in turns if shift.start and shift.start > now]

    def duty(team: str, shift: Shift, at: datetime) -> Duty:
        end = roster.until(team, shift.level, shift.responder, at)
        return Duty(team=team, level=shift.level, start=at, end=end)

    duties = tuple(dict.fromkeys(duty(team, shift, now) for team, shift in turns if shift.covers(now)))
    start, team, shift = min(coming, key=lambda one: one[0]) if coming and not duties else (now, "", None)
    return OnCall(
        duties=duties,
        following=duty(team, shift, start) if shift else None,
        methods=tuple(dict.fromkeys(method for each in own.values() for method in each.methods)),
        profile=next((each.account_url for each in own.values() if each.account_url), ""),
        faults=tuple(
            each for each in faults if each.person in own and each.kind is not FaultKind.SLACK_UNKNOWN
        ),
        teams=tuple(_team_now(roster, team.name, now) for team in teams),
        checked_at=stored.checked_at,
        known_until=stored.known_until,
        is_stale=stored.is_stale(now),
        is_known=bool(own),
        is_linkable=any(team.source != ROTA for team in teams),
    )


def worst_first(faults: Iterable[RosterFault]) -> tuple[RosterFault, ...]:
    return tuple(sorted(faults, key=lambda fault: WORST_FIRST.index(fault.kind)))


def _team_now(roster: Roster, team: str, now: datetime) -> TeamNow:
    people = roster.on_call(team, now)
    level = min((shift.level for shift in roster.team(team).shifts if shift.covers(now)), default=0)
    ends = (roster.until(team, level, each.id, now) for each in people)
    return TeamNow(team=team, people=people, end=min((end for end in ends if end), default=None))
