"""Many rows in one statement, whatever the engine: SQLite runs one for each row, PostgreSQL one over a JSON document.

On PostgreSQL a row of its own costs a message, its binding and its answer. An array for each column costs psycopg a
regular expression for each value; a document is made by msgspec and taken apart by the server, both in C
(``json_populate_recordset``, postgresql.org/docs/15/functions-json.html), and casts each value to its column's type.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import msgspec
import sqlalchemy as sa

Rows = Sequence[Mapping[str, Any]]


def insert_rows(connection: sa.Connection, table: sa.Table, rows: Rows) -> None:
    """Insert rows of the same columns; nothing when there are none."""
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        connection.execute(sa.insert(table), rows)
    else:
        connection.exec_driver_sql(_insert(table, tuple(rows[0])), (_document(rows),))


def update_rows(connection: sa.Connection, table: sa.Table, rows: Rows) -> None:
    """Set the other columns of the rows whose primary key is given; nothing when there are none."""
    if not rows:
        return
    columns = tuple(rows[0])
    keys = tuple(key.name for key in table.primary_key.columns)
    if connection.dialect.name == "sqlite":
        changed = (
            sa.update(table)
            .where(*(table.c[key] == sa.bindparam(f"{key}_") for key in keys))
            .values({name: sa.bindparam(name) for name in columns if name not in keys})
        )
        connection.execute(changed, [{**row, **{f"{key}_": row[key] for key in keys}} for row in rows])
    else:
        connection.exec_driver_sql(_update(table, columns, keys), (_document(rows),))


def _document(rows: Rows) -> str:
    """Bytes as PostgreSQL reads them in a text: ``\\x`` and hexadecimal digits (datatype-binary)."""
    plain = [
        {name: f"\\x{value.hex()}" if isinstance(value, bytes) else value for name, value in row.items()}
        for row in rows
    ]
    return msgspec.json.encode(plain).decode()


@cache
def _insert(table: sa.Table, columns: tuple[str, ...]) -> str:
    names = ", ".join(map(_quoted, columns))
    return f"INSERT INTO {_quoted(table.name)} ({names}) SELECT {names} FROM {_given(table)}"


@cache
def _update(table: sa.Table, columns: tuple[str, ...], keys: tuple[str, ...]) -> str:
    here = _quoted(table.name)
    named = ", ".join(f"{_quoted(name)} = given.{_quoted(name)}" for name in columns if name not in keys)
    same = " AND ".join(f"{here}.{_quoted(key)} = given.{_quoted(key)}" for key in keys)
    return f"UPDATE {here} SET {named} FROM {_given(table)} AS given WHERE {same}"


def _given(table: sa.Table) -> str:
    return f"json_populate_recordset(NULL::{_quoted(table.name)}, %s::json)"


def _quoted(name: str) -> str:
    return f'"{name}"'
