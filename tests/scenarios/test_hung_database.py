"""PostgreSQL hangs on a machine that answers: everybody is told, and the process can be stopped."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.postgres import NoPostgres, Server, frozen, running_server
from tests.processes import Bot, running_slack

ALERT = {"status": "triggered", "title": "CPU high"}


@pytest.mark.nightly
@pytest.mark.postgres
def test_a_database_that_hangs_hangs_nothing_else(tmp_path: Path) -> None:
    """A sender is asked to send again, readyz says no, healthz yes, and SIGTERM ends socmon within ten seconds."""
    try:
        with running_server() as server:
            _live_through_it(server, tmp_path)
    except NoPostgres as error:
        pytest.skip(str(error))


def _live_through_it(server: Server, folder: Path) -> None:
    with running_slack() as slack, ThreadPoolExecutor() as pool:
        bot = Bot(folder, slack, database_url=f"{server.url}postgres")
        bot.start()
        try:
            assert bot.post({"dedup_key": "before", **ALERT})[0] == 202
            with frozen(server.processes()):
                posted = pool.submit(bot.post, {"dedup_key": "during", **ALERT})
                ready = pool.submit(_status, f"{bot.url}/readyz")
                alive = _status(f"{bot.url}/healthz")
                assert (posted.result()[0], ready.result(), alive) == (503, 503, 200)

                started = time.monotonic()
                bot.stop()
                assert time.monotonic() - started < 10
        finally:
            bot.stop()


def _status(url: str) -> int:
    try:
        with urlopen(url, timeout=15) as answer:
            found: int = answer.status
    except HTTPError as error:
        return error.code
    return found
