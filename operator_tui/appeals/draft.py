"""A draft: the form of a card as it stands on the screen, before «Сохранить»."""

from __future__ import annotations

import secrets
from typing import Any

import msgspec

from operator_tui.appeals.card import FIELDS, Card, Merge


class Draft(msgspec.Struct):
    """An unsaved form. Mutable: the screen writes into it as the operator types.

    ``id`` is local and random, never sent; ``card`` names the existing card being edited (empty for a new one);
    ``base`` says for each field which operation wrote the value the operator saw, ``seen`` what that value was;
    ``screen`` keeps the cursor and the focused field, so that a desk started again stands where it stood.
    """

    id: str
    fields: dict[str, Any] = {}
    call: str = ""
    card: str = ""
    base: dict[str, str] = {}
    seen: dict[str, Any] = {}
    updated_ms: int = 0
    screen: dict[str, Any] = {}


def new_draft(*, call: str = "", fields: dict[str, Any] | None = None) -> Draft:
    """An empty form, or one that a call has already filled in part."""
    return Draft(id=secrets.token_hex(8), call=call, fields=dict(fields or {}))


def draft_of(card: Card) -> Draft:
    """The form of «Редактирование»: the card's values with what wrote each of them."""
    return Draft(
        id=secrets.token_hex(8),
        card=card.id,
        fields=dict(card.fields),
        base={field: op for field, (op, _) in card.stamps.items()},
        seen=dict(card.fields),
    )


def filled(draft: Draft) -> dict[str, Any]:
    """What a new card gets: every field that is not empty."""
    return {field: value for field, value in draft.fields.items() if value not in ("", None, [])}


def changes(draft: Draft, card: Card) -> dict[str, Any]:
    """What the operator changed in an existing card: plain fields with the new value, lists with what was added.

    A field whose seen value the draft does not know is compared with the card as it is shown.
    """
    changed: dict[str, Any] = {}
    for field, value in draft.fields.items():
        before = draft.seen.get(field, card.value(field))
        if FIELDS.get(field) is Merge.APPEND:
            added = [item for item in value or [] if item not in (before or [])]
            # What is on the card already (a second press of the key) is not added again.
            added = [item for item in added if item not in (card.value(field) or [])]
            if added:
                changed[field] = added
        elif value != before and value != card.value(field):
            changed[field] = value
    return changed
