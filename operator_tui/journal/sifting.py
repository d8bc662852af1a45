"""The journal sifted: by status, worker, theme, result, closer and term, sorted, a page at a time."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec

from operator_tui.appeals.card import Card, Status
from operator_tui.appeals.correction import CORRECTION
from operator_tui.appeals.deadlines import day_end_ms
from operator_tui.journal import cards
from operator_tui.journal.finding import match_query
from operator_tui.journal.migrations import OPEN
from operator_tui.journal.sieve import Heap, Order, Sieve
from operator_tui.journal.store import Store

_KEPT = "sieves"


def page(store: Store, sieve: Sieve, *, limit: int, offset: int) -> list[Card]:
    """The rows of a page, in the sieve's order."""
    where, values = _where(store, sieve)
    order = "created DESC, id DESC" if sieve.order is Order.NEWEST else "nearest, deadline, id"
    rows = store.rows(
        f"SELECT body FROM shown {_index(sieve)} WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?",
        *values,
        limit,
        offset,
    )
    return [cards.decode(body) for (body,) in rows]


def count(store: Store, sieve: Sieve) -> int:
    """How many rows there are on all pages."""
    where, values = _where(store, sieve)
    return int(store.value(f"SELECT count(*) FROM shown WHERE {where}", *values))


def heaps(store: Store, sieve: Sieve, by: str) -> list[Heap]:
    """The appeals counted by ``result``, ``theme`` or ``closer``, the largest heap first. ValueError for another."""
    if by not in ("result", "theme", "closer"):
        raise ValueError(by)
    where, values = _where(store, sieve)
    source = f"shown {_index(sieve)} WHERE {where}"
    rows = store.rows(f"SELECT coalesce({by}, ''), count(*) AS n FROM {source} GROUP BY 1 ORDER BY n DESC, 1", *values)
    return [Heap(str(value), int(number)) for value, number in rows]


def ids(store: Store, sieve: Sieve) -> list[str]:
    """The ids of all rows, oldest first."""
    where, values = _where(store, sieve)
    return [str(one) for (one,) in store.rows(f"SELECT id FROM shown WHERE {where} ORDER BY created, id", *values)]


def keep(store: Store, name: str, sieve: Sieve | None) -> None:
    """Keep a sieve under a name, or forget it; inside ``writing`` only."""
    known = kept(store)
    if sieve is None:
        known.pop(name, None)
    else:
        known[name] = sieve
    store.set_meta(_KEPT, msgspec.json.encode(known).decode())


def kept(store: Store) -> dict[str, Sieve]:
    """The sieves kept by name."""
    return msgspec.json.decode(store.meta(_KEPT, "{}"), type=dict[str, Sieve])


def _index(sieve: Sieve) -> str:
    """The index to read by. Named, because SQLite would rather look up each status and sort what it finds."""
    if sieve == Sieve(order=sieve.order):
        return {Order.NEWEST: "INDEXED BY shown_open", Order.DUE: "INDEXED BY shown_nearest"}[sieve.order]
    in_review = sieve.statuses == (Status.IN_REVIEW,) and not sieve.text and sieve.worker is None
    return "INDEXED BY shown_review_nearest" if in_review and sieve.order is Order.DUE else ""


def _where(store: Store, sieve: Sieve) -> tuple[str, list[Any]]:
    parts: list[str] = []
    values: list[Any] = []
    if len(sieve.statuses) == 1:
        # Word for word as in the partial index, or SQLite does not use it.
        parts.append(f"status = '{sieve.statuses[0].value}'")
    elif sieve.statuses:
        parts.append(f"status IN ({', '.join('?' * len(sieve.statuses))})")
        values += [status.value for status in sieve.statuses]
    elif not (sieve.owed or sieve.any_status or sieve.sent or sieve.review == CORRECTION):
        parts.append(OPEN)
    if sieve.sent:
        parts.append("elsewhere != ''")  # word for word as in the partial index
    if sieve.owed:
        parts.append("owed != ''")
    if sieve.review == CORRECTION:
        parts.append("review = 'correction'")  # word for word as in the partial index
    for bound, instant in ((">=", sieve.since), ("<=", sieve.until)):
        if instant:
            parts.append(f"created {bound} ?")
            values.append(f"{instant << 16:016x}" if bound == ">=" else f"{(instant << 16) + 0xFFFF:016x}")
    if sieve.unclaimed:
        parts.append("worker IS NULL")
    for column, value in (
        ("worker", sieve.worker),
        ("review", sieve.review),
        ("theme", sieve.theme),
        ("result", sieve.result),
        ("closer", sieve.closer),
        ("team", sieve.group),
    ):
        if value not in ("", None):
            parts.append(f"{column} = ?")
            values.append(value)
    if sieve.groups:
        parts.append(f"team IN ({', '.join('?' * len(sieve.groups))})")
        values += sieve.groups
    if sieve.due:
        parts.append("nearest <= ?")
        values.append(day_end_ms(date.fromisoformat(sieve.due), store.zone()))
    if query := match_query(sieve.text):
        parts.append("row IN (SELECT rowid FROM shown_fts WHERE shown_fts MATCH ?)")
        values.append(query)
    return " AND ".join(parts) or "1", values
