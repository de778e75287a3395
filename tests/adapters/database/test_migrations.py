"""The schema: migrations give exactly what the code was written for, on each engine."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect

from bot.adapters.database import migrate
from bot.adapters.database.engine import writing_engine
from bot.adapters.database.migrate import is_current, is_empty, open_log, upgrade
from bot.adapters.database.tables import metadata
from bot.adapters.evidence.keys import LogKey
from bot.domain.errors import WrongSettings
from bot.procedures.receive_alert import receive_alert
from bot.procedures.seal_log import seal_log
from tests.reports import delivery, report
from tests.world import ORIGIN, ROUTES, Ledger

SCRIPTS = Path(migrate.SCRIPTS)


@pytest.fixture
def engine(database_url: str) -> Engine:
    return writing_engine(database_url)


def config() -> Config:
    made = Config()
    made.set_main_option("script_location", str(SCRIPTS))
    return made


def differences(engine: Engine) -> list[object]:
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        found: list[object] = compare_metadata(context, metadata)
    return found


def test_the_migrations_give_exactly_the_tables_of_the_code(engine: Engine) -> None:
    """Nothing is missing and nothing is left over; a second time is harmless."""
    upgrade(engine)
    upgrade(engine)

    assert differences(engine) == []
    assert is_current(engine)
    engine.dispose()


def test_partial_indexes_are_the_same_in_migrations_and_code(engine: Engine) -> None:
    """What alembic does not compare: the conditions of the partial indexes."""
    upgrade(engine)
    migrated = _conditions(engine)
    with engine.begin() as connection:
        metadata.drop_all(connection)
        metadata.create_all(connection)

    assert migrated == _conditions(engine)
    assert any(migrated.values())
    engine.dispose()


def _conditions(engine: Engine) -> dict[str, str]:
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            query = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        else:
            query = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
        rows = connection.exec_driver_sql(query).all()
    return {
        name: " ".join(sql.partition(" WHERE ")[2].split())
        for name, sql in rows
        if name != "alembic_version_pkc"
    }


def test_every_migration_can_be_taken_back(engine: Engine) -> None:
    """Down to nothing and up again gives the same tables."""
    upgrade(engine)
    with engine.begin() as connection:
        made = config()
        made.attributes["connection"] = connection
        command.downgrade(made, "base")
        left = set(inspect(connection).get_table_names())
    current = is_current(engine)
    upgrade(engine)

    assert left == {"alembic_version"}
    assert not current
    assert differences(engine) == []
    engine.dispose()


def test_a_log_from_before_goes_on_being_signed(database_url: str, tmp_path: Path) -> None:
    """A database whose last checkpoint was signed before trees were kept gets that tree when it is upgraded."""
    ledger = Ledger(database_url)
    key = LogKey.open(tmp_path / "log.key", ORIGIN)
    for keys in (3, 2):
        for _ in range(keys):
            ledger.write(receive_alert, delivery(report(ledger.fresh_key())), routes=ROUTES)
        ledger.write(seal_log, seal=key)
    ledger.write(receive_alert, delivery(report(ledger.fresh_key())), routes=ROUTES)
    engine = ledger.database.writing
    with engine.begin() as connection:
        made = config()
        made.attributes["connection"] = connection
        command.downgrade(made, "0005")
    upgrade(engine)

    assert ledger.write(seal_log, seal=key) == 1
    ledger.database.close()


def test_there_is_one_line_of_migrations() -> None:
    """Two heads would leave it to chance which schema an installation gets."""
    assert len(ScriptDirectory.from_config(config()).get_heads()) == 1


def test_replicas_that_start_together_take_turns(postgres_url: str) -> None:
    """All come up, with one schema and one log."""
    engines = [writing_engine(postgres_url) for _ in range(8)]
    together = Barrier(len(engines))

    def start(engine: Engine) -> str:
        upgrade(engine)
        together.wait()
        return open_log(engine, "localhost/test", named=False)

    with ThreadPoolExecutor(len(engines)) as pool:
        assert list(pool.map(start, engines)) == ["localhost/test"] * len(engines)
    for engine in engines:
        engine.dispose()


def test_a_log_keeps_its_name_once_something_stands_in_it(database_url: str) -> None:
    """Before the first entry a name may be corrected; afterwards a chosen one is refused, a guessed one yields."""
    ledger = Ledger(database_url)
    engine = ledger.database.writing
    renamed = open_log(engine, "soc.example.com/first", named=True)
    empty = is_empty(engine)
    ledger.write(receive_alert, delivery(report()), routes=ROUTES)

    assert (renamed, empty, is_empty(engine)) == ("soc.example.com/first", True, False)
    assert open_log(engine, "localhost/guess", named=False) == "soc.example.com/first"
    with pytest.raises(WrongSettings, match=r"soc\.example\.com/first"):
        open_log(engine, "soc.example.com/second", named=True)
    ledger.database.close()
