"""A copied journal goes on under a device code of its own: what waits is sent again, known by the id it had.

Two journals that count under one code give different operations the same id. The server notices and refuses; the
journal it refuses takes a new code. What both copies have was settled under the old one before; what still waits was
made after they parted. Its old ids belong to the other copy, so whatever of ours refers to one of them is made to
refer to the new id (design 1.5, rule 1).
"""

from __future__ import annotations

import msgspec

from operator_tui.appeals.card import Status
from operator_tui.appeals.draft import Draft
from operator_tui.appeals.operations import Event, Operation, operation_id
from operator_tui.journal import cards, outbox
from operator_tui.journal.device import DeviceIdentity
from operator_tui.journal.store import Store

# The index of shown begins with the status.
_EVERY_STATUS = ", ".join(f"'{status.value}'" for status in Status)


class Former(msgspec.Struct, frozen=True):
    """An identity this journal had; what is under its code before ``to`` is ours and the copy's."""

    identity: DeviceIdentity
    to: int


def formers(store: Store) -> list[Former]:
    """The identities it had, the last one first."""
    return msgspec.json.decode(store.meta("formers", "[]"), type=list[Former])


def lacking(store: Store, former: Former, next_n: int) -> None:
    """The server lacks what we sent as ``former`` from ``next_n`` on: it waits again; inside ``writing`` only."""
    store.db.execute(
        "UPDATE outbox SET state = 'pending', seq = 0, result = NULL WHERE device = ? AND n >= ? AND n < ?",
        [former.identity.code, next_n, former.to],
    )


def waiting_as(store: Store, former: Former, limit: int) -> list[Operation]:
    """What waits under a former code, in order."""
    rows = store.rows(
        "SELECT body FROM outbox WHERE device = ? AND n < ? AND state = 'pending' ORDER BY n LIMIT ?",
        former.identity.code,
        former.to,
        limit,
    )
    return [outbox.decode(body) for (body,) in rows]


def go_on_as(store: Store, identity: DeviceIdentity, *, known: bool = True) -> None:
    """Take the identity and put the waiting operations into its queue; inside ``writing`` only. ``known``: the server
    knows the present one, which is kept as a former."""
    present = store.demand_device()
    old = present.code
    waiting = store.rows(
        "SELECT n, card, kind, body, at_ms, confirmed FROM outbox WHERE device = ? AND state = 'pending' ORDER BY n",
        old,
    )
    if known:
        parted = waiting[0][0] if waiting else int(store.meta("next_n", "1"))
        kept = [Former(present, parted), *formers(store)]
        store.set_meta("formers", msgspec.json.encode(kept).decode())
    moved = {operation_id(old, row[0]): operation_id(identity.code, n) for n, row in enumerate(waiting, 1)}
    touched: set[str] = set()
    earlier: dict[str, str] = {}  # an operation refers to ours before it; the same id from there on is the other copy's
    for n, (old_n, card, kind, body, at_ms, confirmed) in enumerate(waiting, 1):
        store.db.execute("DELETE FROM outbox WHERE device = ? AND n = ?", [old, old_n])
        own = operation_id(old, old_n)
        operation = _moved(outbox.decode(body), n, own, earlier)
        earlier[own] = moved[own]
        about = earlier.get(card, card)
        store.db.execute(
            "INSERT INTO outbox(device, n, card, kind, body, at_ms, confirmed) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                *(identity.code, n, about, kind),
                *(msgspec.json.encode(operation).decode(), at_ms, confirmed if about == card else 0),
            ],
        )
        touched |= {card, about}
    store.set_meta("device", msgspec.json.encode(identity).decode())
    store.set_meta("next_n", str(len(waiting) + 1))
    store.set_meta("durable", "0")
    _move_forms(store, moved)
    for card in touched - {""}:
        if card in moved:
            # Ours, kept for the screen after a change of epoch; the other copy's comes from the stream.
            store.db.execute("DELETE FROM card WHERE id = ? AND stale = 1", [card])
        cards.refresh(store, card)


