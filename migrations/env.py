"""How alembic reaches the database: always through a connection that `bot.adapters.database.migrate` opened."""

from alembic import context

from bot.adapters.database.tables import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
