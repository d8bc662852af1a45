"""Reference data as lists of rows that change by versions. Pure; both ends import it.

A release carries version zero of every list (assets/reference). A change is an operation of an administrator: whole
rows of one list, each in the place of the row it names. A row is never taken away, only closed: what was written by
it stays understood, and a desk that has not heard of the change is not refused for it.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from operator_tui.appeals.operations import Event

Row = Mapping[str, str]
Rows = Mapping[str, Row]

# A closed row is known and offered to nobody.
OFF = "off"


class Reference:
    """All lists of one version. A value: ``changed`` makes another.

    ``version`` names the release's data and, behind ``+``, how many changes came after it; a card carries it.
    """

    def __init__(
        self,
        lists: Mapping[str, Rows],
        base: str,
        *,
        changes: int = 0,
        writers: Mapping[tuple[str, str], str] | None = None,
    ) -> None:
        self._lists = {name: dict(rows) for name, rows in lists.items()}
        self._base = base
        self.changes = changes
        self._writers = dict(writers or {})

    @property
    def version(self) -> str:
        """``1f0c9a2b3d4e+41``."""
        return f"{self._base}+{self.changes}" if self.changes else self._base

    def all(self, name: str) -> Rows:
        """Every row of a list by its key, closed ones too, in the order they came to be."""
        return self._lists.get(name, {})

    def open(self, name: str) -> dict[str, Row]:
        """The rows that are offered."""
        return {key: row for key, row in self.all(name).items() if not row.get(OFF)}

    def writer(self, name: str, key: str) -> str:
        """The operation that wrote a row last, empty for one of the release."""
        return self._writers.get((name, key), "")

    def standing(self, lists: Mapping[str, Rows], writers: Mapping[tuple[str, str], str], changes: int) -> Reference:
        """The release's rows with those of ``lists`` in their places, as they stand after so many changes."""
        merged = {name: {**self.all(name), **lists.get(name, {})} for name in {*self._lists, *lists}}
        return Reference(merged, self._base, changes=changes, writers=writers)

    def changed(self, changes: Iterable[tuple[str, Rows, str]]) -> Reference:
        """After changes in their order: the list, its rows, and the operation that wrote them."""
        lists, writers, count = dict(self._lists), dict(self._writers), self.changes
        copied: set[str] = set()
        for name, rows, op in changes:
            if name not in copied:
                lists[name] = dict(lists.get(name, {}))
                copied.add(name)
            lists[name].update(rows)
            writers.update({(name, key): op for key in rows})
            count += 1
        return Reference(lists, self._base, changes=count, writers=writers)


class Version(msgspec.Struct, frozen=True):
    """One change of a list: ``number`` counts them from 1, 0 is the release's own; ``by`` the user, 0 the centre's
    command line; ``back`` the version it went back to, -1 where it did not."""

    number: int
    at_ms: int
    by: int
    rows: dict[str, dict[str, str]]
    back: int = -1


def change_in(event: Event) -> tuple[str, Rows, str] | None:
    """The change an event holds, None for one of a form that this release does not know."""
    try:
        said = msgspec.convert(event.x, _Said)
    except msgspec.ValidationError:
        return None
    return said.list, said.rows, event.op


class _Said(msgspec.Struct):
    list: str
    rows: dict[str, dict[str, str]]
    back: int = -1


def back_of(event: Event) -> int:
    """The version a change went back to, -1 where it did not."""
    back = event.x.get("back", -1)
    return back if isinstance(back, int) and not isinstance(back, bool) else -1


def rows_back(base: Rows, versions: Sequence[Version], number: int) -> dict[str, Row]:
    """The rows to write so that a list is again as it was after version ``number``.

    ``base`` are the release's rows. A row that did not exist then is closed.
    """
    then: dict[str, Row] = dict(base)
    now: dict[str, Row] = dict(base)
    for version in versions:
        now.update(version.rows)
        if version.number <= number:
            then.update(version.rows)
    wanted = {key: then.get(key, {**row, OFF: "1"}) for key, row in now.items()}
    return {key: row for key, row in wanted.items() if row != now[key]}


def parse_rows(text: str, keys: Sequence[str]) -> dict[str, dict[str, str]]:
    """The rows of a CSV (``;``, the first line names the columns) by their key columns."""
    found: dict[str, dict[str, str]] = {}
    for row in csv.DictReader(io.StringIO(text), delimiter=";"):
        plain = {column: (value or "").strip() for column, value in row.items() if column}
        found[key_of(plain, keys)] = plain
    return found


def key_of(row: Mapping[str, Any], keys: Sequence[str]) -> str:
    """What a row is known by: the values of its key columns, joined by a colon."""
    return ":".join(str(row.get(column, "")) for column in keys)


def digest_of(texts: Iterable[str]) -> str:
    """Twelve digits that name the release's data."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:12]