def known_as(store: Store, n: int, op: str) -> set[str]:
    """The server had our operation ``n`` from another copy of this journal, as ``op``: what of ours refers to it means
    that one. Inside ``writing`` only; the cards to be shown anew.
    """
    device = store.demand_device().code
    own = operation_id(device, n)
    ids = {own: op}
    waiting = store.rows("SELECT n, card, body FROM outbox WHERE device = ? AND state = 'pending'", device)
    for other, card, body in waiting:
        operation = outbox.decode(body)
        meant = _moved(operation, other, operation.was, ids)
        if meant != operation or card == own:
            store.db.execute(
                "UPDATE outbox SET body = ?, card = ? WHERE device = ? AND n = ?",
                [msgspec.json.encode(meant).decode(), ids.get(card, card), device, other],
            )
    # Its event comes under the other id: what stands there already holds it.
    store.db.execute("UPDATE outbox SET confirmed = 1 WHERE device = ? AND n = ?", [device, n])
    store.db.execute("UPDATE outbox SET card = ? WHERE device = ? AND card = ?", [op, device, own])
    store.db.execute("UPDATE attention SET card = ? WHERE card = ?", [op, own])
    store.db.execute("DELETE FROM card WHERE id = ?", [own])
    _move_forms(store, ids)
    return {own, op}


def came_as(store: Store, event: Event) -> None:
    """A card of a lost lineage, kept for the screen, was returned by another copy of its journal.

    It has the id of ``event`` now: the old one gives way, what waits here for it means the new one. The old one is the
    id it was made with, or one that a copy had given it in the lineage that is lost: who made it and when tell it.
    Inside ``writing`` only.
    """
    made = store.rows(
        f"SELECT card.id, card.body FROM card JOIN shown ON shown.id = card.id "
        f"WHERE shown.status IN ({_EVERY_STATUS}) AND shown.created = ? AND card.stale = 1",
        event.at,
    )
    for id_, body in made:
        kept = cards.decode(body)
        if (kept.created, kept.author) == (event.at, event.by):
            _give_way(store, id_, event.op)


def _give_way(store: Store, old: str, new: str) -> None:
    """The card kept as ``old`` is the one that came as ``new``."""
    device, n = outbox.split_id(old)
    if store.value("SELECT 1 FROM outbox WHERE device = ? AND n = ? AND state = 'pending'", device, n):
        return  # ours to send: the answer says under which id it stands
    ids = {old: new}
    for other, number, plain in store.rows(
        "SELECT device, n, body FROM outbox WHERE card = ? AND state = 'pending'", old
    ):
        operation = outbox.decode(plain)
        store.db.execute(
            "UPDATE outbox SET body = ? WHERE device = ? AND n = ?",
            [msgspec.json.encode(_moved(operation, number, operation.was, ids)).decode(), other, number],
        )
    store.db.execute("UPDATE outbox SET card = ? WHERE card = ?", [new, old])
    store.db.execute("UPDATE attention SET card = ? WHERE card = ?", [new, old])
    store.db.execute("DELETE FROM card WHERE id = ?", [old])
    _move_forms(store, ids)
    cards.refresh(store, old)


def _moved(operation: Operation, n: int, was: str, moved: dict[str, str]) -> Operation:
    return msgspec.structs.replace(
        operation,
        n=n,
        was=operation.was or was,
        c=moved.get(operation.c, operation.c),
        b={field: moved.get(op, op) for field, op in operation.b.items()},
    )


def _move_forms(store: Store, moved: dict[str, str]) -> None:
    """Unsaved forms of our cards, and which card a form became."""
    for old, new in moved.items():
        store.db.execute("UPDATE saved SET card = ? WHERE card = ?", [new, old])
    for draft_id, body in store.rows("SELECT id, body FROM draft"):
        draft = msgspec.json.decode(body, type=Draft)
        draft.card = moved.get(draft.card, draft.card)
        draft.base = {field: moved.get(op, op) for field, op in draft.base.items()}
        store.db.execute("UPDATE draft SET body = ? WHERE id = ?", [msgspec.json.encode(draft).decode(), draft_id])
