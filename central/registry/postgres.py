"""Lets the desk's search (operator_tui/registry) run on PostgreSQL: its statements, translated.

The search decides by its own exact counts which index drives a statement (registry/plan.py), and is as good as that
choice; PostgreSQL would have to guess it from samples, for every statement anew. So each of these indexes has a
condition that is true of everybody and belongs to it alone, and is taken only by a statement that says it too; the plan
of a statement is made once for each connection, whatever its values.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from operator_tui.registry.schema import DRIVERS

# Index -> its condition. An ЕНП is never negative.
DRIVEN = {name: f"enp <> -{place}" for place, (name, columns) in enumerate(DRIVERS.items(), 1) if len(columns) > 1}
PREPARED = 500  # statements a connection keeps; the search has some two hundred

_INDEXED = re.compile(r" INDEXED BY i_(\w+) WHERE ")
_MOVED = re.compile(r"UPDATE p SET (\w+) = \? WHERE \1 = \?")
_VALUES = re.compile(r"\?| IN \(([\d,]+)\)")
# The dictionary of the packed texts (``FROM more``) lies with the words, and so do the previous names; the texts
# themselves are joined to people.
_IN_MEMORY = re.compile(r"\b(?:v_|pc_)\w+|\bFROM (?:word|more|former)\b")


@lru_cache(maxsize=4096)
def translated(statement: str) -> str:
    """A statement of a delta as PostgreSQL and psycopg understand it."""
    return _MOVED.sub(lambda found: f"{found[0]} AND {DRIVEN[found[1]]}", statement).replace("?", "%s")


def asked(statement: str, values: Sequence[int]) -> tuple[str, list[str]]:
    """A statement of a search with its values. Lists of codes become values too, all of one type, so that few
    different statements are left to plan.
    """
    given = iter(values)
    put: list[str] = []

    def place(found: re.Match[str]) -> str:
        if found[1] is None:
            put.append(str(next(given)))
            return "%s::bigint"
        put.append(f"{{{found[1]}}}")
        return " = ANY(%s::int[])"

    return _VALUES.sub(place, _INDEXED.sub(_driven, statement)), put


def _driven(found: re.Match[str]) -> str:
    condition = DRIVEN.get(found[1])
    return f" WHERE {condition} AND " if condition else " WHERE "


class Divided:
    """The face of one SQLite connection, as far as a search needs it: words from memory, people from PostgreSQL."""

    def __init__(self, names: sqlite3.Connection, cursor: Any) -> None:
        self._names = names
        self._cursor = cursor

    def execute(self, statement: str, values: Sequence[Any] = ()) -> Any:
        if _IN_MEMORY.search(statement):
            return self._names.execute(statement, values)
        return self._cursor.execute(*asked(statement, values), prepare=True)
