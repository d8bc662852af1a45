"""Cards: what the screen is shown, and the operator's acts on them.

``shown`` is the confirmed card with this desk's unconfirmed operations folded in, in order, by the very rules the
server uses (design 1.5, rule 5).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from operator_tui.appeals.card import FIELDS, GUARDED_FIELDS, Card, Merge, missing_to_save
from operator_tui.appeals.deadlines import answer_deadline
from operator_tui.appeals.decide import Actor, apply, decide
from operator_tui.appeals.draft import Draft, changes, filled
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.lifecycle import Act, make_move
from operator_tui.appeals.number import number_to_tell
from operator_tui.appeals.operations import Event, Kind, Operation, change_of, operation_id
from operator_tui.appeals.organisations import shared_after
from operator_tui.journal import drafts, nearing, outbox
from operator_tui.journal.finding import find_columns
from operator_tui.journal.store import Store

# What a draft may hold and a save does not send: fields the journal fills itself, and those that moves write
# (the form offers a result before it is given).
_NOT_SAVED = GUARDED_FIELDS | {"number", "zone", "catalogue", "form", "deadline", "operator"}


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


def only_kept(store: Store, card_id: str) -> bool:
    """Whether the confirmed card is one of another time, kept for the screen."""
    return bool(store.value("SELECT stale FROM card WHERE id = ?", card_id))


def fold(store: Store, card_id: str) -> Card | None:
    """The confirmed card with every operation of ours that is not in it yet.

    An operation that the rules now refuse is left out: the server will refuse it too and send it back.
    """
    card = confirmed(store, card_id)
    rows = store.rows(
        "SELECT device, body FROM outbox WHERE card = ? AND confirmed = 0 AND state != 'rejected' ORDER BY rowid",
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
    row = columns(store, card)
    if card.shared and not row.get("elsewhere", "-") and card.stream != store.actor().organisation:
        # Sent from here and shown whole since it was closed there (the fund's): it stays among what was sent.
        sent = store.value("SELECT elsewhere FROM shown WHERE id = ?", card_id)
        row["elsewhere"] = card.stream if sent else ""
    store.db.execute(
        f"INSERT INTO shown({', '.join(row)}) VALUES ({', '.join('?' * len(row))}) "
        f"ON CONFLICT(id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in row)}",
        list(row.values()),
    )
    return card


def columns(store: Store, card: Card) -> dict[str, Any]:
    """The row of ``shown``."""
    return {**find_columns(card), "nearest": nearing.column(store, card), "body": encode(card)}


def save(store: Store, draft: Draft) -> Card:
    """«Сохранить» of a draft; inside ``writing`` only, together with the draft's end. See Journal.save."""
    known = drafts.became(store, draft.id)
    card_id = draft.card or known
    card = _change(store, draft, card_id, made_here=bool(known)) if card_id else _create(store, draft)
    drafts.drop(store, draft.id)
    return card


def keep_draft(store: Store, draft: Draft) -> None:
    """Write the form as it stands; inside ``writing`` only.

    A draft that comes late, after it was saved, is a draft of that card, and none at all if nothing differs.
    """
    known = "" if draft.card else drafts.became(store, draft.id)
    if known:
        draft.card, draft.base = known, dict.fromkeys(draft.fields, known)
        card = shown(store, known)
        if card is not None and not _to_send(changes(draft, card)):
            return
    drafts.put(store, draft)


def move(store: Store, card_id: str, act: Act, given: Mapping[str, Any]) -> Card:
    """An act of the life-cycle on the card as it is shown; inside ``writing`` only. See Journal.move."""
    card = demand(store, card_id)
    said = {key: value for key, value in given.items() if value not in ("", None, []) and not _stands(card, key, value)}
    written = ("status", *(key for key in said if key in FIELDS and key not in GUARDED_FIELDS))
    b = {key: card.stamps[key][0] for key in written if key in card.stamps}
    return _act(store, card, Kind.CARD_MOVE, {**said, "act": act.value}, b)


