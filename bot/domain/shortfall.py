"""Why a cell is not covered: what was asked, what is wrong, and what to do next."""

from dataclasses import dataclass
from enum import StrEnum


class Question(StrEnum):
    """What is asked of each cell."""

    REPORTS = "reports"
    THRESHOLD = "threshold"
    ROUTED = "routed"


class Why(StrEnum):
    """The kind of a gap."""

    STALE = "stale"
    SILENT = "silent"
    NOT_CONFIGURED = "not configured"
    NO_ANSWER = "tool did not answer"
    NO_MONITOR = "no monitor"
    ELSEWHERE = "watches another dimension"
    PARTLY = "only a part watched"
    UNREADABLE = "unreadable filter"
    NOT_ARRIVING = "metric does not arrive there"
    NO_THRESHOLD = "no threshold to compare"
    OTHER_WAY = "fires the other way"
    TOO_WEAK = "threshold too weak"
    TOO_SLOW = "window too long"
    NO_DATA_IGNORED = "no data ignored"
    TOO_MILD = "severity below the standard"
    DISABLED = "disabled"
    SILENCED = "silenced"
    NO_TARGET = "no target"
    DEAD_TARGET = "dead target"
    NOT_APPROVED = "channel not approved"
    NO_TEAM = "service without a team"
    NO_RECOVERY = "recovery not routed"
    NOBODY = "nobody on call"
    UNREACHABLE = "on call and not reachable"
    NO_ROSTER = "on-call people unknown"


UNKNOWN_WHYS = frozenset({Why.NO_ANSWER, Why.NO_ROSTER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """Why one of the questions has no good answer. `says` is what and why, `mend` what to do next; both sentences."""

    question: Question
    why: Why
    says: str
    mend: str
