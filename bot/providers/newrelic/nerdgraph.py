"""How NerdGraph is asked, page by page, with what to mend when it does not answer.

https://docs.newrelic.com/docs/apis/nerdgraph/get-started/introduction-new-relic-nerdgraph/
The queries ask for fields that github.com/newrelic/newrelic-client-go reads, or that its recorded answers hold.
"""

import time
from collections.abc import Mapping
from typing import Any

from bot.domain.errors import ToolSilent
from bot.providers.asking import Declined, ask
from bot.providers.contract import text
from bot.providers.newrelic.settings import NewRelicSettings

MOST_PAGES = 600
PAUSES = (
    1.0,
    4.0,
    15.0,
)  # seconds; a user may have 25 questions at once, and NerdGraph does not say how long to wait
UNAUTHORIZED, FORBIDDEN, TOO_MANY, SERVER_ERROR = 401, 403, 429, 500

Data = Mapping[str, Any]


class Visit:
    """Questions that belong together: how many requests they took, and what was not answered (`reasons`)."""

    def __init__(self, settings: NewRelicSettings) -> None:
        self._settings = settings
        self.calls = 0
        self.reasons: list[str] = []

    def ask(self, about: str, needed: str, query: str, path: str, **variables: Any) -> Any:
        """What lies at `path` (names with dots) under `actor`; raises ToolSilent, which names what is `needed`.

        `$account` is the account of the settings.
        """
        given = {"account": self._settings.account, **variables}
        declared = {name: value for name, value in given.items() if f"${name}" in query}
        try:
            answer = self._post({"query": query, "variables": declared})
        except ToolSilent as error:
            raise ToolSilent(f"New Relic did not say {about}: {_why(error, needed)}") from error
        found: Any = answer
        for name in ("data", "actor", *path.split(".")):
            found = found.get(name) if isinstance(found, dict) else None
        errors = answer.get("errors") if isinstance(answer, dict) else None
        if errors or found is None:
            first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
            said = text(first.get("message"), 200) or "an answer that cannot be read"
            raise ToolSilent(
                f"New Relic did not say {about}: NerdGraph answered “{said}”. The user of NEW_RELIC_API_KEY needs"
                f" {needed}."
            )
        return found

    def tell(self, about: str, needed: str, mutation: str, **variables: Any) -> Any:
        """What a mutation gave, under `data`; raises ToolSilent, which names what is `needed`."""
        try:
            answer = self._post({"query": mutation, "variables": variables})
        except ToolSilent as error:
            raise ToolSilent(f"New Relic did not give {about}: {_why(error, needed)}") from error
        errors = answer.get("errors") if isinstance(answer, dict) else None
        if errors or not isinstance(answer, dict):
            first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
            said = text(first.get("message"), 200) or "an answer that cannot be read"
            raise ToolSilent(
                f"New Relic did not give {about}: NerdGraph answered “{said}”. The user of NEW_RELIC_API_KEY needs"
                f" {needed}."
            )
        return answer.get("data")

    def every(
        self, about: str, needed: str, query: str, path: str, rows: str, **variables: Any
    ) -> tuple[list[Data], bool]:
        """All `rows` of all pages at `path`, and whether these are all; if not, the reason is noted."""
        found: list[Data] = []
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            try:
                page = self.ask(about, needed, query, path, cursor=cursor, **variables)
            except ToolSilent as error:
                self.note(f"{error}{f' {len(found):,} were read before that.' if found else ''}")
                return found, False
            given: Any = page.get(rows) if isinstance(page, dict) else None
            readable = isinstance(given, list) and all(isinstance(row, dict) for row in given)
            if not readable or page.get("error") or page.get("errors"):
                self.note(f"New Relic did not say {about}: its answer cannot be read. It is asked again.")
                return found, False
            found += given
            if not (following := page.get("nextCursor")):
                return found, True
            if following == cursor:
                break
            cursor = following
        self.note(
            f"New Relic did not say all of {about}: {len(found):,} were read, and no more were asked for."
        )
        return found, False

    def note(self, reason: str) -> None:
        if reason not in self.reasons:
            self.reasons.append(reason)

    @property
    def reason(self) -> str:
        return " ".join(self.reasons)

    def _post(self, body: Data) -> Any:
        for pause in (*PAUSES, None):
            self.calls += 1
            try:
                return ask(self._settings.api_url, headers={"API-Key": self._settings.api_key}, body=body)
            except Declined as error:
                again = error.status == TOO_MANY or error.status >= SERVER_ERROR
                if pause is None or not again:
                    raise
                time.sleep(pause)
        raise AssertionError  # the last round returns or raises


def _why(error: ToolSilent, needed: str) -> str:
    status = error.status if isinstance(error, Declined) else 0
    if status == UNAUTHORIZED:
        return f"{error}. Correct NEW_RELIC_API_KEY (a user key) or NEW_RELIC_REGION."
    if status == FORBIDDEN:
        return f"{error}. The user of NEW_RELIC_API_KEY needs {needed}."
    return f"{error}. It is asked again at the next collection."
