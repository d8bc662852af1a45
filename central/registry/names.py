"""The words of a region in the server's memory: a search asks them twenty times, and PostgreSQL is a round trip away.

So are the previous names, which every search by a surname asks for. Sixty megabytes for a region of three million, read
when the first search after a publication comes.
"""

from __future__ import annotations

import sqlite3
import threading
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from operator_tui.registry.bodies import DICTIONARY_ROW
from operator_tui.registry.schema import FIELDS, TABLES, VOCABULARY_INDEXES

_WORDS = ("word", "v_part", "former", *(f"v_{field}" for field in FIELDS), *(f"pc_{field}" for field in FIELDS))
_COPIED = (*((table, "") for table in _WORDS), ("more", f" WHERE id = {DICTIONARY_ROW}"))
_held: WeakKeyDictionary[sa.Engine, dict[str, tuple[str, sqlite3.Connection]]] = WeakKeyDictionary()
_loading = threading.Lock()


def names_of(engine: sa.Engine, region: str, snapshot: str, cursor: Any) -> sqlite3.Connection:
    """The region's words as of that snapshot, over a cursor whose search path is the region's schema.

    The connection is shared by all threads: SQLite serialises what they ask.
    """
    with _loading:
        regions = _held.setdefault(engine, {})
        found = regions.get(region)
        if found is None or found[0] != snapshot:
            found = regions[region] = (snapshot, _copied(cursor))
        return found[1]


def _copied(cursor: Any) -> sqlite3.Connection:
    memory = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None, cached_statements=512)
    memory.executescript(TABLES)
    for table, condition in _COPIED:
        rows = cursor.execute(f"SELECT * FROM {table}{condition}").fetchall()
        if rows:
            memory.executemany(f"INSERT INTO {table} VALUES({', '.join('?' * len(rows[0]))})", rows)
    memory.executescript(VOCABULARY_INDEXES)
    return memory
