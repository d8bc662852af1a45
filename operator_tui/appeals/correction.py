"""«Просить исправить»: a closed appeal is corrected by the administrator, who is shown the old and the new value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from operator_tui.appeals.card import FIELDS, GUARDED_FIELDS, Card, Merge
from operator_tui.appeals.errors import Code, Refusal

CORRECTION = "correction"
# What was decided or counted with the appeal is not a slip of the pen: that is «Открыть снова».
_FIXED = frozenset({"type", "theme"}) | {name for name, merge in FIELDS.items() if merge is Merge.CREATE_ONLY}


class Correction(msgspec.Struct, frozen=True):
    """One asked for: the field with its old and its new value, why, and by whom."""

    field: str
    old: str
    new: str
    reason: str
    by: int


def correction_of(card: Card) -> Correction | None:
    """What is asked for on the card, None when nothing is."""
    asked = card.value("correction")
    if not isinstance(asked, str) or not asked:
        return None
    try:
        return msgspec.json.decode(asked, type=Correction)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None


def correctable(field: str) -> bool:
    """Whether the field may be corrected so."""
    merge = FIELDS.get(field)
    return merge not in (None, Merge.APPEND) and field not in GUARDED_FIELDS | _FIXED


def ask(card: Card, given: Mapping[str, Any], by: int) -> str:
    """The field ``correction``. ``given`` has ``field``, ``value``, ``reason``. Refusal(FIELD_INVALID)."""
    field, new = str(given["field"]), str(given["value"])
    old = str(card.value(field))
    if not correctable(field) or new == old:
        raise Refusal(Code.FIELD_INVALID, field="value" if correctable(field) else "field")
    asked = Correction(field=field, old=old, new=new, reason=str(given["reason"]), by=by)
    return msgspec.json.encode(asked).decode()


def demand(card: Card) -> Correction:
    """Refusal(NOTHING_ASKED) when no correction waits."""
    asked = correction_of(card)
    if asked is None:
        raise Refusal(Code.NOTHING_ASKED)
    return asked
