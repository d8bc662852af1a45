"""Lets the desk's search (operator_tui/registry) run on PostgreSQL: its statements, translated once each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

_INDEXED = re.compile(r" INDEXED BY \w+")
_EACH = re.compile(r"json_each\(\?\) j CROSS JOIN (\w+) v")


@lru_cache(maxsize=4096)
def translated(statement: str) -> str:
    """The statement as PostgreSQL and psycopg understand it.

    An ``INDEXED BY`` is dropped: the same indexes are there, and the planner has the same counts to choose by.
    """
    text = _EACH.sub(r"json_array_elements_text(?::json) AS j(value) JOIN \1 v", statement)
    return _INDEXED.sub("", text).replace("?", "%s")


class Translating:
    """A cursor of psycopg with the face of an SQLite connection, as far as a search needs it."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    def execute(self, statement: str, values: Sequence[object] = ()) -> Any:
        return self._cursor.execute(translated(statement), list(values))
