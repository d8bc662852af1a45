"""Begun forms: what was typed into a window and not sent, so that a kill loses at most its last second (DESIGN rule 1).

A form of a card that was not saved yet is kept under its draft; once that became a card, it is that card's.
"""

from __future__ import annotations

import msgspec

from operator_tui.appeals.begun import Begun, FormOf
from operator_tui.journal.store import Store


def put(store: Store, begun: Begun) -> None:
    """Write it as it stands; inside ``writing`` only."""
    of = begun.of
    drop(store, of, begun.user)
    store.db.execute(
        "INSERT INTO begun(user, form, about, more, body, at_ms) VALUES (?, ?, ?, ?, ?, ?)",
        [begun.user, of.form, of.about, of.more, msgspec.json.encode(begun).decode(), begun.at_ms],
    )


def drop(store: Store, of: FormOf, user: int) -> None:
    """It was sent, or thrown away; inside ``writing`` only."""
    store.db.execute(
        "DELETE FROM begun WHERE user = ? AND form = ? AND more = ? "
        "AND (about = ? OR about IN (SELECT draft FROM saved WHERE card = ?))",
        [user, of.form, of.more, of.about, of.about],
    )


def listed(store: Store, user: int | None) -> list[Begun]:
    """Those of one operator, or everybody's, the last typed one last."""
    rows = store.rows(
        "SELECT body, coalesce((SELECT card FROM saved WHERE draft = about), about) FROM begun "
        "WHERE ? IS NULL OR user = ? ORDER BY at_ms, rowid",
        user,
        user,
    )
    found = [(msgspec.json.decode(body, type=Begun), about) for body, about in rows]
    return [msgspec.structs.replace(one, of=msgspec.structs.replace(one.of, about=about)) for one, about in found]


def known_as(store: Store, old: str, new: str) -> None:
    """The appeal has another id now; inside ``writing`` only."""
    store.db.execute("UPDATE OR REPLACE begun SET about = ? WHERE about = ?", [new, old])
