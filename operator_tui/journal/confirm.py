"""What the server says: answers to our operations, events of the streams, a new epoch.

Everything here may come late, twice or out of order; applying it again changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from operator_tui.appeals.card import Card
from operator_tui.appeals.decide import apply
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import (
    CARD_KINDS,
    CARD_NOW,
    REFERENCE_KINDS,
    SHARED_KINDS,
    Change,
    Event,
    Operation,
    Outcome,
    change_of,
    operation_id,
    reference_stream,
    stream_for,
)
from operator_tui.journal import cards, files, forked, outbox, reference, shared, snapshot
from operator_tui.journal.store import Store

# Stands for the reference data among the ids of cards; no card has it.
_REFERENCE = "reference"
KEEP_SENT_MS = 7 * 24 * 3600 * 1000


class Attention(msgspec.Struct, frozen=True):
    """An operation of ours that the server refused, or joined with another's text; the operator's words are whole.

    ``reason`` is None when nothing was refused but both texts were kept (or an older one went to the history);
    ``card`` is the card as it is shown now, None when there is none.
    """

    op: str
    operation: Operation
    reason: Refusal | None
    card: Card | None
    at_ms: int


def settle(store: Store, outcomes: Sequence[Outcome], durable: int, code: str = "") -> None:
    """Take the answers to our operations, or to those of the former device ``code``; inside ``writing`` only."""
    device = store.demand_device()
    touched: set[str] = set()
    for outcome in outcomes:
        touched |= _settle_one(store, code or device.code, outcome)
    if durable > int(store.meta("durable", "0")):
        store.set_meta("durable", str(durable))
    for card_id in touched - {_REFERENCE}:
        cards.refresh(store, card_id)
    if _REFERENCE in touched:
        reference.load(store)
    if outcomes:
        outbox.forget_durable(store, before_ms=store.clock.now_ms() - KEEP_SENT_MS)


def _settle_one(store: Store, device: str, outcome: Outcome) -> set[str]:
    rows = store.rows("SELECT kind, card, state FROM outbox WHERE device = ? AND n = ?", device, outcome.n)
    if not rows or rows[0][2] != outbox.PENDING or outcome.s not in (outbox.APPLIED, outbox.MERGED, outbox.REJECTED):
        return set()
    kind, card_id, _ = rows[0]
    stream = stream_for(kind, store.demand_device().operator.organisation)
    arrived = outcome.s != outbox.REJECTED and (
        kind not in CARD_KINDS | REFERENCE_KINDS or (outcome.q > 0 and cursors(store).get(stream, 0) >= outcome.q)
    )
    store.db.execute(
        "UPDATE outbox SET state = ?, seq = ?, confirmed = max(confirmed, ?), result = ? WHERE device = ? AND n = ?",
        [outcome.s, outcome.q, int(arrived), msgspec.json.encode(outcome).decode(), device, outcome.n],
    )
    if outcome.s != outbox.APPLIED:
        _ask_attention(store, operation_id(device, outcome.n), card_id, outcome)
    touched = {card_id} if card_id and kind in CARD_KINDS else set()
    if kind in REFERENCE_KINDS:
        touched.add(_REFERENCE)
    if outcome.op not in ("", operation_id(device, outcome.n)):
        touched |= forked.known_as(store, device, outcome.n, outcome.op)
    return touched


def receive(store: Store, events: Iterable[Event]) -> list[str]:
    """Take events of streams, each only when it is the next of its stream; inside ``writing`` only.

    Returns the ids of the cards that changed.
    """
    at = cursors(store)
    changed: dict[str, None] = {}
    held = snapshot.taking(store)
    for event in events:
        if event.s == held:
            continue  # a card of the snapshot may be ahead of it
        if event.q != at.get(event.s, 0) + 1:
            continue  # a gap or an old one: asked for again from the cursor
        at[event.s] = event.q
        card_id = _receive_one(store, event)
        if card_id:
            changed[card_id] = None
    for stream, cursor in at.items():
        store.db.execute(
            "INSERT INTO stream(id, cursor) VALUES (?, ?) ON CONFLICT(id) DO UPDATE SET cursor = excluded.cursor",
            [stream, cursor],
        )
    if changed.pop(_REFERENCE, 0) is None:
        reference.load(store)
    for card_id in changed:
        cards.refresh(store, card_id)
    return list(changed)


def _receive_one(store: Store, event: Event) -> str:
    outbox.saw_stamp(store, event.at)
    change = change_of(event)
    card_id = event.c or (event.op if change.create else "")
    store.db.execute(
        "INSERT OR REPLACE INTO event(stream, q, card, op, body) VALUES (?, ?, ?, ?, ?)",
        [event.s, event.q, card_id, event.op, msgspec.json.encode(event).decode()],
    )
    if event.k in SHARED_KINDS:
        shared.note(store, event.k, event.x, event.by)
    if event.k == CARD_NOW:
        return _receive_now(store, event)
    if event.k in REFERENCE_KINDS:
        reference.receive(store, event)
        _own_arrived(store, event, "", change)
        return _REFERENCE
    if event.k not in CARD_KINDS or not card_id:
        return ""
    # A card that is made again comes from a server restored from a backup: what we kept for the screen gives way.
    before = None if change.create else cards.confirmed(store, card_id)
    if not change.create and (before is None or cards.only_kept(store, card_id)):
        # From before the snapshot this desk began with: it is asked for whole.
        snapshot.lacks(store, card_id)
        _own_arrived(store, event, card_id, change)
        return ""
    card = apply(before, change, op=event.op, at=event.at, by=event.by, stream=event.s)
    if card is not None:
        store.db.execute(
            "INSERT INTO card(id, stream, body, stale) VALUES (?, ?, ?, 0) "
            "ON CONFLICT(id) DO UPDATE SET stream = excluded.stream, body = excluded.body, stale = 0",
            [card.id, card.stream, cards.encode(card)],
        )
    if change.create:
        # Not what stands there under another copy's id: its events come by themselves. Nor what was settled under a
        # code we had before: in this lineage a copy may have sent it first, and been refused.
        store.db.execute(
            "UPDATE outbox SET confirmed = 0 "
            "WHERE card = ? AND (device = ? OR state = 'pending') AND coalesce(result ->> '$.op', '') = ''",
            [card_id, store.demand_device().code],
        )
        if card is not None:
            forked.came_as(store, card, change.was)
    _own_arrived(store, event, card_id, change)
    return card_id


def _receive_now(store: Store, event: Event) -> str:
    """A card as another organisation's act left it, whole or as a stub: what we had gives way to it."""
    try:
        card = msgspec.convert(event.x.get("card"), Card)
    except msgspec.ValidationError:
        return ""  # of a newer server
    store.db.execute(
        "INSERT INTO card(id, stream, body, stale) VALUES (?, ?, ?, 0) "
        "ON CONFLICT(id) DO UPDATE SET stream = excluded.stream, body = excluded.body, stale = 0",
        [card.id, card.stream, cards.encode(card)],
    )
    forked.came_as(store, card)
    return card.id


