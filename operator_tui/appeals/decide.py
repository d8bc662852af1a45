"""Decides what an operation does to a card, and applies it. The one place both ends import (DESIGN rule 3).

The desk decides to predict what it shows; the server decides for good and sends the Change in the event, so that
every desk applies the same thing whatever its version.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from operator_tui.appeals.card import FIELDS, Card, Merge, Status
from operator_tui.appeals.catalogue import AppealType, Catalogue
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.lifecycle import Act, make_move
from operator_tui.appeals.operations import CARD_KINDS, REQUIRED_KEYS, Change, Kind, Operation
from operator_tui.appeals.people import Role
from operator_tui.appeals.rights import Right, demand

# A text of an appeal longer than this is not an appeal but a mistake; it bounds what one operation can weigh.
MAX_TEXT = 100_000
_MOVE_FIELDS = ("result", "comment", "measures", "organisation", "new_date", "remark", "reason")
_PROTECTED = frozenset({"status", "worker", "closed_by", "result"})


@dataclass(frozen=True)
class Actor:
    """Who does it: the user's number, his role and the stream of his organisation."""

    user: int
    role: Role
    organisation: str


def decide(card: Card | None, operation: Operation, actor: Actor, catalogue: Catalogue) -> Change:
    """What the operation changes. ``card`` is the card as it stands, None when it does not exist yet.

    Refusals: UNKNOWN_KIND, UNKNOWN_CARD, FIELD_INVALID, FIELD_REQUIRED, STALE, LOCKED, and those of the life-cycle.
    """
    try:
        kind = Kind(operation.k)
    except ValueError:
        raise Refusal(Code.UNKNOWN_KIND, kind=operation.k) from None
    _demand_shape(kind, operation.x)
    if kind not in CARD_KINDS:
        return Change()
    if kind is Kind.CARD_NEW:
        return _create(card, operation, actor, catalogue)
    if card is None or card.stream != actor.organisation:
        raise Refusal(Code.UNKNOWN_CARD, card=operation.c)
    if kind is Kind.CARD_SET:
        return _set(card, operation, catalogue)
    return _move(card, operation, actor, catalogue)


def apply(card: Card | None, change: Change, *, op: str, at: str, by: int, stream: str) -> Card | None:
    """The card after the change; None when the change is not about a card."""
    if card is None:
        if not change.create:
            return None
        card = Card(
            id=op,
            stream=stream,
            rev=0,
            status=Status.IN_WORK,
            author=by,
            worker=by,
            fields={},
            stamps={},
            created=at,
        )
    fields = {**card.fields, **change.set}
    for field, items in change.add.items():
        fields[field] = [*card.fields.get(field, ()), *items]
    rival = {field: values for field, values in card.rival.items() if field not in change.set}
    for field, value in change.rival.items():
        rival[field] = [*rival.get(field, ()), value]
    # A value put beside another stamps the field as well: who writes next must have seen both.
    touched = [*change.set, *change.add, *change.rival, *(("status",) if change.status else ())]
    return msgspec.structs.replace(
        card,
        rev=card.rev + 1,
        status=Status(change.status) if change.status else card.status,
        worker=change.worker if change.status else card.worker,
        review=card.review if change.review is None else change.review,
        deadline=change.deadline or card.deadline,
        fields=fields,
        stamps={**card.stamps, **dict.fromkeys(touched, (op, at))},
        rival=rival,
    )


def _demand_shape(kind: Kind, given: Mapping[str, Any]) -> None:
    for key in REQUIRED_KEYS.get(kind, ()):
        if not given.get(key):
            raise Refusal(Code.FIELD_REQUIRED, field=key)
    for key, value in given.items():
        if isinstance(value, str) and len(value) > MAX_TEXT:
            raise Refusal(Code.FIELD_INVALID, field=key)


def _create(card: Card | None, operation: Operation, actor: Actor, catalogue: Catalogue) -> Change:
    if card is not None:
        raise Refusal(Code.STALE, card=card.id)
    demand(actor.role, Right.CARD_FROM_CALL)
    for field in ("type", "theme"):
        if not operation.x.get(field):
            raise Refusal(Code.FIELD_REQUIRED, field=field)
    plain, lists = _split(operation.x, catalogue)
    return Change(
        create=True,
        set=plain,
        add=lists,
        status=Status.IN_WORK.value,
        worker=actor.user,
        deadline=str(operation.x.get("deadline", "")),
    )


def _set(card: Card, operation: Operation, catalogue: Catalogue) -> Change:
    if card.status in (Status.IN_REVIEW, Status.CLOSED, Status.VOID):
        raise Refusal(Code.LOCKED, card=card.id, status=card.status.value)
    plain, lists = _split({**{"type": card.value("type")}, **operation.x}, catalogue)
    if "type" not in operation.x:
        plain.pop("type", None)
    accepted: dict[str, Any] = {}
    rival: dict[str, Any] = {}
    lost: dict[str, Any] = {}
    for field, value in plain.items():
        merge = FIELDS.get(field, Merge.LAST_WRITER)
        writer, stamp = card.stamps.get(field, ("", ""))
        if merge is Merge.CREATE_ONLY and writer:
            raise Refusal(Code.FIELD_INVALID, field=field)
        concurrent = writer != operation.b.get(field, "") and card.value(field) != value
        if not concurrent:
            accepted[field] = value
        elif merge is Merge.GUARDED:
            raise Refusal(Code.STALE, card=card.id, field=field)
        elif merge is Merge.KEEP_BOTH:
            rival[field] = value
        elif operation.at > stamp:
            accepted[field], lost[field] = value, card.value(field)
        else:
            lost[field] = value
    return Change(set=accepted, add=lists, rival=rival, lost=lost)


def _move(card: Card, operation: Operation, actor: Actor, catalogue: Catalogue) -> Change:
    writer, _ = card.stamps.get("status", ("", ""))
    if operation.b.get("status", "") != writer:
        raise Refusal(Code.STALE, card=card.id, field="status")
    try:
        act = Act(operation.x["act"])
    except ValueError:
        raise Refusal(Code.FIELD_INVALID, field="act") from None
    outcome = make_move(card, act, operation.x, user=actor.user, role=actor.role, catalogue=catalogue)
    fields = {key: operation.x[key] for key in _MOVE_FIELDS if operation.x.get(key)}
    if act is Act.CLOSE:
        fields["closed_by"] = actor.user
    answers = operation.x.get("answers")
    return Change(
        set=fields,
        add={"answers": list(answers)} if answers else {},
        status=outcome.status.value,
        worker=outcome.worker,
        review=outcome.review,
        deadline=outcome.deadline if outcome.deadline != card.deadline else "",
        act=act.value,
    )


def _split(given: Mapping[str, Any], catalogue: Catalogue) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    """Plain values and lists to add, after a look at each: type and theme must exist and fit one another."""
    plain: dict[str, Any] = {}
    lists: dict[str, list[Any]] = {}
    for field, value in given.items():
        if field in _PROTECTED:
            raise Refusal(Code.FIELD_INVALID, field=field)
        if FIELDS.get(field) is Merge.APPEND:
            if not isinstance(value, list):
                raise Refusal(Code.FIELD_INVALID, field=field)
            lists[field] = value
        elif field != "deadline":
            plain[field] = value
    if plain.get("type") and plain["type"] not in set(AppealType):
        raise Refusal(Code.FIELD_INVALID, field="type")
    if plain.get("theme") and catalogue.theme(plain["theme"]).type != plain.get("type"):
        raise Refusal(Code.FIELD_INVALID, field="theme")
    return plain, lists
