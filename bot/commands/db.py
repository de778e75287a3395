"""`socmon db`: the database's schema."""

from bot.adapters.database.engine import in_reach, writing_engine
from bot.adapters.database.lock import SingleProcess
from bot.adapters.database.migrate import open_log, upgrade
from bot.settings import Settings


def upgrade_database(settings: Settings) -> int:
    """A running server on SQLite is left alone: it has brought its schema up to date itself.

    Nor is a log renamed that nothing stands in yet: a server beside us may be about to sign it by the stored name.
    """
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = SingleProcess(settings.sqlite_path)
    engine = writing_engine(settings.database_url)
    try:
        with in_reach(engine):
            upgrade(engine)
            origin = open_log(engine, settings.log_origin, named=settings.log_origin_named, rename=False)
    finally:
        engine.dispose()
        lock.release()
    print(f"The database is up to date. Its evidence log is {origin}.")
    return 0
