"""Who is on call is taken from the tools and the rotas, kept when it has changed, held against faults, and reviewed.

An answer that is not whole adds nothing: what the same source last said in full stays in force, with its age.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from zoneinfo import ZoneInfo

from bot.domain.contact_list import to_csv
from bot.domain.errors import SocmonError
from bot.domain.evidence import Actor, Entry
from bot.domain.oncall import AccountLink, InSlack, Roster, StoredRoster, Team, UnknownTeam, merge, only
from bot.domain.person import LEADS, READERS, Person, Role
from bot.domain.thread import SlackRoute
from bot.domain.when import UnknownTime, read_when
from bot.ports import Records

TRUSTED = LEADS | {Role.ADMIN}
FAULTS = "on-call:faults"
"""The subject of "the roster has faults"."""


class NoRoster(SocmonError):
    """Nobody has said yet who is on call."""

    def __init__(self) -> None:
        super().__init__(
            "socmon does not know yet who is on call: no team stands under [on_call] in the configuration, or its tool"
            " has not answered since socmon started. `socmon doctor` says which."
        )


class NotKnownThen(SocmonError):
    """Nobody had asked by then who was on call."""

    def __init__(self, since: datetime) -> None:
        super().__init__(
            "socmon does not know who was on call then: it had not asked yet. What it knows now it has known since"
            f" {since:%Y-%m-%d %H:%M} UTC."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OnCallAnswer:
    """The roster for a question: which teams were asked for, at which moment, and when anybody last reviewed one."""

    stored: StoredRoster
    teams: tuple[Team, ...]
    at: datetime
    now: datetime
    review: StoredRoster | None


def known(records: Records) -> tuple[StoredRoster | None, list[AccountLink]]:
    """What is on record: the roster in force, and the explicit links."""
    return records.latest_roster(), records.account_links()


def waits_for_slack(records: Records) -> bool:
    """Whether somebody stands in the roster of whom Slack has not said yet if it knows them."""
    stored = records.latest_roster()
    return stored is not None and any(each.in_slack is InSlack.UNKNOWN for each in stored.roster.responders)


def put_together(
    before: StoredRoster | None, order: Sequence[str], told: Collection[Roster], *, silent: Collection[str]
) -> Roster:
    """One roster of what was told; of a source that did not tell everything, what it had last told in full."""
    kept = [only(before.roster, source) for source in silent] if before else []
    return merge(order, [*kept, *told])


def take_roster(records: Records, roster: Roster, *, complete: bool) -> bool:
    """Keep the roster if it has changed; True when it has. An incomplete one makes nothing any younger."""
    before = records.latest_roster()
    if before is None and not roster.teams:
        return False  # nobody has told anything yet, which is not the same as nobody being on call
    if before and before.digest == roster.digest:
        if complete:
            records.save_roster_check(before.id, records.now)
        return False
    checked_at = records.now if complete or not before else before.checked_at
    stored = records.add_roster(roster, checked_at=checked_at)
    facts: dict[str, str | int | bool] = {
        "digest": stored.digest,
        "teams": len(roster.teams),
        "people": len(roster.responders),
        "faults": len(stored.faults(records.now)),
        "complete": complete,
    }
    subject = {"roster": stored.id}
    records.log(Entry(type="roster.changed", actor=Actor(kind="system"), subject=subject, facts=facts))
    return True


def who_is_called(records: Records, route: SlackRoute) -> tuple[tuple[str, ...], StoredRoster | None]:
    """(who is called for an alert that goes this way, the roster that says so, if one does)."""
    stored = records.latest_roster() if route.team else None
    if stored is None:
        return route.on_call, None
    try:
        people = stored.roster.on_call(route.team, records.now)
    except UnknownTeam:
        return route.on_call, None
    if people and route.on_call and all(person.in_slack is InSlack.UNKNOWN for person in people):
        return route.on_call, stored  # Slack has not said yet who they are there, and an address calls nobody
    return tuple(person.address for person in people) or route.on_call, stored


def who_is_on_call(
    records: Records, words: Sequence[str] = (), *, zone: ZoneInfo, by: Person | None = None
) -> OnCallAnswer:
    """The answer to `/socmon oncall [team] [when]`; of the past, as it was known then.

    Raises NotPermitted, NoRoster, NotKnownThen, UnknownTeam and UnknownTime.
    """
    if by:
        by.require(READERS, "see who is on call")
    stored = contacts(records)
    team, at = _asked(stored.roster, words, records.now, zone)
    if at < records.now:
        then = records.roster_at(at)
        if then is None:
            raise NotKnownThen(stored.at)
        stored = then
    teams = (stored.roster.team(team),) if team else stored.roster.teams
    return OnCallAnswer(stored=stored, teams=teams, at=at, now=records.now, review=records.last_review())


def _asked(roster: Roster, words: Sequence[str], now: datetime, zone: ZoneInfo) -> tuple[str, datetime]:
    """The team, "" for all, and the moment. One word that is neither was meant for a team."""
    names = {team.name.casefold() for team in roster.teams}
    team, *when = words if words and words[0].casefold() in names else ("", *words)
    try:
        return team, read_when(" ".join(when), now=now, zone=zone)
    except UnknownTime:
        if len(words) == 1:
            roster.team(words[0])
        raise


def contacts(records: Records, *, by: Person | None = None) -> StoredRoster:
    """The roster that a contact list is made of. Raises NotPermitted and NoRoster."""
    if by:
        by.require(READERS, "see the escalation contact list")
    stored = records.latest_roster()
    if stored is None:
        raise NoRoster
    return stored


def review_contacts(records: Records, roster_id: int, *, made_at: datetime, by: Person) -> StoredRoster:
    """A lead has read the contact list of this roster, as made then: on record, with the document's digest."""
    by.require(TRUSTED, "review the escalation contact list")
    stored = records.roster(roster_id)
    document = to_csv(stored, made_at)
    records.save_roster_review(roster_id, by=by.user)
    facts: Mapping[str, str | int] = {
        "roster": stored.digest,
        "document": document_digest(document),
        "made_at": _iso(made_at),
        "faults": len(stored.faults(made_at)),
    }
    records.log(
        Entry(
            type="contacts.reviewed",
            actor=Actor(kind="slack", team=by.team, user=by.user, role=by.role),
            subject={"roster": roster_id},
            facts=facts,
        )
    )
    return records.roster(roster_id)


