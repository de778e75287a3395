"""App Home: what it shows each person now, and who may have to see it anew. The facts are read once for many people."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.domain.alert import Alert
from bot.domain.home import (
    BETWEEN,
    MOST_LISTED,
    SEEN_WITHIN,
    Few,
    Glance,
    Home,
    Listing,
    Oversight,
    SeenHome,
    on_call_of,
    worst_first,
)
from bot.domain.oncall import FaultKind, RosterFault, StoredRoster
from bot.domain.person import LEADS, READERS, Person, Role
from bot.ports import Records
from bot.procedures.check_on_call import FAULTS
from bot.procedures.report_status import Sources, report_status

LEASE = timedelta(seconds=30)  # longer than one publication takes, two calls of Slack at most
SEE = "see the alerts here"
OVERSEERS = LEADS | {Role.ADMIN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """What Home has to know of the configuration: `sources` as in a status, and the names of the teams on call."""

    sources: Sources
    version: str
    teams: tuple[str, ...]


def open_home(records: Records, *, by: Person, lease: str) -> None:
    """They look at it, so it is kept in step for a day. Raises NotPermitted."""
    by.require(READERS, SEE)
    records.see_home(by.user, lease=lease, lasting=LEASE)


def take_home(records: Records, user: str, *, lease: str, own_act: bool) -> bool:
    """Before it is published to somebody for what they or others did; False when they have not looked for a day.

    For what others did, also when it has just been published, or another one does it now.
    """
    return records.take_home(
        user,
        seen_since=records.now - SEEN_WITHIN,
        if_due=None if own_act else records.now - BETWEEN,
        lease=lease,
        lasting=LEASE,
    )


def home_shown(records: Records, user: str, shown: str, *, lease: str) -> None:
    """`shown` is the digest of what was published, "" when it may not have arrived."""
    records.save_home(user, shown, lease=lease)


def close_home(records: Records, user: str) -> None:
    """They may not see it any more, or are gone."""
    records.forget_home(user)


def forget_unseen_homes(records: Records) -> int:
    """Retention. Returns how many."""
    return records.forget_homes(seen_before=records.now - SEEN_WITHIN)


def homes_seen(records: Records) -> list[SeenHome]:
    """Those that may have to follow what others did: seen within a day. The longest unpublished first."""
    return records.homes(seen_since=records.now - SEEN_WITHIN, if_due=records.now - BETWEEN)


def how_far(records: Records) -> tuple[int, int]:
    """Moves on when a Home may change: with every entry of the log, and each minute for what time alone changes."""
    return records.tree()[1].size, int(records.now.timestamp()) // 60


Groups = Mapping[str, Collection[str]]
"""Slack user group → who is in it."""


def homes(
    records: Records, people: Sequence[Person], installation: Installation, groups: Groups
) -> list[Home]:
    """What each of these people is to see, in their order. Raises NotPermitted when one of them may see nothing."""
    for person in people:
        person.require(READERS, SEE)
    facts = _Facts(records, installation)
    return [facts.home(person, _names(person, groups)) for person in people]


class _Facts:
    """What all Homes are made of, read once."""

    def __init__(self, records: Records, installation: Installation) -> None:
        self._records = records
        self._teams = installation.teams
        self._glances = records.glances()
        # User or group → places of glances, so that each is looked at once for all people.
        self._places: dict[str, list[int]] = {}
        for place, one in enumerate(self._glances):
            for name in one.waits_for:
                self._places.setdefault(name, []).append(place)
        self._roster = records.latest_roster() if installation.teams else None
        self._faults = self._roster.faults(records.now) if self._roster else []
        self._status = report_status(records, installation.sources, version=installation.version)
        self._alerts: dict[int, Alert] = {}
        self._oversight: Oversight | None = None

    def home(self, person: Person, names: Collection[str]) -> Home:
        user, now = person.user, self._records.now
        mine = {place for name in names for place in self._places.get(name, ())}
        others = [at for at, one in enumerate(self._glances) if one.owner is None and at not in mine]
        stored = self._roster
        return Home(
            at=now,
            has_teams=bool(self._teams),
            mine=self._listing(sorted(mine)),
            others=self._listing(others),
            on_call=on_call_of(stored, self._faults, self._teams, user, now) if stored else None,
            self_test=self._records.last_self_test(user),
            status=self._status,
            oversight=self._seen_by_leads() if person.roles & OVERSEERS else None,
        )

    def _listing(self, places: Sequence[int]) -> Listing:
        first = (self._alert(self._glances[place].id) for place in places[:MOST_LISTED])
        return Listing(alerts=tuple(first), count=len(places))

    def _alert(self, number: int) -> Alert:
        if number not in self._alerts:
            self._alerts[number] = self._records.alert(number)
        return self._alerts[number]

    def _seen_by_leads(self) -> Oversight:
        if self._oversight is None:
            review = self._records.last_review()
            self._oversight = Oversight(
                notes_missing=self._few(lambda one: one.note_needed),
                late=self._few(lambda one: one.is_late),
                flapping=self._records.suggested_tuning(most=MOST_LISTED),
                overdue=self._overdue(),
                faults=worst_first(_to_mend(self._faults)),
                out_of_step=self._records.out_of_step(),
                problems=tuple(each for each in self._status.problems if each.subject != FAULTS),
                review=review,
                is_review_current=_is_current(review, self._roster),
            )
        return self._oversight

    def _overdue(self) -> Few:
        found = [one.id for one in self._records.open_follow_ups() if one.is_overdue(self._records.now)]
        return Few(first=tuple(found[:MOST_LISTED]), count=len(found))

    def _few(self, which: Callable[[Glance], bool]) -> Few:
        found = [one.id for one in self._glances if which(one)]
        return Few(first=tuple(found[:MOST_LISTED]), count=len(found))


def _names(person: Person, groups: Groups) -> frozenset[str]:
    """What they go by in an alert."""
    return frozenset({person.user, *(group for group, users in groups.items() if person.user in users)})


def _to_mend(faults: Collection[RosterFault]) -> list[RosterFault]:
    """That Slack is silent is another trouble, and told as such."""
    return [fault for fault in faults if fault.kind is not FaultKind.SLACK_UNKNOWN]


def _is_current(review: StoredRoster | None, stored: StoredRoster | None) -> bool:
    return review is not None and stored is not None and review.id == stored.id