def demand_movable(store: Store, card_id: str, act: Act, given: Mapping[str, Any]) -> None:
    """The refusal that ``move`` would raise, before anything is written."""
    actor = store.actor()
    card = demand(store, card_id)
    make_move(card, act, given, user=actor.user, role=actor.role, catalogue=store.catalogue, groups=actor.groups)


def set_seen(store: Store, card: Card, fields: Mapping[str, Any]) -> Card:
    """Write fields by somebody who has the card as it stands before his eyes; inside ``writing`` only."""
    b = {field: card.stamps[field][0] for field in fields if field in card.stamps}
    return _act(store, card, Kind.CARD_SET, dict(fields), b)


def _stands(card: Card, field: str, value: Any) -> bool:
    """Whether the text is on the card already, alone or beside another's: saying it again would remove the other."""
    return FIELDS.get(field) is Merge.KEEP_BOTH and value in (card.value(field), *card.rival.get(field, ()))


def _to_send(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in fields.items() if field not in _NOT_SAVED}


def save_promised(store: Store, draft: Draft, promise: Mapping[str, Any]) -> Card:
    """A card that is an «Отсроченный ответ» at once; inside ``writing`` only. See Journal.save_promised."""
    card = _create(store, draft, {key: value for key, value in promise.items() if value not in ("", None)})
    drafts.drop(store, draft.id)
    return card


def _create(store: Store, draft: Draft, promise: Mapping[str, Any] | None = None) -> Card:
    fields = {**_to_send(filled(draft)), **(promise or {})}
    if missing := missing_to_save(fields):
        raise Refusal(Code.FIELD_REQUIRED, field=missing[0])
    device = store.demand_device()
    _, n = outbox.upcoming(store)
    zone = device.operator.zone
    theme = store.catalogue.theme(str(fields["theme"])) if fields.get("theme") else None
    x = {
        "number": number_to_tell(device.number, n),
        "zone": zone,
        "catalogue": store.catalogue.version,
        "deadline": answer_deadline(store.catalogue.days_of(theme), store.clock.now_ms(), zone),
        **fields,
    }
    if form := store.catalogue.forms.version_for(str(fields.get("type", "")), str(fields.get("theme", ""))):
        x["form"] = form
    if draft.call:
        x["call"] = draft.call
    card = _act(store, None, Kind.CARD_NEW, x, {})
    drafts.mark_saved(store, draft.id, card.id)
    return card


def _change(store: Store, draft: Draft, card_id: str, *, made_here: bool) -> Card:
    card = demand(store, card_id)
    if not made_here:
        _recall_seen(store, draft, card)
    changed = _to_send(changes(draft, card))
    if not changed:
        return card
    # A draft that made the card has seen nothing but its own values, written by the card's first operation.
    seen = dict.fromkeys(changed, card.id) if made_here else draft.base
    b = {field: seen[field] for field in changed if field in seen and field in card.stamps}
    return _act(store, card, Kind.CARD_SET, changed, b)


def _recall_seen(store: Store, draft: Draft, card: Card) -> None:
    """Fill in the values the operator saw where the draft only says which operation had written them.

    Without it a field that another has changed since would look like one the operator changed back.
    """
    for field, op in draft.base.items():
        writer, _ = card.stamps.get(field, ("", ""))
        if field not in draft.seen and field in draft.fields and op != writer:
            value = written_by(store, op, field)
            if value is not None:
                draft.seen[field] = value


def written_by(store: Store, op: str, field: str) -> Any | None:
    """What an operation wrote into a plain field of a card, None when this journal does not know."""
    body = store.value("SELECT body FROM event WHERE op = ?", op)
    if body is not None:
        return change_of(msgspec.json.decode(body, type=Event)).set.get(field)
    device, n = outbox.split_id(op)
    body = store.value("SELECT body FROM outbox WHERE device = ? AND n = ?", device, n)
    return None if body is None else outbox.decode(body).x.get(field)


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
    after = apply(card, change, op=op, at=operation.at, by=actor.user, stream=actor.organisation)
    if card is not None and after is not None and after.stream != card.stream:
        after = msgspec.structs.replace(after, shared=shared_after(card, after))
    return after
