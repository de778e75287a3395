"""Connections: the journal that cannot lose a commit, really set."""

from pathlib import Path

import pytest

from bot.adapters.database.engine import describe, journal_mode, reading_engine, sqlite_module, writing_engine
from bot.adapters.database.lock import SingleProcess
from bot.domain.errors import WrongSettings

VERSIONS = {
    (3, 40, 1): "truncate",
    (3, 44, 5): "truncate",
    (3, 44, 6): "wal",
    (3, 44, 9): "wal",
    (3, 45, 0): "truncate",
    (3, 50, 6): "truncate",
    (3, 50, 7): "wal",
    (3, 51, 0): "truncate",
    (3, 51, 2): "truncate",
    (3, 51, 3): "wal",
    (3, 53, 0): "wal",
    (4, 0, 0): "wal",
}


@pytest.mark.parametrize(("version", "mode"), VERSIONS.items(), ids=str)
def test_wal_is_used_only_where_it_cannot_lose_a_commit(version: tuple[int, int, int], mode: str) -> None:
    """The WAL-reset bug was fixed in 3.51.3, with back-ports to 3.44.6 and 3.50.7."""
    assert journal_mode(version) == mode


@pytest.mark.parametrize(("journal", "synchronous"), [("wal", "full"), ("truncate", "extra")])
@pytest.mark.parametrize("make", [writing_engine, reading_engine], ids=["writer", "reader"])
def test_every_connection_syncs_before_it_says_so(
    make: object, journal: str, synchronous: str, sqlite_url: str
) -> None:
    """What the connection itself says about its journal, and not what we asked for."""
    engine = make(sqlite_url, journal=journal)  # type: ignore[operator]

    facts = describe(engine)

    assert (facts["journal_mode"], facts["synchronous"]) == (journal, synchronous)
    engine.dispose()


def test_without_being_told_the_safe_mode_of_this_sqlite_is_used(sqlite_url: str) -> None:
    """No configuration is needed for safety."""
    engine = writing_engine(sqlite_url)

    assert describe(engine)["journal_mode"] == journal_mode(sqlite_module.sqlite_version_info)
    assert describe(engine)["version"] == sqlite_module.sqlite_version
    engine.dispose()


def test_postgresql_commits_are_durable_whatever_the_server_thinks(postgres_url: str) -> None:
    """A server or database that turned synchronous_commit off is overruled."""
    engine = writing_engine(postgres_url)
    with engine.begin() as connection:
        connection.exec_driver_sql(f'ALTER DATABASE "{engine.url.database}" SET synchronous_commit = off')
    engine.dispose()

    assert describe(engine)["synchronous_commit"] == "on"
    engine.dispose()


def test_sqlite_is_for_one_process(tmp_path: Path) -> None:
    """A second one on the same file is refused, and told what to do; afterwards the next may come."""
    database = tmp_path / "data" / "socmon.db"
    first = SingleProcess(database)

    with pytest.raises(WrongSettings, match="SOCMON_DATA_DIR"):
        SingleProcess(database)
    SingleProcess(tmp_path / "other.db").release()
    first.release()
    first.release()
    SingleProcess(database).release()


def test_a_link_is_no_way_around_the_lock(tmp_path: Path) -> None:
    """To the file, or to a folder above it."""
    (tmp_path / "data").mkdir()
    held = SingleProcess(tmp_path / "data" / "socmon.db")
    (tmp_path / "data" / "socmon.db").touch()
    (tmp_path / "file.db").symlink_to(tmp_path / "data" / "socmon.db")
    (tmp_path / "folder").symlink_to(tmp_path / "data")

    for path in ("file.db", "folder/socmon.db", "data/../data/socmon.db"):
        with pytest.raises(WrongSettings, match="Another socmon"):
            SingleProcess(tmp_path / path)
    held.release()


def test_postgresql_needs_no_lock_file() -> None:
    """Replicas share one database."""
    SingleProcess(None).release()
