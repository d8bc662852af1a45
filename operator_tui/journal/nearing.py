"""The column that lists go by: when something is due for an appeal (appeals/nearest.py).

It follows from the card, from the reference data and from the zone of the office. A card is given it anew with all it
shows; where the other two change, the cards that they may concern are.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec

from operator_tui.appeals.card import Card
from operator_tui.appeals.nearest import nearest_ms
from operator_tui.appeals.terms import ELSEWHERE
from operator_tui.journal.migrations import NEVER, OPEN
from operator_tui.journal.store import Store

_BASIS = "nearest"
_AT_ONCE = 1000


class _Basis(msgspec.Struct, frozen=True):
    """What the column was filled by, beside the cards: ``zone``; ``themes`` whose letters are to be forwarded, and in
    how many days."""

    zone: str
    themes: frozenset[str]
    forward: int


def column(store: Store, card: Card) -> int:
    """UTC milliseconds, NEVER where nothing is due. What a newer release writes in another form holds nothing up."""
    return _column(store, card, store.zone())


def _column(store: Store, card: Card, zone: str) -> int:
    try:
        due_ms = nearest_ms(card, store.catalogue, zone)
    except (ValueError, LookupError, OverflowError, OSError):  # ZoneInfoNotFoundError is a LookupError
        due_ms = None
    return NEVER if due_ms is None else due_ms


def keep_up(store: Store) -> None:
    """Fill the column anew where it was filled by another zone or other lists; inside ``writing``, unless it is known
    that nothing has changed. Before enrolment there is no card."""
    if store.device() is None:
        return
    themes = frozenset(code for code, theme in store.catalogue.themes.items() if theme.level2_group == ELSEWHERE)
    now = _Basis(store.zone(), themes, store.catalogue.terms.forward)
    known = store.meta(_BASIS)
    then = msgspec.json.decode(known, type=_Basis) if known else None
    if then == now:
        return
    if then is None or then.zone != now.zone:
        _fill(store, now.zone)
    else:
        concerned = then.themes ^ now.themes if then.forward == now.forward else then.themes | now.themes
        _fill(store, now.zone, concerned)
    store.set_meta(_BASIS, msgspec.json.encode(now).decode())


def _fill(store: Store, zone: str, themes: Collection[str] | None = None) -> None:
    """The column of every open appeal, or of those of some themes. A few at a time: a hundred thousand bodies are
    never held at once."""
    of_themes = "" if themes is None else f" AND theme IN ({', '.join('?' * len(themes))})"
    last = -1
    while rows := store.rows(
        f"SELECT row, body, nearest FROM shown NOT INDEXED WHERE row > ? AND {OPEN}{of_themes} ORDER BY row LIMIT ?",
        last,
        *(themes or ()),
        _AT_ONCE,
    ):
        found = [(_column(store, msgspec.json.decode(body, type=Card), zone), row, known) for row, body, known in rows]
        changed: list[Any] = [(due, row) for due, row, known in found if due != known]
        store.db.conn.executemany("UPDATE shown SET nearest = ? WHERE row = ?", changed)
        last = rows[-1][0]
