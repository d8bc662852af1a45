"""Many rows in one statement, whatever the engine: SQLite runs one for each row, PostgreSQL one over arrays.

On PostgreSQL a row of its own costs a message, its binding and its answer; an array of a hundred costs little more than
one row (``unnest``, postgresql.org/docs/15/functions-array.html).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy gives it no types
Rows = Sequence[Mapping[str, Any]]


def insert_rows(connection: sa.Connection, table: sa.Table, rows: Rows) -> None:
    """Insert rows of the same columns; nothing when there are none."""
    if not rows:
        return
    columns = tuple(rows[0])
    if connection.dialect.name == "sqlite":
        connection.execute(sa.insert(table), rows)
    else:
        connection.exec_driver_sql(_insert(table, columns), _arrays(table, columns, rows))


def update_rows(connection: sa.Connection, table: sa.Table, rows: Rows) -> None:
    """Set the other columns of the rows whose primary key, one column, is given; nothing when there are none."""
    if not rows:
        return
    columns = tuple(rows[0])
    (key,) = table.primary_key.columns
    if connection.dialect.name == "sqlite":
        changed = (
            sa.update(table)
            .where(key == sa.bindparam(f"{key.name}_"))
            .values({name: sa.bindparam(name) for name in columns if name != key.name})
        )
        connection.execute(changed, [{**row, f"{key.name}_": row[key.name]} for row in rows])
    else:
        connection.exec_driver_sql(_update(table, columns, key.name), _arrays(table, columns, rows))


def _arrays(table: sa.Table, columns: Sequence[str], rows: Rows) -> tuple[list[Any], ...]:
    found = []
    for name in columns:
        values = [row[name] for row in rows]
        found.append([msgspec.json.encode(value).decode() for value in values] if _is_json(table, name) else values)
    return tuple(found)


@cache
def _insert(table: sa.Table, columns: tuple[str, ...]) -> str:
    names = ", ".join(map(_quoted, columns))
    return f"INSERT INTO {_quoted(table.name)} ({names}) SELECT {_cast(table, columns)} FROM {_source(table, columns)}"


@cache
def _update(table: sa.Table, columns: tuple[str, ...], key: str) -> str:
    values = zip(columns, _cast(table, columns).split(", "), strict=True)
    named = ", ".join(f"{_quoted(name)} = {value}" for name, value in values if name != key)
    here = _quoted(table.name)
    return (
        f"UPDATE {here} SET {named} FROM {_source(table, columns)} WHERE {here}.{_quoted(key)} = given.{_quoted(key)}"
    )


def _source(table: sa.Table, columns: tuple[str, ...]) -> str:
    arrays = ", ".join(f"%s::{_type(table, name)}[]" for name in columns)
    return f"unnest({arrays}) AS given({', '.join(map(_quoted, columns))})"


def _cast(table: sa.Table, columns: tuple[str, ...]) -> str:
    return ", ".join(f"given.{_quoted(name)}" + ("::jsonb" if _is_json(table, name) else "") for name in columns)


def _type(table: sa.Table, name: str) -> str:
    return "text" if _is_json(table, name) else table.c[name].type.compile(_DIALECT)


def _is_json(table: sa.Table, name: str) -> bool:
    return isinstance(table.c[name].type, sa.JSON)


def _quoted(name: str) -> str:
    return f'"{name}"'
