"""With PostgreSQL, replicas wake each other by NOTIFY; the projector's poll is the safety net. SQLite needs none."""

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any

from bot.adapters.database.engine import NETWORK

log = logging.getLogger(__name__)

CHANNEL = "socmon"
CHECK_SECONDS = 1.0


class Wakeup:
    """Listens in a thread and calls `wake` on the event loop it was started on."""

    def __init__(self, url: str, wake: Callable[[], None]) -> None:
        self._url, self._wake = url, wake
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        if not self._url.startswith("postgresql"):
            return
        loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._listen, args=(loop,), name="records-wakeup", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ending.set()
        if self._thread:
            self._thread.join(2 * CHECK_SECONDS)  # it may wait for a server that hangs

    def _listen(self, loop: asyncio.AbstractEventLoop) -> None:
        import psycopg  # noqa: PLC0415 - only where PostgreSQL is used

        from bot.adapters.database.patience import ImpatientConnection  # noqa: PLC0415

        address = self._url.replace("postgresql+psycopg://", "postgresql://", 1)
        while not self._ending.is_set():
            try:
                with ImpatientConnection.connect(address, autocommit=True, **NETWORK) as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    self._wait(connection, loop)
            except psycopg.Error as error:
                log.warning("the wake-up connection is lost (%s); polling meanwhile", type(error).__name__)
                self._ending.wait(CHECK_SECONDS)

    def _wait(self, connection: Any, loop: asyncio.AbstractEventLoop) -> None:
        while not self._ending.is_set():
            for _ in connection.notifies(timeout=CHECK_SECONDS, stop_after=1):
                loop.call_soon_threadsafe(self._wake)
