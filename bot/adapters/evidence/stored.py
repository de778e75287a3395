"""The log as it is stored, and the records beside it: what a reader hands to the verifier, page by page.

A page is what one short read saw at one moment. That is why a server that goes on writing meanwhile is no fault.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from bot.domain.alert import Alert


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEntry:
    """An entry's row: the exact bytes, their hash, and columns that repeat what the bytes say. `at` in milliseconds."""

    seq: int
    leaf: bytes
    hash: bytes
    alert_id: int | None
    at: int
    type: str
    by: str


StoredText: TypeAlias = tuple[int, str, bytes | None, str | None]
"""(seq, path, salt, text); no text at the paths that lie elsewhere in the records."""
StoredNote: TypeAlias = tuple[int, bytes]
"""(size, the signed note)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDelivery:
    """A delivery's row; `received_at` in milliseconds. The body is empty once it was forgotten."""

    provider: str
    received_at: int
    verified_by: str
    result: str
    gap: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredHead:
    """Where the log ends, as the writer goes on from it.

    `signed` is up to where the signer signed, `newest` the size of the newest checkpoint that is stored; `strays` are
    deliveries with a number that the writer never gave.
    """

    log: str
    size: int
    last_hash: bytes
    frontier: bytes
    alerts: int
    deliveries: int
    signed: int
    newest: int
    strays: Sequence[int] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage:
    """A stretch of the log, with every text and checkpoint up to its end. The last page has the head."""

    entries: Sequence[StoredEntry]
    texts: Sequence[StoredText]
    notes: Sequence[StoredNote]
    head: StoredHead | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPage:
    """Entries in order of alert and seq, their texts, and the alerts of which this page has the last entry.

    An alert is (number, the alert); None when its row cannot be read as one.
    """

    entries: Sequence[StoredEntry]
    texts: Sequence[StoredText]
    alerts: Sequence[tuple[int, Alert | None]]


class StoredLog(Protocol):
    """A log to check."""

    def pages(self) -> Iterator[LogPage]:
        """All of it, in order of seq and without bounds: what lies before its beginning or past its end comes too."""
        ...

    def delivery(self, number: int) -> StoredDelivery | None:
        """Asked for in rising order."""
        ...

    def alerts(self) -> Iterator[AlertPage]:
        """All alerts, in order of number."""
        ...
