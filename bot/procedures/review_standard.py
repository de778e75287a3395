"""The written standard: each version that came into force is put down, and a lead reviews exactly the one that stands.

The file is read at start, so that is when a change is noticed. Leads are reminded of a review that is due.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.errors import IllegalAct
from bot.domain.evidence import Actor, Entry, Fact
from bot.domain.person import LEADS, READERS, Person
from bot.domain.standard import Standard
from bot.domain.standard_version import (
    REMINDED_EVERY,
    Review,
    Version,
    changes,
    due,
    in_force,
    last_review,
    review_due,
)
from bot.ports import Records

# People stand there as the file writes them; the digests commit to what exactly changed.
_PERSONAL = ("owner", "approved_by")


class OldStandard(IllegalAct):
    """The standard is another one by now than the one that was shown."""

    def __init__(self) -> None:
        super().__init__(
            "This is not the standard in force: it has changed since this was shown. Nothing was recorded. Read the"
            " present one with `/socmon standard review`, and review that."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardStanding:
    """The versions on record, newest first: the first one is in force, on record or not yet."""

    versions: tuple[Version, ...]
    now: datetime

    @property
    def newest(self) -> Version:
        return self.versions[0]

    @property
    def review(self) -> Review | None:
        return last_review(self.versions)

    @property
    def due(self) -> list[str]:
        """What is to be mended, each with its mend."""
        return due(self.versions, self.now.date())

    def changes(self, at: int) -> list[str]:
        """What changed with the version at this place, old → new; empty for the first one."""
        before = self.versions[at + 1].document if at + 1 < len(self.versions) else None
        return changes(before, self.versions[at].document)


def standing(records: Records, standard: Standard, *, by: Person | None = None) -> StandardStanding:
    """The standard as it stands, and stood. Raises NotPermitted."""
    if by:
        by.require(READERS, "see the standard")
    versions = in_force(records.standard_versions(), standard, records.now)
    return StandardStanding(versions=tuple(versions), now=records.now)


def standard_due(records: Records) -> tuple[str, ...]:
    """What is to be mended about the version on record; nothing before there is one."""
    versions = records.standard_versions()
    return tuple(due(versions, records.now.date())) if versions else ()


def take_standard(records: Records, standard: Standard) -> Version:
    """Put down that this standard is in force from now on, if it was not already."""
    known = records.standard_versions()
    now_in_force = in_force(known, standard, records.now)[0]
    if now_in_force.number:
        return now_in_force
    before = known[0] if known else None
    version = replace(now_in_force, number=records.add_standard_version(now_in_force))
    changed = changes(before.document if before else None, version.document)
    facts: dict[str, Fact] = {
        "before": before.digest if before else "",
        "after": version.digest,
        "changes": [_without_people(each) for each in changed],
    }
    subject = {"standard": version.number}
    records.log(Entry(type="standard.changed", actor=Actor(kind="system"), subject=subject, facts=facts))
    return version


def review(records: Records, digest: str, *, by: Person) -> Version:
    """A lead has read the document with this digest, which is kept. Raises NotPermitted and OldStandard."""
    by.require(LEADS, "review the standard")
    newest = next(iter(records.standard_versions()), None)
    if newest is None or newest.digest != digest:
        raise OldStandard
    reviewed = replace(newest, reviewed_at=records.now, reviewed_by=by.user)
    records.save_standard_version(reviewed)
    actor = Actor(kind="slack", team=by.team, user=by.user, role=by.role)
    subject = {"standard": reviewed.number}
    records.log(Entry(type="standard.reviewed", actor=actor, subject=subject, facts={"document": digest}))
    return reviewed


def reminder(records: Records) -> str:
    """Why a review is due, when leads are to be told so now; "" when it is not due, or they were told this week."""
    versions = records.standard_versions()
    if not versions or _told_lately(versions, records.now):
        return ""
    return review_due(versions, records.now.date())


def reminded(records: Records) -> None:
    """A reminder stands in Slack, or may."""
    records.save_standard_version(replace(records.standard_versions()[0], told_at=records.now))


def _told_lately(versions: Sequence[Version], now: datetime) -> bool:
    return any(one.told_at and one.told_at > now - REMINDED_EVERY for one in versions)


def _without_people(change: str) -> str:
    name = change.partition(":")[0]
    return name if name in _PERSONAL else change
