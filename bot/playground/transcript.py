"""What went over the wire: the newest requests, and counters that forget nothing."""

from collections import Counter, deque
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

MOST_KEPT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One request. `way` is "in" for the bot's calls to Slack and "out" for what Slack sends the bot."""

    number: int
    at: datetime
    way: str
    method: str
    status: int
    error: str
    milliseconds: int
    about: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"at": self.at.isoformat(timespec="milliseconds")}


class Transcript:
    """The request log. Bodies and tokens are never kept."""

    def __init__(self) -> None:
        self.entries: deque[Entry] = deque(maxlen=MOST_KEPT)
        self._counters: dict[str, Counter[str]] = {"in": Counter(), "out": Counter()}
        self._number = 0

    def clear(self) -> None:
        self.entries.clear()
        for counter in self._counters.values():
            counter.clear()

    def add(
        self,
        way: str,
        method: str,
        *,
        at: datetime,
        until: datetime,
        status: int = 200,
        error: str = "",
        about: str = "",
    ) -> Entry:
        """Note one request; `about` says what it was for ("C0ALERTS")."""
        self._number += 1
        took = max(0, round((until - at).total_seconds() * 1000))
        entry = Entry(
            number=self._number,
            at=at,
            way=way,
            method=method,
            status=status,
            error=error,
            milliseconds=took,
            about=about,
        )
        self.entries.append(entry)
        outcome = error or ("ok" if status < 400 else str(status))
        self._counters[way][f"{method} {outcome}"] += 1
        return entry

    def counters(self, way: str = "in") -> dict[str, dict[str, int]]:
        """Method → outcome ("ok", an error, an HTTP status) → number of requests."""
        table: dict[str, dict[str, int]] = {}
        for key, number in self._counters[way].items():
            method, outcome = key.split(" ", 1)
            table.setdefault(method, {})[outcome] = number
        return table