def document_digest(document: str) -> str:
    return f"sha256:{sha256(document.encode()).hexdigest()}"


def accounts_to_link(records: Records, *, by: Person) -> list[tuple[str, str, str]]:
    """(provider, account, name) of those whom this person may link: leads and admins anybody, others who has no Slack.

    Raises NotPermitted and NoRoster.
    """
    by.require(READERS, "link accounts")
    stored = contacts(records)
    every = [
        (team.source, person.id, person.name)
        for team in stored.roster.teams
        for person in stored.roster.people_of(team.name)
        if team.source != "rota" and (not person.slack or by.roles & TRUSTED)
    ]
    return list(dict.fromkeys(every))


def link_account(records: Records, provider: str, account: str, slack_user: str, *, by: Person) -> None:
    """A person says that an account in a tool is theirs; a lead or an admin may say so of anybody.

    Raises NotPermitted and IllegalAct.
    """
    may = {(source, named) for source, named, _ in accounts_to_link(records, by=by)}
    if slack_user != by.user or (provider, account) not in may:
        by.require(TRUSTED, "link an account for somebody else, or one that is already somebody's")
    link = AccountLink(
        provider=provider, account=account, slack_user=slack_user, linked_by=by.user, at=records.now
    )
    records.link_account(link)
    records.log(
        Entry(
            type="account.linked",
            actor=Actor(kind="slack", team=by.team, user=by.user, role=by.role),
            subject={"provider": provider, "account": account},
            facts={"slack_user": slack_user},
        )
    )


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
