"""Moves SQLite's write-ahead log into the database file beside the writer, so that no batch of alerts waits for it.

Left to the writer, each such move holds one batch up for as long as the disk takes to sync some megabytes. Should this
thread fall behind, the writer does it after all (`wal_autocheckpoint` in `bot.adapters.database.engine`). Since both
wait for the same disk, little is left where it is: then a single alert on a quiet day has the disk for itself.
"""

import logging
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from bot.adapters.database.engine import BUSY_MS, describe, sqlite_module

log = logging.getLogger(__name__)

EVERY_SECONDS = 0.5
FEWEST_PAGES = 1000  # 4 MB, as SQLite's own default
CLOSE_SECONDS = 1.0


def checkpointer_for(engine: Engine) -> "Checkpointer | None":
    """One that runs, where there is a write-ahead log to move."""
    if engine.dialect.name != "sqlite" or describe(engine)["journal_mode"] != "wal":
        return None
    return Checkpointer(Path(str(engine.url.database)))


class Checkpointer:
    """A thread with a connection of its own, for a database in WAL mode."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="records-checkpointer", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ending.set()
        self._thread.join(CLOSE_SECONDS)  # a disk that hangs is not waited for

    def _run(self) -> None:
        connection: Any = sqlite_module.connect(self._database, timeout=BUSY_MS / 1000, isolation_level=None)
        with closing(connection):
            connection.execute("PRAGMA synchronous=FULL")
            while not self._ending.wait(EVERY_SECONDS):
                try:
                    # NOOP only tells the pages; before SQLite 3.51 it is taken for PASSIVE, which is safe too.
                    _, pages, moved = connection.execute("PRAGMA wal_checkpoint(NOOP)").fetchone()
                    if pages - moved >= FEWEST_PAGES:
                        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
                except sqlite_module.Error as error:
                    log.warning("the write-ahead log could not be moved (%s); trying again", error)
