"""What a weekly validation is: the facts that the lead is shown, what is found in them, and what became of the week."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any

from bot.domain.attestation import Attestation
from bot.domain.evidence import Fact, canonical, timestamp
from bot.domain.slot import PUNCTUAL, Slot

SKEW = timedelta(minutes=5)
"""More than the clocks of replicas may differ."""


class Verdict(StrEnum):
    """How a section stands. What nobody can tell is never GOOD."""

    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that an attestation has to say a word about. `says` is what and why, `mend` what to do; sentences.

    `id` is the same from week to week as long as it is the same trouble ("metrics:silent"), so that what was decided
    about it stands. A section groups what is alike into one: a lead decides on twenty findings, not on two hundred.
    One whose id ends in ":unknown" says that nobody can tell what else there would be of the same prefix.
    """

    id: str
    says: str
    mend: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One subject of the validation, in a line. `facts` are the figures behind it, frozen with it: nothing personal."""

    name: str
    verdict: Verdict
    says: str
    findings: tuple[Finding, ...] = ()
    facts: Mapping[str, Fact] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """What a section tells of: a week, from `start` up to but without `end`."""

    week: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the lead is shown of a week, frozen `at` a moment: exactly the bytes of `document`, canonical JSON.

    `revision` counts from 1 within the week, and is 0 before it is stored.
    """

    week: str
    at: datetime
    document: bytes
    revision: int = 0

    @property
    def digest(self) -> str:
        return f"sha256:{sha256(self.document).hexdigest()}"

    @property
    def sections(self) -> tuple[Section, ...]:
        return tuple(map(_section, json.loads(self.document)["sections"]))

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(finding for section in self.sections for finding in section.findings)


def freeze(period: Period, sections: Sequence[Section], at: datetime) -> Facts:
    """Raises NotCanonical for facts that are not."""
    told: dict[str, Fact] = {
        "v": 1,
        "week": period.week,
        "start": timestamp(period.start),
        "end": timestamp(period.end),
        "at": timestamp(at),
        "sections": [
            {
                "name": one.name,
                "verdict": one.verdict.value,
                "says": one.says,
                "findings": [{"id": each.id, "says": each.says, "mend": each.mend} for each in one.findings],
                "facts": dict(one.facts),
            }
            for one in sections
        ],
    }
    return Facts(week=period.week, at=at, document=canonical(told))


def _section(stored: Mapping[str, Any]) -> Section:
    return Section(
        name=stored["name"],
        verdict=Verdict(stored["verdict"]),
        says=stored["says"],
        findings=tuple(Finding(**each) for each in stored["findings"]),
        facts=stored["facts"],
    )


class Ended(StrEnum):
    """Why a week was missed."""

    NOBODY = "nobody attested"
    DOWN = "socmon was down"
    NO_RECORD = "there is no record of it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """The record of a week. `opened_at` is None when socmon was down until it closed.

    `revision` and `digest` are of the newest facts. `missed_at` is when it was put down that nobody attested; the lead
    is asked for the reason, which changes nothing about that.
    """

    slot: Slot
    opened_at: datetime | None = None
    revision: int = 0
    digest: str = ""
    attestation: Attestation | None = None
    missed_at: datetime | None = None
    ended: Ended | None = None
    reason: str = ""
    explained_by: str = ""
    explained_at: datetime | None = None

    @property
    def week(self) -> str:
        return self.slot.week

    @property
    def period(self) -> Period:
        return Period(week=self.slot.week, start=self.slot.start, end=self.slot.end)

    def is_premature(self, now: datetime) -> bool:
        """Whether it was put down by a clock that was ahead, so that it says nothing."""
        written = self.missed_at or self.opened_at
        return self.attestation is None and written is not None and written > now + SKEW

    @property
    def was_opened_late(self) -> bool:
        return self.opened_at is not None and self.opened_at - self.slot.opens_at > PUNCTUAL


class Stands(StrEnum):
    """What is to be said of a week."""

    ATTESTED = "attested"
    WITH_EXCEPTIONS = "attested with exceptions"
    OPEN = "open"
    OVERDUE = "overdue"
    MISSED = "missed"
    NOT_DUE = "not yet due"
    BEFORE = "before socmon began"


GREEN = frozenset({Stands.ATTESTED, Stands.WITH_EXCEPTIONS, Stands.OPEN, Stands.NOT_DUE, Stands.BEFORE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """One line of the year: a week, whatever happened. `record` is None when the records have none."""

    slot: Slot
    stands: Stands
    record: Validation | None = None

    @property
    def attestation(self) -> Attestation | None:
        return self.record.attestation if self.record else None

    @property
    def is_late(self) -> bool:
        return self.attestation is not None and self.attestation.is_late

    @property
    def is_explained(self) -> bool:
        return self.record is not None and bool(self.record.reason)

    @property
    def needs_a_look(self) -> bool:
        """Somebody has to do something about it now: answer it, or say why nobody did."""
        return self.stands is Stands.OVERDUE or (self.stands is Stands.MISSED and not self.is_explained)

    @property
    def says(self) -> str:
        """The verdict in words: “attested with exceptions, late”, “missed: nobody attested, reason asked for”."""
        opened_late = self.record is not None and self.record.was_opened_late
        notes = ["late"] if self.is_late else []
        notes += ["opened late"] if opened_late else []
        match self.stands:
            case Stands.MISSED:
                ended = (self.record.ended if self.record else None) or Ended.NO_RECORD
                notes = [self.record.reason if self.record and self.record.reason else "reason asked for"]
                return f"missed: {ended}; {notes[0]}"
            case Stands.OPEN | Stands.OVERDUE:
                notes.append(f"due {self.slot.due_at:%Y-%m-%d %H:%M} UTC")
            case _:
                pass
        return ", ".join([self.stands.value, *notes])


def stands(slot: Slot, record: Validation | None, *, began: datetime, now: datetime) -> Week:
    """What is to be said of a week now, also when nobody has put down anything about it."""
    slot = record.slot if record else slot
    return Week(slot=slot, stands=_verdict(slot, record, began, now), record=record)


def _verdict(slot: Slot, record: Validation | None, began: datetime, now: datetime) -> Stands:
    if record and record.attestation:
        return Stands.WITH_EXCEPTIONS if record.attestation.has_exceptions else Stands.ATTESTED
    if record is None and slot.end <= began:
        return Stands.BEFORE
    if slot.is_closed(now):
        return Stands.MISSED
    if now < slot.opens_at:
        return Stands.NOT_DUE
    return Stands.OVERDUE if slot.is_late(now) else Stands.OPEN
