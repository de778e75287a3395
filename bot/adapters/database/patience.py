"""A PostgreSQL that hangs must not hang socmon: no statement waits for ever.

libpq has no such limit. Keep-alives and `tcp_user_timeout` notice a machine that is gone, but not a server that has
stopped on a machine whose kernel goes on acknowledging what nobody reads.
"""

import time
from collections.abc import Generator
from typing import Any

import psycopg

from bot.adapters.database.engine import Patience


class ImpatientConnection(psycopg.Connection[Any]):
    """Closes itself when a statement takes longer than its patience."""

    patience = Patience()

    def wait(self, gen: Any, *args: Any, **kwargs: Any) -> Any:
        return super().wait(self._within_patience(gen), *args, **kwargs)

    def _within_patience(self, gen: Any) -> Generator[Any, Any, Any]:
        """The driver looks in every 100 ms, with nothing ready."""
        began = time.monotonic()
        ready = None
        try:
            while True:
                ready = yield gen.send(ready)
                if not ready and time.monotonic() - began > self.patience.seconds:
                    self.pgconn.finish()
                    raise psycopg.OperationalError("PostgreSQL did not answer in time, so the line was cut")
        except StopIteration as end:
            return end.value
