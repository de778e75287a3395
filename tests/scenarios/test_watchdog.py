"""Somebody outside watches socmon: it says that it started and that it is well, and a killed one says nothing."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.processes import Bot, running_slack, wait_until

SECRET = "5cc3ee91-the-secret"


@contextmanager
def outside() -> Iterator[tuple[str, list[str]]]:
    """(address, what was asked for)."""
    heard: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/{SECRET}", heard
        server.shutdown()


@pytest.mark.nightly
def test_a_killed_socmon_pings_no_more(tmp_path: Path) -> None:
    with outside() as (url, heard), running_slack() as slack:
        bot = Bot(tmp_path, slack)
        bot.environ |= {"SOCMON_PING_URL": url, "NO_PROXY": "127.0.0.1"}
        bot.start()
        try:
            wait_until(lambda: heard == [f"/{SECRET}/start"], what="it says that it started")
            wait_until(lambda: heard[1:2] == [f"/{SECRET}"], what="it says that it is well", seconds=90)
        finally:
            bot.kill()
        number = len(heard)
        time.sleep(65)  # it was due each minute

        assert len(heard) == number
        assert SECRET not in (tmp_path / "bot.log").read_text()
