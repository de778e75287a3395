"""A plain JSON question to a tool's API, for those without a client library. Synchronous: ask it in a worker thread."""

import json
import ssl
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPSHandler, Request, build_opener

from bot.domain.errors import ToolSilent
from bot.providers.contract import answered

SECONDS = 10
MOST_BYTES = 32 * 1024 * 1024


class Declined(ToolSilent):
    """The tool answered with an HTTP status that is an error."""

    def __init__(self, status: int) -> None:
        super().__init__(f"it answered {status}")
        self.status = status


def ask(url: str, *, headers: Mapping[str, str], body: Any = None) -> Any:
    """The JSON of the answer; raises ToolSilent (Declined for an error's status). Posts `body` where there is one.

    HTTPS_PROXY and SSL_CERT_FILE count.
    """
    data = None if body is None else json.dumps(body).encode()
    given = {"Accept": "application/json", "User-Agent": "socmon", **headers}
    if data is not None:
        given["Content-Type"] = "application/json"
    request = Request(url, data=data, headers=given)  # noqa: S310 - an operator wrote the address
    # To read the machine's authorities takes longer than most questions on loopback: only for who needs them.
    secure = url.lower().startswith("https:")
    opener = build_opener(*([HTTPSHandler(context=ssl.create_default_context())] if secure else []))
    try:
        with opener.open(request, timeout=SECONDS) as answer:
            read = answer.read(MOST_BYTES + 1)
    except HTTPError as error:
        error.close()
        raise Declined(error.code) from error
    except (OSError, HTTPException, ValueError) as error:
        raise ToolSilent(f"no answer ({type(error).__name__})") from error
    if len(read) > MOST_BYTES:
        raise ToolSilent(f"its answer is over {MOST_BYTES} bytes")
    try:
        return answered(read)
    except (ValueError, RecursionError) as error:
        raise ToolSilent("its answer is no JSON") from error
