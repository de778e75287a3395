"""The tests' own PostgreSQL."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.postgres import running_server

ROOT = Path(__file__).parents[1]
SECONDS = 20

# The fixture skips where there is no PostgreSQL.
pytestmark = [pytest.mark.postgres, pytest.mark.usefixtures("postgres_server")]

USE_THE_SERVER = """
import pathlib, sys, time
from tests.postgres import shared_server
with shared_server(pathlib.Path(sys.argv[1])) as url:
    print(url, flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("_time", [1, 2])
def test_each_test_gets_an_empty_database(_time: int, postgres_url: str) -> None:
    """A database of its own, with nothing of another test in it."""
    tables = _execute(postgres_url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
    _execute(postgres_url, "CREATE TABLE mine AS SELECT 1")

    assert tables == 0


def test_a_server_of_ones_own_survives_a_crash() -> None:
    """What was committed before an immediate stop is there after the next start."""
    with running_server(fsync=True) as server:
        database = f"{server.url}postgres"
        _execute(database, "CREATE TABLE kept AS SELECT 42 AS answer")

        server.stop("immediate")
        server.start()

        assert _execute(database, "SELECT answer FROM kept") == 42
        assert _execute(database, "SHOW fsync") == "on"


def test_a_server_that_its_test_has_stopped_is_cleaned_up_too() -> None:
    """A test may leave its server stopped."""
    with running_server() as server:
        server.stop("immediate")

    assert not server.data.exists()


def test_the_shared_server_goes_with_its_last_user(
    tmp_path: Path, users: list["subprocess.Popen[str]"]
) -> None:
    """All test processes get the same server, and even ones that are killed leave none behind."""
    first, second = users
    url = _said(first)
    same = _said(second)

    _kill(first)
    with_one_left = _answers(url)
    _kill(second)

    assert same == url
    assert with_one_left
    assert _becomes_quiet(url)
    assert not (tmp_path / "address").exists()


@pytest.fixture
def users(tmp_path: Path) -> Iterator[list["subprocess.Popen[str]"]]:
    """Two processes that use one shared server."""
    with _user(tmp_path) as first, _user(tmp_path) as second:
        yield [first, second]
        _kill(first)
        _kill(second)


def _user(folder: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", USE_THE_SERVER, str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def _said(user: "subprocess.Popen[str]") -> str:
    assert user.stdout
    return user.stdout.readline().strip()


def _kill(user: "subprocess.Popen[str]") -> None:
    user.kill()
    user.wait()


def _becomes_quiet(url: str) -> bool:
    deadline = time.monotonic() + SECONDS
    while _answers(url):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _answers(url: str) -> bool:
    try:
        _execute(f"{url}postgres", "SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


def _execute(url: str, statement: str) -> object:
    with psycopg.connect(url.replace("+psycopg", ""), connect_timeout=5) as connection:
        cursor = connection.execute(statement.encode())
        row = cursor.fetchone() if cursor.description else None
    return row[0] if row else None
