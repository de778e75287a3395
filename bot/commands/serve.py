"""`socmon serve`: one uvicorn process around a built socmon."""

import gc
import logging
import os
import threading
from collections.abc import Callable

import uvicorn
from starlette.applications import Starlette

from bot.app import Socmon
from bot.logs import set_up_logging
from bot.settings import Settings

log = logging.getLogger(__name__)

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
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        timeout_keep_alive=30,
        backlog=2048,
        h11_max_incomplete_event_size=64 * 1024,
    )
    calm_garbage_collector()
    server = _Server(config, socmon, leaving)
    server.run()
    return 0 if server.started else 1


def calm_garbage_collector() -> None:
    """Keep it from walking over all that the imports made: each full walk holds everybody up for some 50 ms."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


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
