"""The appeal's life: the table of moves of functions.md 1.2 as data. Who may make a move, from where to where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum, StrEnum, auto
from typing import Any

from operator_tui.appeals.card import Card, Status, missing_to_close
from operator_tui.appeals.catalogue import AppealType, Catalogue
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.people import Role
from operator_tui.appeals.rights import Right, demand, may, may_close_type


class Act(StrEnum):
    """What can be done to an appeal that exists. The words in brackets are the commands of the manual."""

    CLOSE = "close"  # «Закрыть обращение»
    WITHDRAW = "withdraw"
    FORWARD = "forward"  # «Перевести»
    TAKE = "take"  # «Взять»
    RESUME = "resume"  # Отсроченный ответ -> В работе
    APPROVE = "approve"
    RETURN = "return"
    REOPEN = "reopen"
    REASSIGN = "reassign"
    VOID = "void"


class Who(Enum):
    """Whose move it is."""

    WORKER = auto()  # an administrator too must first give it to himself: no silent hand in another's appeal
    CLOSER = auto()
    ADMINISTRATOR = auto()
    OTHER_ADMINISTRATOR = auto()  # an administrator, but not the one who closed it
    FIRST = auto()  # anyone, as long as it has no worker yet


@dataclass(frozen=True)
class Move:
    """One row of the table. ``target`` None keeps the status."""

    act: Act
    sources: frozenset[Status]
    target: Status | None
    who: Who
    required: tuple[str, ...] = ()


_OPEN = frozenset({Status.IN_WORK, Status.DEFERRED, Status.IN_REVIEW})
MOVES: dict[Act, Move] = {
    move.act: move
    for move in (
        Move(Act.CLOSE, frozenset({Status.IN_WORK}), None, Who.WORKER),  # the result decides the target
        Move(Act.WITHDRAW, frozenset({Status.IN_REVIEW}), Status.IN_WORK, Who.CLOSER),
        Move(Act.FORWARD, frozenset({Status.IN_WORK}), Status.IN_WORK, Who.WORKER, ("operator",)),
        Move(Act.TAKE, frozenset({Status.DEFERRED}), Status.DEFERRED, Who.FIRST),
        Move(Act.RESUME, frozenset({Status.DEFERRED}), Status.IN_WORK, Who.WORKER),
        Move(Act.APPROVE, frozenset({Status.IN_REVIEW}), Status.CLOSED, Who.OTHER_ADMINISTRATOR),
        Move(Act.RETURN, frozenset({Status.IN_REVIEW}), Status.IN_WORK, Who.ADMINISTRATOR, ("remark",)),
        Move(Act.REOPEN, frozenset({Status.CLOSED}), Status.IN_WORK, Who.ADMINISTRATOR),
        Move(Act.REASSIGN, _OPEN, None, Who.ADMINISTRATOR, ("operator",)),
        Move(Act.VOID, _OPEN, Status.VOID, Who.ADMINISTRATOR, ("reason",)),
    )
}

# What the next_status words of results.csv mean.
_RESULT_STATUS = {
    "На рассмотрении": Status.IN_REVIEW,
    "Отсроченный ответ": Status.DEFERRED,
    "В работе": Status.IN_WORK,
}
EXTENSION = "extension"
FINAL = "final"


@dataclass(frozen=True)
class Outcome:
    """What a move makes of the appeal."""

    status: Status
    worker: int | None
    review: str
    deadline: str


def make_move(
    card: Card, act: Act, given: Mapping[str, Any], *, user: int, role: Role, catalogue: Catalogue
) -> Outcome:
    """The outcome of an act, or a Refusal: MOVE_NOT_ALLOWED, NOT_YOUR_APPEAL, RIGHT_MISSING, FIELD_REQUIRED.

    ``given`` holds what the act needs: ``result`` with its fields for CLOSE, ``operator`` (a user's number) to
    hand on, ``remark``, ``reason``, ``new_date`` (ISO).
    """
    move = MOVES[act]
    if card.status not in move.sources:
        raise Refusal(Code.MOVE_NOT_ALLOWED, act=act.value, status=card.status.value)
    _demand_mover(card, move, user=user, role=role)
    for field in move.required:
        if not given.get(field):
            raise Refusal(Code.FIELD_REQUIRED, field=field)
    if act is Act.CLOSE:
        return _close(card, given, user=user, role=role, catalogue=catalogue)
    worker = _new_worker(card, act, given, user)
    if act is Act.APPROVE and card.review == EXTENSION:
        # Approving an extension does not close: work goes on to the new date (functions.md 1.2).
        return Outcome(Status.IN_WORK, worker, "", str(card.fields.get("new_date", card.deadline)))
    return Outcome(move.target or card.status, worker, "" if move.target else card.review, card.deadline)


def _demand_mover(card: Card, move: Move, *, user: int, role: Role) -> None:
    administrator = may(role, Right.APPROVE)
    match move.who:
        case Who.WORKER if card.worker != user:
            raise Refusal(Code.NOT_YOUR_APPEAL, card=card.id)
        case Who.FIRST if card.worker is not None:
            raise Refusal(Code.NOT_YOUR_APPEAL, card=card.id)
        case Who.CLOSER if card.fields.get("closed_by") != user:
            raise Refusal(Code.NOT_YOUR_APPEAL, card=card.id)
        case Who.ADMINISTRATOR | Who.OTHER_ADMINISTRATOR if not administrator:
            raise Refusal(Code.RIGHT_MISSING, right=Right.APPROVE.value)
        case Who.OTHER_ADMINISTRATOR if card.fields.get("closed_by") == user:
            raise Refusal(Code.RIGHT_MISSING, right=Right.APPROVE.value)
        case _:
            return


def _close(card: Card, given: Mapping[str, Any], *, user: int, role: Role, catalogue: Catalogue) -> Outcome:
    if missing := missing_to_close(card.fields, given, catalogue):
        raise Refusal(Code.FIELD_REQUIRED, field=missing[0])
    demand(role, Right.CLOSE_OWN)
    result = catalogue.result(str(given["result"]))
    type_ = AppealType(card.value("type"))
    if type_ not in result.types:
        raise Refusal(Code.FIELD_INVALID, field="result")
    if result.final and not may_close_type(role, type_):
        raise Refusal(Code.RIGHT_MISSING, right=Right.CLOSE_ANY_TYPE.value)
    status = _RESULT_STATUS[result.next_status]
    worker = card.worker
    if result.hands_on:
        worker = _named(given) if given.get("operator") else user
    review = "" if status is not Status.IN_REVIEW else (FINAL if result.final else EXTENSION)
    if "new_date" in result.required:
        _demand_later(str(given["new_date"]), card.deadline)
    return Outcome(status, worker, review, card.deadline)


def _new_worker(card: Card, act: Act, given: Mapping[str, Any], user: int) -> int | None:
    if act in (Act.FORWARD, Act.REASSIGN):
        return _named(given)
    return user if act is Act.TAKE else card.worker


def _named(given: Mapping[str, Any]) -> int:
    """The user's number of the operator to hand on to."""
    named = str(given["operator"])
    # Fifteen digits fit every column; int() itself gives up on thousands of them.
    if not (named.isascii() and named.isdigit() and len(named) <= 15):
        raise Refusal(Code.FIELD_INVALID, field="operator")
    return int(named)


def _demand_later(new_date: str, deadline: str) -> None:
    """An extension names a local date after the one it extends (K-6.1.6)."""
    try:
        later = not deadline or date.fromisoformat(new_date) > date.fromisoformat(deadline)
    except ValueError:
        later = False
    if not later:
        raise Refusal(Code.FIELD_INVALID, field="new_date")
