"""The versions of the written standard that were in force, what changed from one to the next, and when one is reviewed.

Each is kept whole, as the document that its digest is of. A change of the file is noticed at start.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any

from bot.domain.standard import Standard

REVIEWED_EVERY = timedelta(days=365)
REMINDED_EVERY = timedelta(days=7)

_FIELDS = ("owner", "approved_by", "reviewed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """The standard as it was from `at` on. `number` is 0 before it is stored; `document` as `Standard.document`.

    `reviewed_at` and `reviewed_by` (a Slack user) are a review in socmon, of exactly this document; `told_at` is when
    leads were last reminded that it is due.
    """

    number: int = 0
    at: datetime
    document: bytes
    reviewed_at: datetime | None = None
    reviewed_by: str = ""
    told_at: datetime | None = None

    @property
    def digest(self) -> str:
        return f"sha256:{sha256(self.document).hexdigest()}"

    @property
    def facts(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = json.loads(self.document)
        return found

    @property
    def dated(self) -> date | None:
        """The review that the file itself tells of."""
        told = self.facts["reviewed"]
        return date.fromisoformat(told) if told else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """When somebody reviewed the standard, and whether that was the version in force. `by` "" is the file's word."""

    on: date
    by: str = ""
    is_current: bool

    def is_due(self, today: date) -> bool:
        return not self.is_current or self.on + REVIEWED_EVERY < today


def in_force(versions: Sequence[Version], standard: Standard, now: datetime) -> list[Version]:
    """The versions on record, newest first, with this standard before them unless it is the newest already."""
    if versions and versions[0].digest == standard.digest:
        return list(versions)
    return [Version(at=now, document=standard.document), *versions]


def last_review(versions: Sequence[Version]) -> Review | None:
    """The newest one, in socmon or told by the file; `versions` are newest first. None when there was none."""
    every = [
        one
        for at, version in enumerate(versions)
        for one in _reviews(version, versions[at + 1 :], versions[0])
    ]
    return max(every, key=lambda one: (one.is_current, one.on), default=None)


def _reviews(version: Version, older: Sequence[Version], newest: Version) -> Iterator[Review]:
    is_current = version.digest == newest.digest
    if version.reviewed_at:
        yield Review(on=version.reviewed_at.date(), by=version.reviewed_by, is_current=is_current)
    # A date that stayed as it was while something else was changed is one of the text before; and nobody has read it
    # on a day that was yet to come (the day begins up to 14 hours earlier elsewhere).
    begun = (version.at + timedelta(hours=14)).date()
    if version.dated and version.dated <= begun and (not older or older[0].dated != version.dated):
        yield Review(on=version.dated, is_current=is_current)


def due(versions: Sequence[Version], today: date) -> list[str]:
    """What keeps the newest from being an approved and reviewed document, each with its mend; newest first."""
    found, facts = [], versions[0].facts
    if not facts["owner"]:
        found.append("The standard names no owner. Set `owner` in its file.")
    if not facts["approved_by"]:
        found.append("Nobody has approved the standard. Set `approved_by` in its file.")
    if said := review_due(versions, today):
        found.append(said)
    return found


def review_due(versions: Sequence[Version], today: date) -> str:
    """Why the newest has to be reviewed now, and how; "" when it need not."""
    review = last_review(versions)
    if review is None:
        return f"The standard has never been reviewed. {_ASK}"
    if not review.is_current:
        return f"The standard has changed since it was last reviewed, on {review.on}. {_ASK}"
    if review.is_due(today):
        return f"The standard was last reviewed on {review.on}, more than a year ago. {_ASK}"
    return ""


_ASK = "Let the Engineering Lead read it: `/socmon standard review`."


def changes(before: bytes | None, after: bytes) -> list[str]:
    """Between two documents in words, old → new: “host cpu: > 85% for 5 min → > 70% for 5 min”; none from None."""
    if before is None:
        return []
    old, new = lines(json.loads(before)), lines(json.loads(after))
    return [
        f"{name}: {old.get(name) or 'none'} → {new.get(name) or 'none'}"
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]


def differences(standard: Standard, shipped: Standard) -> list[str]:
    """The rules and severities in which it is not as the one that ships: what ships → what is in force."""
    told = changes(shipped.document, standard.document)
    return [each for each in told if each.partition(":")[0] not in _FIELDS]


def lines(facts: Mapping[str, Any]) -> dict[str, str]:
    """What the document says, one thing at a time: “host cpu” → “> 85% for 5 min”."""
    found = {name: str(facts[name]) for name in _FIELDS}
    for kind, measures in facts["rules"].items():
        for measure, rules in measures.items():
            found[f"{kind} {measure}"] = " or ".join(rules) or REPORTS
    for kind, by in facts["severities"].items():
        for criticality, severity in by.items():
            found[f"{kind} severity, {criticality}"] = severity
    return found


REPORTS = "has to report"
