"""What a weekly validation is: the facts that the lead is shown, and what is found in them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.domain.evidence import Fact


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
