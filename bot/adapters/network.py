"""Outgoing plain HTTP(S) requests over aiohttp, filling the port `Network`."""

import ssl
from functools import cached_property

import aiohttp

from bot.ports import Answer

CHUNK = 8192


class AiohttpNetwork:
    """One request, one connection: what socmon fetches this way (a signing certificate) is rare and cached.

    `trust_env` makes aiohttp honour HTTPS_PROXY and NO_PROXY; OpenSSL itself honours SSL_CERT_FILE.
    """

    async def get(self, url: str, *, most_bytes: int, seconds: float) -> Answer:
        """Fetch `url`; raises OSError when there is no answer (in time), ValueError when it is over `most_bytes`."""
        try:
            async with self._session(seconds) as session, session.get(url, allow_redirects=False) as response:
                return Answer(status=response.status, body=await _capped(response, most_bytes))
        except TimeoutError:
            raise
        except aiohttp.ClientError as error:
            raise OSError(f"No answer from {_host(url)}: {error}") from error

    async def post(self, url: str, body: bytes, *, most_bytes: int, seconds: float) -> Answer:
        """Send plain text; raises as `get` does."""
        try:
            async with (
                self._session(seconds) as session,
                session.post(
                    url,
                    data=body,
                    headers={"Content-Type": "text/plain; charset=utf-8"},
                    allow_redirects=False,
                ) as response,
            ):
                return Answer(status=response.status, body=await _capped(response, most_bytes))
        except TimeoutError:
            raise
        except aiohttp.ClientError as error:
            raise OSError(f"No answer from {_host(url)}: {error}") from error

    def _session(self, seconds: float) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            trust_env=True,
            connector=aiohttp.TCPConnector(ssl=self._trusted, force_close=True),
            timeout=aiohttp.ClientTimeout(total=seconds),
            cookie_jar=aiohttp.DummyCookieJar(),
            # Nothing is inflated, so a small answer cannot become a large one.
            auto_decompress=False,
            headers={"Accept-Encoding": "identity", "User-Agent": "socmon"},
        )

    @cached_property
    def _trusted(self) -> ssl.SSLContext:
        # Made here and not taken from aiohttp, whose own one is made at import, before SSL_CERT_FILE may be set.
        return ssl.create_default_context()


async def _capped(response: aiohttp.ClientResponse, most_bytes: int) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(CHUNK):
        body += chunk
        if len(body) > most_bytes:
            raise ValueError(f"The answer from {response.url.host} is over {most_bytes} bytes.")
    return bytes(body)


def _host(url: str) -> str:
    """Only the host: a query may hold a secret."""
    return url.partition("://")[2].partition("/")[0].rpartition("@")[2]
