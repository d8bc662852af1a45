"""The breaks a federal collector remembers: a stream that has an open one in the present lineage is frozen.

A row is never deleted: what broke, since when and how it ended is what a witness is for.
"""

from __future__ import annotations

from dataclasses import astuple, replace
from typing import Any

from sqlite_utils import Database

from central.witness import Break

HEALED, ANEW = "healed", "anew"
TABLES = (
    "CREATE TABLE IF NOT EXISTS broken(stream TEXT NOT NULL, seq INTEGER NOT NULL, what TEXT NOT NULL, "
    "expected TEXT NOT NULL, seen TEXT NOT NULL, epoch TEXT NOT NULL, since INTEGER NOT NULL, ended INTEGER, "
    "how TEXT NOT NULL)",
    "CREATE UNIQUE INDEX IF NOT EXISTS broken_once ON broken(stream, epoch) WHERE ended IS NULL",
)
_CHOSEN = "SELECT stream, seq, what, expected, seen, epoch, since, ended, how FROM broken"


class Breaks:
    """Those of one collection; what writes is called within its transaction."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def all(self) -> list[Break]:
        """Every one there ever was, in the order they were found."""
        return self._found(f"{_CHOSEN} ORDER BY since, rowid")

    def open(self) -> list[Break]:
        """Those that have not ended, by stream."""
        return self._found(f"{_CHOSEN} WHERE ended IS NULL ORDER BY stream, since, rowid")

    def remember(self, found: Break, epoch: str, now_ms: int) -> None:
        """A new one; a stream that is broken already stays broken as it was found first."""
        row = astuple(replace(found, epoch=epoch, since_ms=now_ms))
        self._db.execute(f"INSERT OR IGNORE INTO broken VALUES ({', '.join('?' * len(row))})", row)

    def end(self, stream: str, how: str, now_ms: int, epoch: str | None = None) -> None:
        """The stream's open ones have ended; with ``epoch`` that of this lineage alone."""
        which: list[Any] = [now_ms, how, stream, *([] if epoch is None else [epoch])]
        of = "" if epoch is None else " AND epoch = ?"
        self._db.execute(f"UPDATE broken SET ended = ?, how = ? WHERE stream = ? AND ended IS NULL{of}", which)

    def _found(self, chosen: str) -> list[Break]:
        return [Break(*row) for row in self._db.execute(chosen).fetchall()]
