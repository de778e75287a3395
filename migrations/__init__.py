"""Alembic migrations, run by `socmon db upgrade` and at every start."""
