"""Cards: what the screen is shown, and the operator's acts on them.

``shown`` is the confirmed card with this desk's unconfirmed operations folded in, in order, by the very rules the
server uses (design 1.5, rule 5).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from operator_tui.appeals.card import Card, missing_to_save
from operator_tui.appeals.deadlines import answer_deadline
from operator_tui.appeals.decide import Actor, apply, decide
from operator_tui.appeals.draft import Draft, changes, filled
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.lifecycle import Act
from operator_tui.appeals.number import number_to_tell
from operator_tui.appeals.operations import Kind, Operation, operation_id
from operator_tui.journal import drafts, outbox
from operator_tui.journal.finding import find_columns
from operator_tui.journal.store import Store

# Fields of a new card that the journal fills itself, whatever a draft holds.
_OWN_FIELDS = frozenset({"number", "zone", "catalogue", "deadline"})


def shown(store: Store, card_id: str) -> Card | None:
    """The card as the screen sees it."""
    body = store.value("SELECT body FROM shown WHERE id = ?", card_id)
    return None if body is None else decode(body)


def demand(store: Store, card_id: str) -> Card:
    """Refusal(UNKNOWN_CARD) when this journal has no such card."""
    card = shown(store, card_id)
    if card is None:
        raise Refusal(Code.UNKNOWN_CARD, card=card_id)
    return card


def decode(body: str) -> Card:
    """A card as it was written; keys a newer release added are skipped."""
    return msgspec.json.decode(body, type=Card)


def encode(card: Card) -> str:
    """The card's one written form."""
    return msgspec.json.encode(card).decode()


def confirmed(store: Store, card_id: str) -> Card | None:
    """The card as the server has confirmed it to this desk."""
    body = store.value("SELECT body FROM card WHERE id = ?", card_id)
    return None if body is None else decode(body)


def fold(store: Store, card_id: str) -> Card | None:
    """The confirmed card with every operation of ours that is not in it yet.

    An operation that the rules now refuse is left out: the server will refuse it too and send it back.
    """
    card = confirmed(store, card_id)
    rows = store.rows(
        "SELECT device, body FROM outbox WHERE card = ? AND confirmed = 0 AND state != 'rejected' ORDER BY at_ms, n",
        card_id,
    )
    if not rows:
        return card
    actor = store.actor()
    for device, body in rows:
        operation = outbox.decode(body)
        try:
            card = _predict(store, card, operation, operation_id(device, operation.n), actor)
        except Refusal:
            continue
    return card


def refresh(store: Store, card_id: str) -> Card | None:
    """Make ``shown`` and the full-text index agree with the fold; inside ``writing`` only."""
    card = fold(store, card_id)
    if card is None:
        store.db.execute("DELETE FROM shown WHERE id = ?", [card_id])
        return None
    row = {**find_columns(card), "body": encode(card)}
    store.db.execute(
        f"INSERT INTO shown({', '.join(row)}) VALUES ({', '.join('?' * len(row))}) "
        f"ON CONFLICT(id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in row)}",
        list(row.values()),
    )
    return card


def save(store: Store, draft: Draft) -> Card:
    """«Сохранить» of a draft; inside ``writing`` only, together with the draft's end. See Journal.save."""
    known = drafts.became(store, draft.id)
    card_id = draft.card or known
    card = _change(store, draft, card_id, made_here=bool(known)) if card_id else _create(store, draft)
    drafts.drop(store, draft.id)
    return card


def move(store: Store, card_id: str, act: Act, given: Mapping[str, Any]) -> Card:
    """An act of the life-cycle on the card as it is shown; inside ``writing`` only. See Journal.move."""
    card = demand(store, card_id)
    x = {"act": act.value, **{key: value for key, value in given.items() if value not in ("", None, [])}}
    writer, _ = card.stamps.get("status", ("", ""))
    return _act(store, card, Kind.CARD_MOVE, x, {"status": writer})


def _create(store: Store, draft: Draft) -> Card:
    fields = {field: value for field, value in filled(draft).items() if field not in _OWN_FIELDS}
    if missing := missing_to_save(fields):
        raise Refusal(Code.FIELD_REQUIRED, field=missing[0])
    device = store.demand_device()
    _, n = outbox.upcoming(store)
    zone = device.operator.zone
    theme = store.catalogue.theme(str(fields["theme"]))
    x = {
        "number": number_to_tell(device.number, n),
        "zone": zone,
        "catalogue": store.catalogue.version,
        "deadline": answer_deadline(theme, store.clock.now_ms(), zone),
        **fields,
    }
    if draft.call:
        x["call"] = draft.call
    card = _act(store, None, Kind.CARD_NEW, x, {})
    drafts.mark_saved(store, draft.id, card.id)
    return card


def _change(store: Store, draft: Draft, card_id: str, *, made_here: bool) -> Card:
    card = demand(store, card_id)
    changed = {field: value for field, value in changes(draft, card).items() if field not in _OWN_FIELDS}
    if not changed:
        return card
    # A draft that made the card has seen nothing but its own values, written by the card's first operation.
    seen = dict.fromkeys(changed, card.id) if made_here else draft.base
    b = {field: seen[field] for field in changed if field in seen and field in card.stamps}
    return _act(store, card, Kind.CARD_SET, changed, b)


def _act(store: Store, card: Card | None, kind: Kind, x: dict[str, Any], b: dict[str, str]) -> Card:
    """Predict, write, show. A refusal leaves nothing written: the transaction is the caller's."""
    operation = outbox.append(store, kind, x, card=card.id if card else "", b=b)
    op = operation_id(store.demand_device().code, operation.n)
    predicted = _predict(store, card, operation, op, store.actor())
    if predicted is None:
        raise Refusal(Code.UNKNOWN_CARD, card=operation.c)
    return refresh(store, predicted.id) or predicted


def _predict(store: Store, card: Card | None, operation: Operation, op: str, actor: Actor) -> Card | None:
    change = decide(card, operation, actor, store.catalogue)
    return apply(card, change, op=op, at=operation.at, by=actor.user, stream=actor.organisation)
