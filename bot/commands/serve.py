"""`socmon serve`: one uvicorn process around a built socmon."""

import asyncio
import gc
import logging
import os
import threading
from collections.abc import Callable
from typing import Any

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bot.app import Socmon
from bot.logs import set_up_logging
from bot.settings import Settings

log = logging.getLogger(__name__)

HEAD_SECONDS = 30
LARGEST_HEAD = 64 * 1024
MOST_CONNECTIONS = 512  # half of the 1024 open files that a process usually may have
DRAIN_SECONDS = 3
STOP_SECONDS = 9.5


def serve(settings: Settings, *, host: str, port: int) -> int:
    """Serve until SIGTERM or SIGINT; then stop within ten seconds."""
    set_up_logging()
    os.umask(0o077)  # what it writes is for nobody else on this machine
    socmon = Socmon(settings=settings)
    if not settings.slack.connected:
        log.warning(
            "SLACK_BOT_TOKEN is not set: alerts are recorded, but nobody sees them. `socmon doctor` helps."
        )
    return run_server(socmon.asgi(), socmon, host=host, port=port)


def run_server(
    app: Starlette, socmon: Socmon, *, host: str, port: int, leaving: Callable[[], None] = lambda: None
) -> int:
    """Returns the exit code. `leaving` is called as soon as the process is asked to stop, before requests drain."""
    calm_garbage_collector()
    server = _Server(server_config(app, host=host, port=port), socmon, leaving)
    server.run()
    return 0 if server.started else 1


def server_config(app: Any, *, host: str, port: int) -> uvicorn.Config:
    """How uvicorn serves `app` to anybody who reaches the port."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=Connection,
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,  # nobody here asks who the other end of a connection is
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        timeout_keep_alive=HEAD_SECONDS,
        backlog=2048,
    )


def calm_garbage_collector() -> None:
    """Keep it from walking over all that the imports made: each full walk holds everybody up for some 50 ms."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


class Connection(HttpToolsProtocol):
    """Closes a connection whose next request does not begin in time, or begins with more than anybody needs to say.

    uvicorn limits neither the time nor the size of a request's head, so strangers could hold all connections for ever.
    """

    _head: int | None = 0  # how much of it has come; None while a body comes

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._watching.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._head is not None:
            self._head += len(data)
        super().data_received(data)
        if self._head is not None and self._head > LARGEST_HEAD:
            self.transport.close()

    def on_headers_complete(self) -> None:
        self._head = None
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._head = 0
        super().on_message_complete()

    def _watch(self) -> None:
        self._watching = self.loop.call_later(HEAD_SECONDS, self._look, self.cycle)

    def _look(self, before: Any) -> None:
        now: Any = self.cycle  # the latest request; None before the first one
        if now is before and (now is None or now.response_complete):
            self.transport.close()
        else:
            self._watch()


class _Server(uvicorn.Server):
    """Tells socmon as soon as it is asked to stop, so that readyz says so while requests drain."""

    def __init__(self, config: uvicorn.Config, socmon: Socmon, leaving: Callable[[], None]) -> None:
        super().__init__(config)
        self._socmon, self._leaving = socmon, leaving

    def handle_exit(self, sig: int, frame: object) -> None:
        self._socmon.draining = True
        last_resort = threading.Timer(STOP_SECONDS, _end_now)
        last_resort.daemon = True
        last_resort.start()
        self._leaving()
        super().handle_exit(sig, frame)  # type: ignore[arg-type]


def _end_now() -> None:
    """Some thread hangs in a disk, a database or a vendor's library, and Python would wait for it."""
    log.error("socmon did not stop within %s s, so it ends now. What was answered is recorded.", STOP_SECONDS)
    os._exit(1)
