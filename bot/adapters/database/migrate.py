"""Bring the schema up to date, and make the log's head row at the first start."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, insert, select, text, update

from bot.adapters.database.engine import unhurried
from bot.adapters.database.tables import head
from bot.domain.errors import WrongSettings
from bot.domain.evidence import Frontier

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

SCRIPTS = Path(__file__).parents[3] / "migrations"
ADVISORY_LOCK = 0x50C_A0D


def upgrade(engine: Engine) -> None:
    """Run what is missing. Replicas that start together take turns."""
    from alembic import command  # noqa: PLC0415 - 300 ms that only a start needs

    with unhurried(engine), _alone(engine) as connection:
        refuse_newer(connection)
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def is_current(engine: Engine) -> bool:
    """Whether the schema is the one this code was written for."""
    with engine.connect() as connection:
        return _stored_revision(connection) == _scripts().get_current_head()


def refuse_newer(connection: Connection) -> None:
    """Raises WrongSettings when a newer socmon has upgraded this database: we cannot know what its tables mean."""
    stored = _stored_revision(connection)
    scripts = _scripts()
    if stored and stored not in {script.revision for script in scripts.walk_revisions()}:
        raise WrongSettings(
            f"A newer socmon has upgraded this database to schema {stored}; this version of socmon knows it up to"
            f" {scripts.get_current_head()}, so nothing was touched. Start the newer version, or restore the backup"
            " from before the upgrade."
        )


def open_log(engine: Engine, origin: str, *, named: bool, rename: bool = True) -> str:
    """Make the head row at the first start; returns the log's origin, which never changes once something is logged.

    `named` says that an operator chose `origin` (SOCMON_LOG_ORIGIN): then another stored one is an error. Until then
    `rename` corrects it, which is only for those who know that nobody signs with the stored one.
    """
    with _alone(engine) as connection:
        stored: str | None = connection.execute(select(head.c.log).where(head.c.id == 1)).scalar_one_or_none()
        if stored is None:
            connection.execute(
                insert(head).values(
                    id=1,
                    log=origin,
                    size=0,
                    last_hash=b"",
                    frontier=Frontier().to_bytes(),
                    alerts=0,
                    deliveries=0,
                )
            )
            return origin
        empty = connection.execute(select(head.c.size).where(head.c.id == 1)).scalar_one() == 0
        if empty and not rename:
            return stored
        if stored != origin and empty:
            connection.execute(update(head).where(head.c.id == 1).values(log=origin))
            return origin
    if named and stored != origin:
        raise WrongSettings(
            f"SOCMON_LOG_ORIGIN is {origin}, but this database holds the log {stored}. A log keeps its name for good:"
            " set SOCMON_LOG_ORIGIN to the stored name, or start with an empty database."
        )
    return stored


@contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    """A transaction that no other replica's start overlaps."""
    with engine.connect() as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
        yield connection


def is_empty(engine: Engine) -> bool:
    """Whether nothing has been logged yet, so that a new key does no harm."""
    with engine.connect() as connection:
        size: int = connection.execute(select(head.c.size).where(head.c.id == 1)).scalar_one()
    return size == 0


def _stored_revision(connection: Connection) -> str | None:
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415

    return MigrationContext.configure(connection).get_current_revision()


def _scripts() -> "ScriptDirectory":
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    return ScriptDirectory.from_config(_config())


def _config() -> "Config":
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    return config
