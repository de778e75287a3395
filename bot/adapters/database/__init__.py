"""The records, kept by SQLAlchemy Core in SQLite or PostgreSQL."""
