"""How the playground says no."""

from typing import Any

from bot.domain.errors import SocmonError


class SlackError(Exception):
    """A refusal in Slack's words: `{"ok": false, "error": …}`, with whatever else Slack tells about it."""

    def __init__(self, error: str, *messages: str, **details: Any) -> None:
        super().__init__(error)
        self.error = error
        self.details = details
        if messages:
            marked = [f"[ERROR] {message}" for message in messages]
            self.details = {"response_metadata": {"messages": marked}, **details}


class RealToken(SocmonError):
    """The playground was given a token that looks like a real workspace's; it refuses to start."""

    def __init__(self) -> None:
        super().__init__(
            "The playground runs only with its own token, xoxb-playground, and this one looks like a real workspace's. "
            "Unset SLACK_BOT_TOKEN and SLACK_APP_TOKEN to use the playground, or start `socmon serve` for real Slack."
        )
