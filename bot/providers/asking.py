"""A plain JSON question to a tool's API, for those without a client library. Synchronous: ask it in a worker thread."""

import json
import ssl
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from http.client import HTTPException
from typing import Any, TypeVar
from urllib.error import HTTPError
from urllib.request import HTTPSHandler, Request, build_opener

from bot.domain.errors import ToolSilent
from bot.providers.contract import Pulled, answered

Item = TypeVar("Item")

SECONDS = 10
MOST_BYTES = 32 * 1024 * 1024
UNAUTHORIZED, FORBIDDEN, TOO_MANY, SERVER_ERROR = 401, 403, 429, 500


class Declined(ToolSilent):
    """The tool answered with an HTTP status that is an error."""

    def __init__(self, status: int) -> None:
        super().__init__(f"it answered {status}")
        self.status = status

    @property
    def may_pass(self) -> bool:
        return self.status == TOO_MANY or self.status >= SERVER_ERROR


class Questions:
    """Those that belong together: how many requests they took (`calls`), and what was not answered (`reasons`)."""

    def __init__(self) -> None:
        self.calls = 0
        self.reasons: list[str] = []

    def note(self, reason: str) -> None:
        if reason not in self.reasons:
            self.reasons.append(reason)

    @property
    def reason(self) -> str:
        return " ".join(self.reasons)

    def answer(self, items: Iterable[Item], at: datetime, *, complete: bool = True) -> Pulled[Item]:
        """What they came to: whole when it is `complete` as far as it goes, and nothing was left unanswered."""
        return Pulled(
            items=tuple(items),
            complete=complete and not self.reasons,
            as_of=at,
            calls=max(self.calls, 1),
            reason=self.reason,
        )

    def patiently(self, once: Callable[[], Any], pauses: Sequence[float]) -> Any:
        """The answer. While the tool is busy or at fault it is asked again after each of the pauses, in seconds.

        Raises what `once` raised last.
        """
        for pause in (*pauses, None):
            self.calls += 1
            try:
                return once()
            except Declined as error:
                if pause is None or not error.may_pass:
                    raise
                time.sleep(pause)
        raise AssertionError  # the last round returns or raises


def ask(url: str, *, headers: Mapping[str, str], body: Any = None) -> Any:
    """The JSON of the answer; raises ToolSilent (Declined for an error's status). Posts `body` where there is one.

    HTTPS_PROXY and SSL_CERT_FILE count.
    """
    read = _answer(url, headers, body)
    try:
        return answered(read)
    except (ValueError, RecursionError) as error:
        raise ToolSilent("its answer is no JSON") from error


def tell(url: str, *, headers: Mapping[str, str], body: Any) -> None:
    """Post `body`, whatever the answer says beside that it was taken; raises as `ask`."""
    _answer(url, headers, body)


def _answer(url: str, headers: Mapping[str, str], body: Any) -> bytes:
    data = None if body is None else json.dumps(body).encode()
    given = {"Accept": "application/json", "User-Agent": "socmon", **headers}
    if data is not None:
        given["Content-Type"] = "application/json"
    request = Request(url, data=data, headers=given)  # noqa: S310 - an operator wrote the address
    try:
        with opener(url).open(request, timeout=SECONDS) as answer:
            read: bytes = answer.read(MOST_BYTES + 1)
    except HTTPError as error:
        error.close()
        raise Declined(error.code) from error
    except (OSError, HTTPException, ValueError) as error:
        raise ToolSilent(f"no answer ({type(error).__name__})") from error
    if len(read) > MOST_BYTES:
        raise ToolSilent(f"its answer is over {MOST_BYTES} bytes")
    return read


def opener(url: str) -> Any:
    # To read the machine's authorities takes longer than most questions on loopback: only for who needs them.
    secure = url.lower().startswith("https:")
    return build_opener(*([HTTPSHandler(context=ssl.create_default_context())] if secure else []))
