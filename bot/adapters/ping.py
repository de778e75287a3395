"""The outside watches socmon: it is pinged as long as all is well, and calls people when the pings stop.

In the manner of https://healthchecks.io/docs/http_api/: GET the address for well, POST to …/fail with the reason, GET
…/start when socmon begins. Where `plain`, there is but the first. The address is a secret, and never told to anybody.
"""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from pydantic import SecretStr

from bot.adapters.network import AiohttpNetwork

SECONDS = 10
MOST_BYTES = 64 * 1024
MOST_REASON = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping:
    """`url` is empty when nobody outside watches."""

    url: SecretStr
    plain: bool = False
    network: AiohttpNetwork = field(default_factory=AiohttpNetwork)

    def __bool__(self) -> bool:
        return bool(self.url.get_secret_value())

    async def started(self) -> str:
        return "" if self.plain else await self._send("/start")

    async def well(self) -> str:
        """Returns what went wrong, "" for nothing, as the others do; the address is not in it."""
        return await self._send("")

    async def sick(self, reason: str) -> str:
        """Where no reason can be told, the silence is enough."""
        return "" if self.plain else await self._send("/fail", reason)

    async def _send(self, what: str, reason: str = "") -> str:
        url = self.url.get_secret_value()
        whose = urlsplit(url).hostname
        try:
            if reason:
                body = reason[:MOST_REASON].encode(errors="replace")
                answer = await self.network.post(
                    url.rstrip("/") + what, body, most_bytes=MOST_BYTES, seconds=SECONDS
                )
            else:
                to = url.rstrip("/") + what if what else url
                answer = await self.network.get(to, most_bytes=MOST_BYTES, seconds=SECONDS)
        except (OSError, ValueError) as error:  # its text may hold the address
            return f"{whose} could not be pinged ({type(error).__name__})"
        return "" if 200 <= answer.status < 300 else f"{whose} answered a ping with {answer.status}"
