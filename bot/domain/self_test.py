"""What a self-test is: a direct message that a person sends themselves to see that it arrives. No alert, no route."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.errors import SocmonError

BETWEEN = timedelta(minutes=1)
"""Between two self-tests of one person."""


class JustTested(SocmonError):
    """The last self-test is too new for another one; nothing was sent."""

    def __init__(self) -> None:
        super().__init__(
            "You have asked for a test less than a minute ago, so no second one was sent. Look for it in your direct"
            " messages from socmon; if nothing is there in a minute, press again."
        )


class UnknownSelfTest(SocmonError):
    """There is no such self-test of this person; nothing was recorded."""

    def __init__(self) -> None:
        super().__init__(
            "This test is not yours, or belongs to another installation, so nothing was recorded. Press “Send me a"
            " test” in the Home of socmon and confirm that one."
        )


class AlreadyConfirmed(SocmonError):
    """The first confirmation stands; nothing was changed."""

    def __init__(self) -> None:
        super().__init__("It is on record already that you received this test. Nothing changed.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTest:
    """`sent_at` is when Slack had taken it, None while that is not known; `confirmed_at` when the person said so."""

    id: int
    user: str
    asked_at: datetime
    sent_at: datetime | None = None
    confirmed_at: datetime | None = None

    @property
    def took(self) -> timedelta | None:
        """From Slack's receipt (else the request) to the click; None before the click."""
        return self.confirmed_at - (self.sent_at or self.asked_at) if self.confirmed_at else None
