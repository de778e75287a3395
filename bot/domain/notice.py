"""What a notice is: an alert that a person is to be told of in a direct message, bundled with others of theirs."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.alert import Alert, Response

GAP = timedelta(minutes=10)
"""Between two direct messages to the same person, whatever happens."""


class NoticeKind(StrEnum):
    """Why somebody is told. Other kinds are told as long as their alert is open."""

    UNACKNOWLEDGED = "unacknowledged"
    ESCALATED = "escalated"  # by the clock or by a person: it needs somebody else
    NOTE_MISSING = "note_missing"
    ASSIGNED = "assigned"
    AWAKE = "awake"  # its snooze is over


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """`user` is a Slack user id, `kind` a NoticeKind or another part's own word."""

    id: int
    user: str
    alert_id: int
    kind: str
    at: datetime

    def is_due(self, alert: Alert) -> bool:
        """Whether the alert, as it is now, is still what the person was to be told of."""
        match self.kind:
            case NoticeKind.UNACKNOWLEDGED:
                return alert.response is Response.TRIGGERED and not alert.note_needed
            case NoticeKind.NOTE_MISSING:
                return alert.note_needed
            case NoticeKind.ASSIGNED:
                return alert.is_open and alert.owner == self.user
            case NoticeKind.AWAKE:
                return alert.is_open and alert.owner == self.user and alert.snoozed_until is None
            case _:
                return alert.is_open


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """A notice that has not been sent, and its alert as it is now, whose thread is in `channel`.

    `has_acted` says that the person has done something about the alert since.
    """

    notice: Notice
    alert: Alert
    channel: str
    has_acted: bool

    @property
    def is_due(self) -> bool:
        return not self.has_acted and self.notice.is_due(self.alert)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One alert in a bundle: why the person is told of it, and the channel where its thread is."""

    alert: Alert
    kinds: tuple[str, ...]
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """All that one person is to be told now, most severe first, and the notices that it settles."""

    user: str
    waiting: tuple[Waiting, ...]
    notices: tuple[int, ...]