def _own_arrived(store: Store, event: Event, card_id: str, change: Change) -> None:
    """Our own operation came back as an event: it is settled, even if its answer was lost on the way."""
    device, n = outbox.split_id(event.op)
    rows = store.rows("SELECT state, body FROM outbox WHERE device = ? AND n = ?", device, n)
    if not rows:
        return
    state, body = rows[0]
    if state == outbox.PENDING:
        if not _says(event, change, outbox.decode(body)):
            return  # a copy of this journal took the number first, or the stamp was clamped: the answer will tell
        state = outbox.MERGED if change.lost or change.rival else outbox.APPLIED
        if state == outbox.MERGED:
            _ask_attention(store, event.op, card_id, Outcome(n=n, s=state, q=event.q))
    store.db.execute(
        "UPDATE outbox SET state = ?, seq = ?, confirmed = 1 WHERE device = ? AND n = ?", [state, event.q, device, n]
    )


def _says(event: Event, change: Change, operation: Operation) -> bool:
    """Whether the event plainly is this operation. Copies of a journal may give the same number and the same stamp."""
    if (event.k, event.at) != (operation.k, operation.at) or operation.c not in ("", event.c):
        return False
    written = {"deadline": change.deadline, **change.add, **change.lost, **change.rival, **change.set}
    wanted = {key: value for key, value in operation.x.items() if key != "act"}
    return change.act == operation.x.get("act", "") and all(written.get(key) == wanted[key] for key in wanted)


