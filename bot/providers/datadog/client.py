"""How Datadog is asked: through its own client, which says what to mend when it gets no answer.

Answers are read as plain JSON: a model object a value would take most of the time of a large fleet.
"""

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from datadog_api_client import ApiClient, Configuration
from datadog_api_client.exceptions import OpenApiException
from datadog_api_client.rest import ClientRetry
from urllib3.exceptions import HTTPError

from bot.domain.errors import ToolRefused, ToolSilent
from bot.providers.asking import Questions
from bot.providers.contract import answered, text
from bot.providers.datadog.settings import DatadogSettings

SECONDS = 20
MOST_PAGES = 200
LONGEST_WAIT = 60
BACKOFF = 2
NOT_FOUND = 404
FORBIDDEN = 403
REFUSALS = {400, 401, 404}

Data = Mapping[str, Any]


def configuration(settings: DatadogSettings) -> Any:
    """The client's configuration, with patience for rate limits."""
    made: Any = Configuration(  # type: ignore[no-untyped-call]
        host=settings.api_url or None,
        api_key={"apiKeyAuth": settings.api_key, "appKeyAuth": settings.app_key},
        ssl_ca_cert=settings.ca_file or None,
        request_timeout=SECONDS,
        retry_policy=_Patience(total=3, backoff_factor=BACKOFF, raise_on_status=False),
    )
    made.proxy = settings.proxy or None
    if settings.site and not settings.api_url:
        made.server_variables["site"] = settings.site
    return made


class _Patience(ClientRetry):
    """Waits as long as Datadog asks for, but not for the hour that some of its limits last."""

    def get_retry_after(self, response: Any) -> float | None:
        asked = super().get_retry_after(response)  # type: ignore[no-untyped-call]
        return None if asked is None else min(asked, LONGEST_WAIT)


class Visit(Questions):
    """Asks by the client library."""

    def __init__(self, settings: DatadogSettings) -> None:
        super().__init__()
        made = configuration(settings)
        made.preload_content = False
        self.client = ApiClient(made)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.close()

    def ask(self, about: str, permission: str, method: Callable[..., Any], **arguments: Any) -> Any:
        """The answer's JSON; None when there is no such thing. Raises ToolSilent, which names the permission."""
        self.calls += 1
        try:
            return answered(method(**arguments).read())
        except (OpenApiException, HTTPError, OSError, ValueError) as error:
            status = getattr(error, "status", None)
            if status == NOT_FOUND:
                return None
            raise ToolSilent(f"Datadog did not say {about}: {_why(error, status, permission)}") from error

    def act(self, deed: str, mend: str, method: Callable[..., Any], **arguments: Any) -> Any:
        """The answer's JSON, once it is done. Raises ToolRefused, or ToolSilent; `mend` is what helps against a 403."""
        self.calls += 1
        try:
            return answered(method(**arguments).read())
        except (OpenApiException, HTTPError, OSError, ValueError) as error:
            status = getattr(error, "status", None)
            if status == FORBIDDEN:
                raise ToolRefused(f"Datadog did not {deed}: it refused (403). {mend}") from error
            kind = ToolRefused if status in REFUSALS else ToolSilent
            raise kind(f"Datadog did not {deed}: {_why(error, status, '')}") from error

    def every(
        self,
        about: str,
        page: Callable[[int], Any],
        *,
        size: int,
    ) -> tuple[list[Data], bool]:
        """All rows of pages 0, 1, … of `size` rows each, and whether these are all; if not, the reason is noted.

        `page` asks for one page with `ask` and returns its rows.
        """
        found: list[Data] = []
        for number in range(MOST_PAGES):
            try:
                rows = page(number)
            except ToolSilent as error:
                self.note(f"{error}{f' {len(found):,} were read before that.' if found else ''}")
                return found, False
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                self.note(
                    f"Datadog did not say {about}: its answer cannot be read. Check SOCMON_DATADOG_URL."
                )
                return found, False
            if rows and rows[0] in found:
                self.note(f"Datadog did not say all of {about}: it gave one page twice. It is asked again.")
                return found, False
            found += rows
            if len(rows) < size:
                return found, True
        self.note(
            f"Datadog did not say all of {about}: {len(found):,} were read, and no more were asked for."
        )
        return found, False


def _why(error: Exception, status: int | None, permission: str) -> str:
    match status:
        case 401:
            return "it does not know the keys (401). Correct DD_API_KEY, DD_APP_KEY or DD_SITE."
        case 403:
            needed = f"the permission {permission}" if permission else "access to this"
            return f"it refused (403). Give the application key and its owner {needed}."
        case 429:
            return "it was asked too often (429). socmon asks again at the next collection."
        case None | 0:
            return f"no answer ({type(error).__name__}). Check the network and DD_SITE."
        case _:
            return (
                f"it answered {status} {text(getattr(error, 'reason', ''), 80)}".rstrip()
                + ". It is asked again."
            )
