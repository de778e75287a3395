"""What others did shows in the App Home of everybody who has looked at theirs within a day."""

from typing import Any


async def refresh_homes(parts: Any) -> str:
    if not parts.settings.slack.connected:
        return "Slack is not connected"
    return f"{await parts.homes.follow()} published"
