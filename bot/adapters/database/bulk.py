"""Many rows in one statement: executemany for SQLite, arrays for PostgreSQL. Compiled once per shape of row.

This is the busiest path of socmon; SQLAlchemy's own executemany costs three times as much a row, and PostgreSQL takes
one statement with a thousand values much faster than a thousand statements.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Dialect, Table
from sqlalchemy.exc import DBAPIError

from bot.adapters.database.tables import metadata

Row = dict[str, Any]


@contextmanager
def sent_together(connection: Connection) -> Iterator[None]:
    """PostgreSQL gets the statements within without a wait for each answer. What fails, fails at the end at the latest.

    Results cannot be read within. On one machine this takes a fifth off a batch, and more over a network.
    """
    if connection.dialect.name != "postgresql":
        yield
        return
    driver: Any = connection.connection.driver_connection
    errors: Any = connection.dialect.loaded_dbapi.Error
    try:
        with driver.pipeline():
            yield
    except errors as error:  # SQLAlchemy wraps what fails at once
        raise DBAPIError.instance("the statements of a batch", None, error, errors) from error


def insert_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Every row has the same keys."""
    if rows:
        statement, parameters = _insert(connection.dialect, table.name, tuple(rows[0]))
        connection.exec_driver_sql(statement, parameters(rows))


def update_rows(connection: Connection, table: Table, rows: Sequence[Row], *, key: str) -> None:
    """Set all other keys of each row where `key` is equal. Every row has the same keys."""
    if rows:
        statement, parameters = _update(connection.dialect, table.name, tuple(rows[0]), key)
        connection.exec_driver_sql(statement, parameters(rows))


@cache
def _insert(
    dialect: Dialect, name: str, columns: tuple[str, ...]
) -> tuple[str, Callable[[Sequence[Row]], Any]]:
    into = f"INSERT INTO {name} ({', '.join(map(_quoted, columns))})"
    if dialect.name == "postgresql":
        return f"{into} SELECT * FROM {_unnest(dialect, name, columns)}", _as_arrays(columns)  # noqa: S608
    return f"{into} VALUES ({', '.join('?' * len(columns))})", _as_tuples(columns)


@cache
def _update(
    dialect: Dialect, name: str, columns: tuple[str, ...], key: str
) -> tuple[str, Callable[[Sequence[Row]], Any]]:
    changed = [column for column in columns if column != key]
    if dialect.name == "postgresql":
        names = ", ".join(map(_quoted, columns))
        setting = ", ".join(f"{_quoted(column)} = new.{_quoted(column)}" for column in changed)
        source = f"{_unnest(dialect, name, columns)} AS new({names})"
        statement = f"UPDATE {name} SET {setting} FROM {source} WHERE {name}.{key} = new.{key}"  # noqa: S608
        return statement, _as_arrays(columns)
    setting = ", ".join(f"{_quoted(column)} = ?" for column in changed)
    return f"UPDATE {name} SET {setting} WHERE {key} = ?", _as_tuples((*changed, key))  # noqa: S608


def _unnest(dialect: Dialect, name: str, columns: tuple[str, ...]) -> str:
    types = [metadata.tables[name].c[column].type.compile(dialect) for column in columns]
    return f"unnest({', '.join(f'%b::{kind}[]' for kind in types)})"


def _as_arrays(columns: tuple[str, ...]) -> Callable[[Sequence[Row]], Any]:
    return lambda rows: tuple([row[column] for row in rows] for column in columns)


def _as_tuples(columns: tuple[str, ...]) -> Callable[[Sequence[Row]], Any]:
    values = itemgetter(*columns)
    return lambda rows: [values(row) for row in rows]


def _quoted(column: str) -> str:
    return f'"{column}"'  # "by" is a word of SQL