def cursors(store: Store) -> dict[str, int]:
    """How far each stream has been read. The organisation's stream is there from the first day, at 0."""
    device = store.device()
    at = {device.operator.organisation: 0} if device else {}
    return {**at, **dict(store.rows("SELECT id, cursor FROM stream"))}


def rewind(store: Store, next_n: int, epoch: str) -> None:
    """The server is another lineage (restored from a backup): read it again, send again what it may lack.

    Cards stay on the screen as they were until they come again; no operation is dropped. Inside ``writing`` only.
    """
    device = store.demand_device()
    store.set_meta("device", msgspec.json.encode(msgspec.structs.replace(device, epoch=epoch)).decode())
    store.db.execute("DELETE FROM stream")
    store.db.execute("UPDATE card SET stale = 1")
    durable = int(store.meta("durable", "0"))
    # What no copy holds goes again even if the server has something under its number: a copy of this journal may have
    # sent its own there first, and only the server can tell.
    first = min(next_n, durable + 1)
    # confirmed stays: the card kept for the screen already holds what those operations did.
    store.db.execute(
        "UPDATE outbox SET state = 'pending', seq = 0, result = NULL "
        "WHERE device = ? AND n >= ? AND state != 'pending'",
        [device.code, first],
    )
    outbox.judge_anew(store)
    store.set_meta("durable", str(min(durable, next_n - 1)))
    files.ask_again(store)


def lists_lost(store: Store) -> None:
    """The centre has no change of the lists in the lineage that is followed now; inside ``writing`` only. Those of a
    lineage that is lost go; nothing happens when a change has arrived meanwhile."""
    stream = reference_stream(store.demand_device().operator.organisation)
    if int(store.meta("reference", "0")) and not cursors(store).get(stream, 0):
        reference.begin_anew(store)
        reference.load(store)


def _ask_attention(store: Store, op: str, card_id: str, outcome: Outcome) -> None:
    reason = {"code": outcome.w, "params": outcome.p} if outcome.s == outbox.REJECTED else None
    store.db.execute(
        "INSERT INTO attention(op, card, reason, current, at_ms) VALUES (?, ?, ?, ?, ?) ON CONFLICT(op) DO NOTHING",
        [
            op,
            card_id,
            msgspec.json.encode(reason).decode(),
            msgspec.json.encode(outcome.cur).decode(),
            store.clock.now_ms(),
        ],
    )


def attention(store: Store) -> list[Attention]:
    """What waits for the operator's decision, oldest first."""
    found: list[Attention] = []
    for op, card_id, reason, at_ms in store.rows(
        "SELECT op, card, reason, at_ms FROM attention WHERE done = 0 ORDER BY at_ms, rowid"
    ):
        device, n = outbox.split_id(op)
        body = store.value("SELECT body FROM outbox WHERE device = ? AND n = ?", device, n)
        wire = msgspec.json.decode(reason)
        found.append(
            Attention(
                op=op,
                operation=outbox.decode(body),
                reason=Refusal.from_wire(wire) if wire else None,
                card=cards.shown(store, card_id) if card_id else None,
                at_ms=at_ms,
            )
        )
    return found


def dismiss(store: Store, op: str) -> None:
    """The operator has dealt with it; inside ``writing`` only. Refusal(BAD_REQUEST) when there is no such thing."""
    if store.db.execute("UPDATE attention SET done = 1 WHERE op = ?", [op]).rowcount == 0:
        raise Refusal(Code.BAD_REQUEST, field="op")
