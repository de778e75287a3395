"""PagerDuty's REST API, asked with patience that ends: bounded retries, a time-out for each call, TLS and nothing else.

Limits and paging: https://developer.pagerduty.com/docs/rest-api-rate-limits and …/docs/pagination
"""

import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from bot.domain.errors import SocmonError
from bot.providers.pagerduty.settings import PagerDutySettings

if TYPE_CHECKING:
    from pagerduty import RestApiV2Client

SECONDS = 10
RETRIES = {429: 5, 500: 3, 502: 3, 503: 3, 504: 3}
PAGE = 100
MOST_ITEMS = 10_000  # PagerDuty refuses a larger offset

Data = Mapping[str, Any]
Params = Mapping[str, Any]


class NoAnswer(SocmonError):
    """PagerDuty did not answer, or not in a way that can be understood."""


class SaysNo(SocmonError):
    """PagerDuty refuses the call."""

    def __init__(self, status: int, what: str) -> None:
        super().__init__(f"PagerDuty answers {what} with {status}. {_ADVICE.get(status, _OTHERWISE)}")
        self.status = status


_ADVICE = {
    401: "The key in PAGERDUTY_API_KEY is wrong or was revoked: make a new one.",
    402: "The account's plan does not include this.",
    403: "The key in PAGERDUTY_API_KEY may not do this: give it the scopes that docs/providers/pagerduty.md lists.",
    404: "It does not exist there.",
    429: "Too many calls; socmon tries again later.",
}
_OTHERWISE = "socmon tries again later."


def open_client(settings: PagerDutySettings) -> "RestApiV2Client":
    """To be closed by the caller. OpenSSL honours SSL_CERT_FILE, the HTTP library HTTPS_PROXY."""
    from pagerduty import RestApiV2Client  # noqa: PLC0415 - only when it is needed

    client = RestApiV2Client(
        settings.key,
        base_url=settings.api_url.rstrip("/") or None,
        # Made here, since the library's own one is made without SSL_CERT_FILE.
        verify=ssl.create_default_context(),
    )
    client.headers["Content-Type"] = "application/json"  # the specification wants it even without a body
    client.retry = dict(RETRIES)  # the library alone asks for ever after a 429
    client.timeout = SECONDS
    return client


class PagerDutyApi:
    """A conversation with PagerDuty. `calls` counts the requests; use it as a context manager, in a worker thread."""

    def __init__(self, settings: PagerDutySettings, *, pause: float = 1.5) -> None:
        self._client = open_client(settings)
        self._client.sleep_timer = pause
        self.calls = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str, params: Params | None = None) -> Data:
        """Raises NoAnswer and SaysNo."""
        return self._ask("GET", path, params=dict(params or {}))

    def get_all(self, path: str, name: str, params: Params) -> tuple[list[Data], bool]:
        """(all items of every page, whether those are all there are). Raises NoAnswer and SaysNo."""
        found: list[Data] = []
        while len(found) + PAGE <= MOST_ITEMS:
            page = self.get(path, {**params, "limit": PAGE, "offset": len(found)})
            items = page.get(name)
            if not isinstance(items, list):
                raise NoAnswer(f"PagerDuty's answer to GET {path} has no {name}. socmon tries again later.")
            found += [item for item in items if isinstance(item, dict)]
            if page.get("more") is not True or not items:
                return found, True
        return found, False

    def _ask(self, method: str, path: str, **given: Any) -> Data:
        from pagerduty import Error, HttpError  # noqa: PLC0415 - only when it is needed

        what = f"{method} {path}"
        self.calls += 1
        try:
            response = self._client.request(method, path, **given)
        except HttpError as error:
            raise SaysNo(error.response.status_code if error.response else 0, what) from error
        except (Error, OSError, ValueError) as error:
            raise NoAnswer(f"PagerDuty did not answer {what}. socmon tries again later.") from error
        if not response.is_success:
            raise SaysNo(response.status_code, what)
        try:
            body = response.json()
        except ValueError as error:
            raise NoAnswer(f"PagerDuty's answer to {what} is no JSON. socmon tries again later.") from error
        if not isinstance(body, dict):
            raise NoAnswer(f"PagerDuty's answer to {what} is no object. socmon tries again later.")
        return body
