"""Lets the desk's search (operator_tui/registry) run on PostgreSQL: its statements, translated once each."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

_INDEXED = re.compile(r" INDEXED BY \w+")
# The dictionary of the packed texts (``FROM more``) lies with the words, and so do the previous names; the texts
# themselves are joined to people.
_IN_MEMORY = re.compile(r"\b(?:v_|pc_)\w+|\bFROM (?:word|more|former)\b")


@lru_cache(maxsize=4096)
def translated(statement: str) -> str:
    """The statement as PostgreSQL and psycopg understand it.

    An ``INDEXED BY`` is dropped: the same indexes are there, and the planner has the same counts to choose by.
    """
    return _INDEXED.sub("", statement).replace("?", "%s")


class Divided:
    """The face of one SQLite connection, as far as a search needs it: words from memory, people from PostgreSQL."""

    def __init__(self, names: sqlite3.Connection, cursor: Any) -> None:
        self._names = names
        self._cursor = cursor

    def execute(self, statement: str, values: Sequence[Any] = ()) -> Any:
        if _IN_MEMORY.search(statement):
            return self._names.execute(statement, values)
        return self._cursor.execute(translated(statement), list(values))
