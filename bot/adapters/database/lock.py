"""SQLite is for one process: a second one on the same file is refused at start."""

import fcntl
import os
from pathlib import Path

from bot.domain.errors import WrongSettings


class SingleProcess:
    """Holds `<database>.lock` until released; the operating system lets go of it when the process dies."""

    def __init__(self, database: Path | None) -> None:
        self._file: int | None = None
        if database is None:
            return
        database = database.resolve()  # another way to the same file is no way around the lock
        database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = database.with_name(f"{database.name}.lock")
        self._file = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._file)
            raise WrongSettings(
                f"Another socmon already serves {database}. SQLite is for one process: stop the other one, give this"
                " one its own SOCMON_DATA_DIR, or move to PostgreSQL with SOCMON_DATABASE_URL."
            ) from error

    def release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
