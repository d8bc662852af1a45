"""What came back to the operator, and his decision about it: one transaction writes the card and ends the question."""

from __future__ import annotations

import msgspec

from operator_tui.appeals.card import Card
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.lifecycle import Act
from operator_tui.appeals.operations import Change, Event, Kind, change_of
from operator_tui.appeals.returned import Choice, Difference, Returned, differences, given_again, rivals, settled
from operator_tui.journal import cards, confirm, reference
from operator_tui.journal.confirm import Attention
from operator_tui.journal.store import Store


def returned(store: Store) -> list[Returned]:
    """Everything that waits for the operator, oldest first."""
    return [_shown(store, waiting) for waiting in confirm.attention(store)]


def waiting(store: Store) -> int:
    """How many there are."""
    return int(store.value("SELECT count(*) FROM attention WHERE done = 0"))


def settle(store: Store, op: str, choice: Choice) -> Card | None:
    """Write what was decided and end the question; inside ``writing`` only.

    Returns the card as it stands then, None for an appeal that was refused whole (its words are the caller's to put
    into a draft). Refusals come out and the question stays.
    """
    found = next((one for one in returned(store) if one.op == op), None)
    if found is None:
        raise Refusal(Code.BAD_REQUEST, field="op")
    card = found.card
    if found.kind == Kind.REFERENCE_SET and choice is Choice.MINE:
        reference.change(store, str(found.x["list"]), found.x["rows"])
    if card is not None:
        if found.act and choice is Choice.MINE:
            card = cards.move(store, card.id, Act(found.act), given_again(found.x))
        else:
            card = _write(store, card, found.differences, choice)
    confirm.dismiss(store, op)
    return card


def settle_rivals(store: Store, card_id: str, choice: Choice) -> Card:
    """Settle the values that stand beside one another on a card; inside ``writing`` only."""
    card = cards.demand(store, card_id)
    for one in returned(store):
        if one.reason is None and one.card is not None and one.card.id == card_id:
            confirm.dismiss(store, one.op)  # the same question in other words
    return _write(store, card, rivals(card), choice)


def _write(store: Store, card: Card, found: tuple[Difference, ...], choice: Choice) -> Card:
    wanted = settled(found, choice, card)
    return cards.set_seen(store, card, wanted) if wanted else card


def _shown(store: Store, one: Attention) -> Returned:
    body = store.value("SELECT body FROM event WHERE op = ?", one.op)
    change = change_of(msgspec.json.decode(body, type=Event)) if body is not None else Change()
    operation = one.operation
    act = str(operation.x.get("act", "")) if operation.k == Kind.CARD_MOVE else ""
    return Returned(
        op=one.op,
        kind=operation.k,
        act=act,
        reason=one.reason,
        card=one.card,
        differences=(
            reference.differences(store, operation)
            if operation.k == Kind.REFERENCE_SET
            else differences(operation, change, one.card, refused=one.reason is not None)
        ),
        x=operation.x,
        at_ms=one.at_ms,
    )
