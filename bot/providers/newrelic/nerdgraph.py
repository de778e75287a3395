"""How NerdGraph is asked, page by page, with what to mend when it does not answer.

https://docs.newrelic.com/docs/apis/nerdgraph/get-started/introduction-new-relic-nerdgraph/
The queries ask for fields that github.com/newrelic/newrelic-client-go reads, or that its recorded answers hold.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.domain.errors import ToolRefused, ToolSilent
from bot.providers.asking import FORBIDDEN, UNAUTHORIZED, Declined, Questions, ask
from bot.providers.contract import text
from bot.providers.newrelic.settings import NewRelicSettings

MOST_PAGES = 600
PAUSES = (
    1.0,
    4.0,
    15.0,
)  # seconds; a user may have 25 questions at once, and NerdGraph does not say how long to wait

Data = Mapping[str, Any]


class Visit(Questions):
    """Asks NerdGraph."""

    def __init__(self, settings: NewRelicSettings) -> None:
        super().__init__()
        self._settings = settings

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
        found, said = _found(answer, ("actor", *path.split(".")))
        if said:
            raise ToolSilent(
                f"New Relic did not say {about}: NerdGraph answered “{said}”. The user of NEW_RELIC_API_KEY needs"
                f" {needed}."
            )
        return found

    def tell(self, about: str, needed: str, mutation: str, **variables: Any) -> Any:
        """The `data` that a mutation gave; raises ToolSilent, which names what is `needed`."""
        try:
            answer = self._post({"query": mutation, "variables": variables})
        except ToolSilent as error:
            raise ToolSilent(f"New Relic did not give {about}: {_why(error, needed)}") from error
        found, said = _found(answer, ())
        if said:
            raise ToolSilent(
                f"New Relic did not give {about}: NerdGraph answered “{said}”. The user of NEW_RELIC_API_KEY needs"
                f" {needed}."
            )
        return found

    def act(self, deed: str, needed: str, mutation: str, name: str, **variables: Any) -> Any:
        """The answer of the mutation with this name, asked for once. Raises ToolRefused and ToolSilent."""
        given = {"account": self._settings.account, **variables}
        self.calls += 1
        try:
            answer = self._ask({"query": mutation, "variables": given})
        except ToolSilent as error:
            status = error.status if isinstance(error, Declined) else 0
            kind = ToolRefused if status in {UNAUTHORIZED, FORBIDDEN} else ToolSilent
            raise kind(f"New Relic did not {deed}: {_why(error, needed)}") from error
        found, said = _found(answer, (name,))
        if said:
            raise ToolRefused(
                f"New Relic did not {deed}: NerdGraph answered “{said}”. The user of NEW_RELIC_API_KEY needs {needed}."
            )
        return found

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

    def _post(self, body: Data) -> Any:
        return self.patiently(lambda: self._ask(body), PAUSES)

    def _ask(self, body: Data) -> Any:
        return ask(self._settings.api_url, headers={"API-Key": self._settings.api_key}, body=body)


def _found(answer: Any, path: Sequence[str]) -> tuple[Any, str]:
    """(what lies there in the answer's data, what NerdGraph said is wrong)."""
    found: Any = answer
    for name in ("data", *path):
        found = found.get(name) if isinstance(found, dict) else None
    errors = answer.get("errors") if isinstance(answer, dict) else None
    if not errors and found is not None:
        return found, ""
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    return None, text(first.get("message"), 200) or "an answer that cannot be read"


def _why(error: ToolSilent, needed: str) -> str:
    status = error.status if isinstance(error, Declined) else 0
    if status == UNAUTHORIZED:
        return f"{error}. Correct NEW_RELIC_API_KEY (a user key) or NEW_RELIC_REGION."
    if status == FORBIDDEN:
        return f"{error}. The user of NEW_RELIC_API_KEY needs {needed}."
    return f"{error}. It is asked again at the next collection."
