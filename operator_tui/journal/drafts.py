"""Drafts: unsaved forms on disk, so that a kill loses at most the last second of typing (DESIGN rule 1)."""

from __future__ import annotations

import msgspec

from operator_tui.appeals.draft import Draft
from operator_tui.journal.store import Store


def put(store: Store, draft: Draft) -> None:
    """Write the form as it stands; inside ``writing`` only. A draft that became a card stays one."""
    draft.updated_ms = store.clock.now_ms()
    store.db.execute(
        "INSERT INTO draft(id, call, body, at_ms) VALUES (?, ?, ?, ?) "
        "ON CONFLICT(id) DO UPDATE SET call = excluded.call, body = excluded.body, at_ms = excluded.at_ms",
        [draft.id, draft.call, msgspec.json.encode(draft).decode(), draft.updated_ms],
    )


def drop(store: Store, draft_id: str) -> None:
    """Inside ``writing`` only."""
    store.db.execute("DELETE FROM draft WHERE id = ?", [draft_id])


def listed(store: Store) -> list[Draft]:
    """All drafts, the last typed one first."""
    return [_decode(body) for (body,) in store.rows("SELECT body FROM draft ORDER BY at_ms DESC, rowid DESC")]


def for_call(store: Store, call: str) -> Draft | None:
    """The draft of that call, the last one if there were several."""
    body = store.value("SELECT body FROM draft WHERE call = ? ORDER BY at_ms DESC LIMIT 1", call) if call else None
    return None if body is None else _decode(body)


def became(store: Store, draft_id: str) -> str:
    """The card this draft was saved as, empty when it never was."""
    return str(store.value("SELECT card FROM saved WHERE draft = ?", draft_id) or "")


def mark_saved(store: Store, draft_id: str, card_id: str) -> None:
    """Inside ``writing`` only: from now on the draft can make no second card."""
    store.db.execute(
        "INSERT INTO saved(draft, card, at_ms) VALUES (?, ?, ?)", [draft_id, card_id, store.clock.now_ms()]
    )


def _decode(body: str) -> Draft:
    return msgspec.json.decode(body, type=Draft)
