"""People are told in direct messages what waits for them, bundled."""

from typing import Any


async def send_notices(parts: Any) -> str:
    if not parts.settings.slack.connected:
        return "Slack is not connected"
    return f"{await parts.messenger.send_due()} sent"
