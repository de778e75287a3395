"""What a follow-up is: somebody's task to mend, until a day, what was found. Evidence closes it, and nobody's word."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from bot.domain.component import Measure

MORNING = 9
"""The hour, where the company is, from which owners are reminded of what is due."""


class Outcome(StrEnum):
    MENDED = "mended"
    ACCEPTED = "accepted"  # a lead decided that it stays as it is for a while
    OUT_OF_SCOPE = "out_of_scope"  # excluded, or not ours any more: nothing is left to mend


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """`subject` is what was found, as the functions below write it: only one is open about it at a time.

    `id` is 0 before it is stored. `owner` and `opened_by` are Slack user ids, `due_at` the end of the last day.
    `told_at` is when the owner last heard of it. `proof` names the evidence that closed it.
    """

    id: int = 0
    subject: str
    owner: str
    due_at: datetime
    note: str
    opened_by: str
    opened_at: datetime
    told_at: datetime | None = None
    closed_at: datetime | None = None
    outcome: Outcome | None = None
    proof: str = ""

    @property
    def is_open(self) -> bool:
        return self.closed_at is None

    def is_overdue(self, now: datetime) -> bool:
        return self.is_open and self.due_at < now

    def is_to_tell(self, now: datetime, zone: ZoneInfo) -> bool:
        """Whether the owner is to be told now: of what is new at once, of what is due each morning."""
        if not self.is_open or self.told_at is None:
            return self.is_open
        here, told = now.astimezone(zone), self.told_at.astimezone(zone)
        return (
            self.due_at.astimezone(zone).date() <= here.date()
            and told.date() < here.date()
            and here.hour >= MORNING
        )


def gap_subject(component: str, measure: Measure) -> str:
    """A cell of coverage; `component` is its key."""
    return f"gap:{measure}:{component}"


def gap_of(subject: str) -> tuple[str, Measure] | None:
    """(key of the component, measure) of a cell of coverage; None for other subjects."""
    kind, _, rest = subject.partition(":")
    measure, _, component = rest.partition(":")
    return (component, Measure(measure)) if kind == "gap" else None


def finding_subject(finding: str) -> str:
    """Of a weekly validation; `finding` is its id."""
    return f"finding:{finding}"


def finding_of(subject: str) -> str | None:
    """The id of a finding of the weekly validation; None for other subjects."""
    kind, _, finding = subject.partition(":")
    return finding if kind == "finding" else None


def report_subject(week: str, number: int) -> str:
    """What somebody reported by hand; the note says what it is."""
    return f"reported:{week}:{number}"


def is_report(subject: str) -> bool:
    return subject.startswith("reported:")
