"""What a lead's signed answer is: to which facts, what was decided on each finding, and who should not have signed."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Separation(StrEnum):
    """What becomes of an attestation by somebody who has a hand in what it is about."""

    WARN = "warn"
    ENFORCE = "enforce"


class Overlap(StrEnum):
    """A hand that the attester had, in the week or until they attested, in what they attest. Ends “They …”."""

    SCOPE = "changed the scope"
    EXCLUSION = "approved an exclusion"
    STANDARD = "reviewed the standard"
    RESPONSE = "was the only one who responded to the week's alerts"


class Decided(StrEnum):
    FIX = "fix"
    ACCEPT = "accept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disposition:
    """What was decided on a finding. It stands `until` then: the end of the day when it is mended, or looked at again.

    `id` is 0 before it is stored. `owner` (a Slack user) mends it; nobody does what is accepted. `ended_at` is when it
    was seen that the finding is gone: one that comes back has to be decided anew.
    """

    id: int = 0
    finding: str
    decided: Decided
    until: datetime
    reason: str
    by: str
    at: datetime
    week: str
    owner: str = ""
    ended_at: datetime | None = None

    def stands(self, now: datetime) -> bool:
        return self.ended_at is None and now < self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation:
    """A person's answer to the facts with this digest. `role` is what made it theirs: a role, or “delegate”.

    `dispositions` are all that cover its findings, the standing ones too: its exceptions, with the overlaps.
    """

    week: str
    at: datetime
    by: str
    role: str
    revision: int
    digest: str
    is_late: bool
    delegated_by: str = ""
    dispositions: tuple[Disposition, ...] = ()
    overlaps: tuple[Overlap, ...] = ()
    cosigned_by: str = ""
    cosigned_at: datetime | None = None

    @property
    def has_exceptions(self) -> bool:
        return bool(self.dispositions or self.overlaps)

    @property
    def waits_for_cosigner(self) -> bool:
        return bool(self.overlaps) and not self.cosigned_by


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegation:
    """A lead lets somebody attest until a time. `id` is 0 before it is stored."""

    id: int = 0
    user: str
    by: str
    at: datetime
    until: datetime
    ended_at: datetime | None = None

    def stands(self, now: datetime) -> bool:
        return self.ended_at is None and now < self.until


def standing(dispositions: Iterable[Disposition], now: datetime) -> dict[str, Disposition]:
    """Finding → what was decided on it, as long as that stands; the newest word counts."""
    in_order = sorted(dispositions, key=lambda one: (one.at, one.id))
    newest = {one.finding: one for one in in_order}
    return {finding: one for finding, one in newest.items() if one.stands(now)}


def undecided(
    findings: Sequence[str], stands: Mapping[str, Disposition], decided: Collection[str]
) -> list[str]:
    """The findings that nobody has decided on: not now, and not before until a day yet to come."""
    return [each for each in findings if each not in stands and each not in decided]


def is_gone(finding: str, findings: Collection[str]) -> bool:
    """Whether it is not there any more, as far as its section can tell: of the unknown nothing is gone."""
    section = finding.partition(":")[0]
    return finding not in findings and f"{section}:unknown" not in findings


class Told(StrEnum):
    """Why somebody is told of a validation."""

    OPENED = "opened"
    COPY = "copy"  # to the validation channel
    DUE = "due"
    LATE = "late"
    ESCALATED = "escalated"  # to the backup lead
    TOMORROW = "tomorrow"  # somebody asked to be told again
    COSIGN = "cosign"
    MISSED = "missed"  # the reason is asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """A message about a week that is owed. `to` is a Slack user, a role whose holders are meant, or CHANNEL."""

    week: str
    kind: Told
    to: str
    at: datetime
    tried_at: datetime | None = None
    sent_at: datetime | None = None


CHANNEL = "channel"
