"""What came back: an operator's words beside what stands on the card, and what each way of settling them writes.

Nothing that was typed is lost when two people wrote at once (DESIGN rule 3): the operator sees both values and
says with one key which one stays. Pure: the journal gives the cards and writes the outcome.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

import msgspec

from operator_tui.appeals.card import FIELD_TITLES, FIELDS, GUARDED_FIELDS, Card, Merge
from operator_tui.appeals.errors import Refusal
from operator_tui.appeals.operations import Change, Kind, Operation


class Choice(StrEnum):
    """How two values are settled."""

    MINE = "mine"
    THEIRS = "theirs"
    COMMENT = "comment"  # what stands on the card stays, mine is added to the comment


class Difference(msgspec.Struct, frozen=True):
    """One field with two values; ``theirs`` is what stands on the card."""

    field: str
    mine: Any
    theirs: Any


class Returned(msgspec.Struct, frozen=True):
    """An operation that came back, as the operator is shown it.

    ``op`` is empty for values that merely stand beside one another on a card; ``act`` is the move that was refused,
    empty for an edit; ``reason`` is None when nothing was refused; ``card`` is None when there is no such card.
    """

    op: str
    kind: str
    act: str
    reason: Refusal | None
    card: Card | None
    differences: tuple[Difference, ...]
    x: dict[str, Any] = {}
    at_ms: int = 0


# Written by the journal itself, nothing an operator said.
_SILENT = frozenset({"act", "number", "call", "source", "catalogue", "zone", "deadline", "answers", "links"})


def differences(operation: Operation, change: Change, card: Card | None, *, refused: bool) -> tuple[Difference, ...]:
    """What the operator said and the card does not say now. ``change`` is what became of a merged operation."""
    if refused or card is None:
        said = {field: value for field, value in operation.x.items() if field not in _SILENT}
        return tuple(
            Difference(field, value, card.value(field) if card else "")
            for field, value in said.items()
            if value not in ("", None) and (card is None or card.value(field) != value)
        )
    found = [Difference(field, value, card.value(field)) for field, value in change.rival.items()]
    for field, value in change.lost.items():
        mine = operation.x.get(field)
        # Ours came later and won: what gave way is the other's, and stands as "theirs".
        theirs = value if mine != value else card.value(field)
        if mine not in ("", None) and mine != theirs:
            found.append(Difference(field, mine, theirs))
    return tuple(found)


def rivals(card: Card) -> tuple[Difference, ...]:
    """«Расхождение»: values that stand beside the one on the card."""
    return tuple(
        Difference(field, value, card.value(field)) for field, values in card.rival.items() for value in values
    )


def settled(found: Sequence[Difference], choice: Choice, card: Card) -> dict[str, Any]:
    """The fields to write so that ``choice`` holds; empty when the card already says so."""
    plain = [one for one in found if one.field in FIELDS and one.field not in GUARDED_FIELDS]
    if choice is Choice.MINE:
        wanted = {one.field: one.mine for one in plain}
    else:
        wanted = {one.field: one.theirs for one in plain}
    if choice is Choice.COMMENT:
        wanted["comment"] = with_comment(str(wanted.get("comment", card.value("comment"))), found)
    return {
        field: value for field, value in wanted.items() if value != card.value(field) or _stands_beside(card, field)
    }


def _stands_beside(card: Card, field: str) -> bool:
    return FIELDS.get(field) is Merge.KEEP_BOTH and bool(card.rival.get(field))


def with_comment(comment: str, found: Sequence[Difference]) -> str:
    """The comment with the operator's own values after it, each once."""
    lines = [comment] if comment else []
    for one in found:
        text = str(one.mine) if one.field == "comment" else f"{FIELD_TITLES.get(one.field, one.field)}: {one.mine}"
        if text and text not in comment:
            lines.append(text)
    return "\n".join(lines)


def given_again(x: Mapping[str, Any]) -> dict[str, Any]:
    """What a refused move was given, to be tried once more."""
    return {key: value for key, value in x.items() if key != "act"}


def is_new(returned: Returned) -> bool:
    """Whether it was the appeal itself that the server refused."""
    return returned.kind == Kind.CARD_NEW
