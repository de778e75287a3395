"""What socmon knows of a message in Slack that shows a week's validation: where it stands, and what it shows."""

from dataclasses import dataclass
from datetime import datetime

from bot.domain.attestation import Told
from bot.domain.validation import Validation


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One message about a week in one channel, by why it was sent. `at` is when it was first on its way.

    `ts` is "" until it is known to stand; `shown` is the state that it shows, as `state_of` writes it.
    """

    week: str
    kind: Told
    channel: str
    at: datetime
    ts: str = ""
    shown: str = ""

    @property
    def key(self) -> str:
        """By which it is found in Slack again."""
        return f"validation:{self.week}:{self.kind}"


def state_of(record: Validation) -> str:
    """The same as long as a message about this week has not to change."""
    done = record.attestation
    steps = {
        "attested": done is not None,
        "cosigned": done is not None and bool(done.cosigned_by),
        "missed": record.missed_at is not None,
        "explained": bool(record.reason),
    }
    return " ".join([str(record.revision), *(step for step, is_taken in steps.items() if is_taken)])
