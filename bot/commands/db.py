"""`socmon db`: the database's schema."""

from bot.adapters.database.engine import in_reach, writing_engine
from bot.adapters.database.migrate import open_log, upgrade
from bot.settings import Settings


def upgrade_database(settings: Settings) -> int:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    engine = writing_engine(settings.database_url)
    with in_reach(engine):
        upgrade(engine)
        origin = open_log(engine, settings.log_origin, named=settings.log_origin_named)
    print(f"The database is up to date. Its evidence log is {origin}.")
    engine.dispose()
    return 0
