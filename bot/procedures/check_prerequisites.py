"""Whether all that the control starts from is there: inventory, rights, rota and contact list, written expectations.

From the records alone: of rights they tell what the tools said when they were last asked.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from bot.domain.prerequisite import Document, Needed, Prerequisite, Standing, documents
from bot.ports import Records

OLDEST_ROSTER = timedelta(hours=1)
OLDEST_REVIEW = timedelta(days=92)


def prerequisites(
    records: Records,
    *,
    tools: Mapping[str, str],
    has_teams: bool,
    written: Sequence[Document],
    time_to_live: timedelta,
) -> list[Prerequisite]:
    """`tools` are those that can be asked what exists, name → title; `written` are the documents as configured."""
    return [
        *_inventory(records),
        *_rights(records, tools, time_to_live),
        *_on_call(records, has_teams=has_teams),
        *documents(written, records.now.date()),
    ]


def _inventory(records: Records) -> Iterator[Prerequisite]:
    scope = records.scope()
    if scope is None or not scope.entries:
        mend = "Import the approved inventory with `socmon scope import FILE`, or add what the tools find."
        yield _weak(Needed.INVENTORY, "No component is in scope, so nothing is monitored on purpose.", mend)
        return
    due = scope.due(records.now)
    for sentence in due:
        yield _weak(
            Needed.INVENTORY,
            sentence,
            "Look at `/socmon scope`; a lead reviews it with `/socmon scope review`.",
        )
    if not due and scope.review and scope.review.reviewed_at:
        reviewed = f"reviewed on {scope.review.reviewed_at:%Y-%m-%d}"
        yield _met(Needed.INVENTORY, f"{len(scope.entries):,} components, all with an owner, {reviewed}.")


def _rights(records: Records, tools: Mapping[str, str], time_to_live: timedelta) -> Iterator[Prerequisite]:
    if not tools:
        mend = "Give socmon the keys of a monitoring tool: docs/providers has a page for each."
        yield _weak(
            Needed.RIGHTS, "No connected tool can be asked what exists, reports and would alert.", mend
        )
    ages, heard = records.ages(), records.heard()
    for name, title in tools.items():
        own = [age for age in ages if age.provider == name]
        said = [age.reason for age in own] + [one.reason for one in heard if one.source == name]
        if not said:
            yield _weak(Needed.RIGHTS, f"{title} has not been asked yet.", "Start socmon: it asks at once.")
        elif reasons := " ".join(dict.fromkeys(filter(None, said))):
            yield _unmet(Needed.RIGHTS, f"{title} did not tell everything when it was last asked.", reasons)
        elif not all(age.stands(records.now, time_to_live) for age in own):
            mend = "Look at `socmon jobs` whether it is asked; while socmon is down it is not."
            yield _weak(Needed.RIGHTS, f"{title} last told of its coverage too long ago.", mend)
        else:
            yield _met(Needed.RIGHTS, f"{title} told everything when it was last asked.")


def _on_call(records: Records, *, has_teams: bool) -> Iterator[Prerequisite]:
    if not has_teams:
        mend = (
            "Name teams under [[on_call.teams]], by a PagerDuty policy or a rota: docs/on-call.md shows how."
        )
        said = "No team is configured, so nobody checks that whoever is on call can be reached."
        yield _weak(Needed.ON_CALL, said, mend)
        return
    stored, now = records.latest_roster(), records.now
    if stored is None:
        yield _weak(
            Needed.ON_CALL, "socmon does not know yet who is on call.", "Start socmon: it asks at once."
        )
        return
    age = now - stored.checked_at
    if age > OLDEST_ROSTER:
        mend = "Look at `socmon status` for why, and at `socmon jobs` whether it runs."
        yield _unmet(
            Needed.ON_CALL, f"Who is on call was last known {age // timedelta(hours=1)} h ago.", mend
        )
    faults = stored.faults(now)
    for fault in faults:
        yield _unmet(Needed.ON_CALL, fault.says, "Mend it in the tool, or the rota under [on_call].")
    if not faults:
        people = len(stored.roster.responders)
        yield _met(Needed.ON_CALL, f"{len(stored.roster.teams)} teams, {people} people, all reachable.")
    review = records.last_review()
    reviewed = review.reviewed_at if review else None
    if reviewed is None or now - reviewed > OLDEST_REVIEW:
        last = f"{reviewed:%Y-%m-%d}" if reviewed else "never"
        mend = "Let the Engineering Lead choose Contact list in /socmon oncall, read it, and say so there."
        yield _weak(Needed.ON_CALL, f"The escalation contact list was last reviewed: {last}.", mend)
    else:
        yield _met(Needed.ON_CALL, f"The escalation contact list was reviewed on {reviewed:%Y-%m-%d}.")


def _met(needed: Needed, says: str) -> Prerequisite:
    return Prerequisite(needed=needed, standing=Standing.MET, says=says)


def _weak(needed: Needed, says: str, mend: str) -> Prerequisite:
    return Prerequisite(needed=needed, standing=Standing.WEAK, says=says, mend=mend)


def _unmet(needed: Needed, says: str, mend: str) -> Prerequisite:
    return Prerequisite(needed=needed, standing=Standing.UNMET, says=says, mend=mend)
