"""The words of a region in the server's memory: a search asks them twenty times, and PostgreSQL is a round trip away.

So are the previous names, which every search by a surname asks for. Sixty megabytes for a region of three million, read
when the first search after a publication comes. A delta leaves what it did to them in the table ``delta`` (SQLite's
statements, as the desk's own delta makes them), and the first search after it brings a copy of the memory up to it: a
hundredth of reading all anew. Searches that began before go on with what they had.
"""

from __future__ import annotations

import json
import re
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from operator_tui.registry.bodies import DICTIONARY_ROW
from operator_tui.registry.schema import FIELDS, TABLES, VOCABULARY_INDEXES

_WORDS = ("word", "v_part", "former", *(f"v_{field}" for field in FIELDS), *(f"pc_{field}" for field in FIELDS))
_COPIED = (*((table, "") for table in _WORDS), ("more", f" WHERE id = {DICTIONARY_ROW}"))
_CHANGES = re.compile(rf"(?:INSERT INTO|UPDATE|DELETE FROM) (?:{'|'.join(_WORDS)})\b")
_KEPT = 30  # deltas whose changes are kept; a server further behind reads all

DELTA_TABLE = (
    "CREATE TABLE IF NOT EXISTS delta(number integer, place integer, statement text NOT NULL, given text NOT NULL,"
    " PRIMARY KEY(number, place))"
)


@dataclass(frozen=True)
class State:
    """Which words a region has: those of a publication, and of so many deltas behind it."""

    published: str
    deltas: int

    @classmethod
    def of(cls, facts: dict[str, str]) -> State:
        """As the region's table ``meta`` tells it."""
        return cls(facts.get("published", facts["snapshot_id"]), int(facts.get("deltas", 0)))


@dataclass(frozen=True)
class _Held:
    state: State
    memory: sqlite3.Connection


_held: WeakKeyDictionary[sa.Engine, dict[str, _Held]] = WeakKeyDictionary()
# One for each region: reading the words of one takes seconds, which the searches of the others do not wait for.
_loading: WeakKeyDictionary[sa.Engine, dict[str, threading.Lock]] = WeakKeyDictionary()
_making = threading.Lock()


def names_of(engine: sa.Engine, region: str, state: State, cursor: Any) -> sqlite3.Connection:
    """The region's words in that state, over a cursor whose search path is the region's schema.

    The connection is shared by all threads: SQLite serialises what they ask.
    """
    with _making:
        regions = _held.setdefault(engine, {})
        loading = _loading.setdefault(engine, {}).setdefault(region, threading.Lock())
    with loading:
        held = regions.get(region)
        if held is not None and held.state == state:
            return held.memory
        # Not in the second that a search may take: this comes once for each publication, over whatever network.
        (within,) = cursor.execute("SHOW statement_timeout").fetchone()
        cursor.execute("SELECT set_config('statement_timeout', '0', true)")
        memory = _brought_up(held, state, cursor) or _copied(cursor)
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [within])
        # A search that began before a delta is not what the next ones are like.
        if held is None or held.state.published != state.published or held.state.deltas < state.deltas:
            regions[region] = _Held(state, memory)
        return memory


def concerns_names(statement: str) -> bool:
    """Whether a statement of a delta changes what is held here."""
    return bool(_CHANGES.match(statement))


def keep_changes(cursor: Any, number: int, changes: Sequence[tuple[str, Sequence[Any]]]) -> None:
    """Leave what a delta did for the servers' memories; ``number``: which one since the publication, from 1 on."""
    cursor.execute(DELTA_TABLE)
    with cursor.copy("COPY delta FROM STDIN") as copy:
        for place, (statement, values) in enumerate(changes):
            copy.write_row((number, place, statement, json.dumps(list(values), ensure_ascii=False)))
    cursor.execute("DELETE FROM delta WHERE number <= %s", [number - _KEPT])
    cursor.execute(
        "INSERT INTO meta VALUES('deltas', %s) ON CONFLICT(name) DO UPDATE SET value = excluded.value", [str(number)]
    )


def _brought_up(held: _Held | None, state: State, cursor: Any) -> sqlite3.Connection | None:
    """A copy of what is held with the deltas since; None when that does not lead there."""
    if held is None or held.state.published != state.published:
        return None
    if not held.state.deltas < state.deltas <= held.state.deltas + _KEPT:
        return None
    memory = _empty()
    held.memory.backup(memory)
    memory.execute("BEGIN")
    for statement, given in cursor.execute(
        "SELECT statement, given FROM delta WHERE number > %s ORDER BY number, place", [held.state.deltas]
    ).fetchall():
        memory.execute(statement, json.loads(given))
    memory.execute("COMMIT")
    return memory


def _copied(cursor: Any) -> sqlite3.Connection:
    memory = _empty()
    memory.executescript(TABLES)
    for table, condition in _COPIED:
        rows = cursor.execute(f"SELECT * FROM {table}{condition}").fetchall()
        if rows:
            # PostgreSQL's table of previous names has no key: the same one twice is one.
            memory.executemany(f"INSERT OR IGNORE INTO {table} VALUES({', '.join('?' * len(rows[0]))})", rows)
    memory.executescript(VOCABULARY_INDEXES)
    return memory


def _empty() -> sqlite3.Connection:
    return sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None, cached_statements=512)
