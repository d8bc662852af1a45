"""The appeal's life: the table of moves of functions.md 1.2 as data. Who may make a move, from where to where."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import Any

from operator_tui.appeals.card import Card, Status, missing_to_close
from operator_tui.appeals.catalogue import AppealType, Catalogue
from operator_tui.appeals.correction import CORRECTION
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.people import Role
from operator_tui.appeals.promises import GIVING_UP, demand_attempts
from operator_tui.appeals.rights import Right, demand, may, may_close_type
from operator_tui.appeals.terms import demand_extension


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
    DEFER = "defer"  # «Отсроченный ответ себе», to another or to a group
    PROMISE = "promise"  # another time, number or person to ask for
    TELL = "tell"  # «Сообщить заявителю»
    SEND = "send"  # to another organisation, which takes it whole
    ASK_CORRECTION = "ask_correction"  # «Просить исправить»


class Who(Enum):
    """Whose move it is."""

    WORKER = auto()  # an administrator too must first give it to himself: no silent hand in another's appeal
    CLOSER = auto()
    ADMINISTRATOR = auto()
    OTHER_ADMINISTRATOR = auto()  # an administrator, but not the one who closed it
    FIRST = auto()  # a member of its group, as long as it has no worker yet
    CONCERNED = auto()  # its author, its worker or who closed it


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
        # The result decides the target. Out of «Отсроченный ответ» only when nobody could be reached (R20).
        Move(Act.CLOSE, frozenset({Status.IN_WORK, Status.DEFERRED}), None, Who.WORKER),
        Move(Act.WITHDRAW, frozenset({Status.IN_REVIEW}), Status.IN_WORK, Who.CLOSER),
        Move(Act.FORWARD, frozenset({Status.IN_WORK}), Status.IN_WORK, Who.WORKER, ("operator",)),
        Move(Act.SEND, frozenset({Status.IN_WORK}), None, Who.WORKER, ("to",)),
        Move(Act.TAKE, frozenset({Status.DEFERRED, Status.IN_WORK}), None, Who.FIRST),
        Move(Act.RESUME, frozenset({Status.DEFERRED}), Status.IN_WORK, Who.WORKER),
        # Of a closed appeal: the correction that was asked for.
        Move(Act.APPROVE, frozenset({Status.IN_REVIEW, Status.CLOSED}), Status.CLOSED, Who.OTHER_ADMINISTRATOR),
        Move(Act.RETURN, frozenset({Status.IN_REVIEW, Status.CLOSED}), Status.IN_WORK, Who.ADMINISTRATOR, ("remark",)),
        Move(Act.REOPEN, frozenset({Status.CLOSED}), Status.IN_WORK, Who.ADMINISTRATOR),
        Move(Act.REASSIGN, _OPEN, None, Who.ADMINISTRATOR, ("operator",)),
        Move(Act.VOID, _OPEN, Status.VOID, Who.ADMINISTRATOR, ("reason",)),
        Move(Act.DEFER, frozenset({Status.IN_WORK}), Status.DEFERRED, Who.WORKER, ("promise_due",)),
        Move(Act.PROMISE, frozenset({Status.DEFERRED}), Status.DEFERRED, Who.WORKER, ("promise_due",)),
        Move(Act.TELL, _OPEN | {Status.CLOSED}, None, Who.WORKER, ("told_way", "told_on")),
        Move(Act.ASK_CORRECTION, frozenset({Status.CLOSED}), None, Who.CONCERNED, ("field", "value", "reason")),
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
    group: str | None = None  # None leaves it as it is


def make_move(
    card: Card,
    act: Act,
    given: Mapping[str, Any],
    *,
    user: int,
    role: Role,
    catalogue: Catalogue,
    groups: Collection[str] = (),
) -> Outcome:
    """The outcome of an act, or a Refusal: MOVE_NOT_ALLOWED, NOT_YOUR_APPEAL, NOT_YOUR_GROUP, RIGHT_MISSING,
    FIELD_REQUIRED, FIELD_INVALID, ATTEMPTS_FEW, EXTENDED_ALREADY, EXTENSION_LONG.

    ``given`` holds what the act needs: ``result`` with its fields for CLOSE, ``operator`` (a user's number) or
    ``group`` to hand on, ``remark``, ``reason``, ``new_date`` (ISO). ``groups`` are the mover's own; nobody's when
    the centre has named none for him.
    """
    move = MOVES[act]
    if card.status not in move.sources or (card.status is Status.CLOSED and not _of_closed(card, act)):
        raise Refusal(Code.MOVE_NOT_ALLOWED, act=act.value, status=card.status.value)
    _demand_mover(card, move, user=user, role=role)
    if move.who is Who.FIRST:
        _demand_member(card, role, groups, catalogue)
    for name in move.required:
        if not given.get(name) and not (name == "operator" and given.get("group")):
            raise Refusal(Code.FIELD_REQUIRED, field=name)
    if act is Act.CLOSE:
        return _close(card, given, user=user, role=role, catalogue=catalogue)
    if card.status is Status.CLOSED and act in _OF_CORRECTION:
        return Outcome(Status.CLOSED, card.worker, CORRECTION if act is Act.ASK_CORRECTION else "", card.deadline)
    worker, group = _new_worker(card, act, given, user, catalogue)
    if act is Act.APPROVE and card.review == EXTENSION:
        # Approving an extension does not close: work goes on to the new date (functions.md 1.2).
        return Outcome(Status.IN_WORK, worker, "", str(card.fields.get("new_date", card.deadline)))
    review = "" if move.target else card.review
    return Outcome(move.target or card.status, worker, review, card.deadline, group)


_OF_CORRECTION = frozenset({Act.APPROVE, Act.RETURN, Act.ASK_CORRECTION})


def _of_closed(card: Card, act: Act) -> bool:
    """What may be done to a closed appeal now: a correction is decided only when it was asked for, and asked once."""
    match act:
        case Act.APPROVE | Act.RETURN:
            return card.review == CORRECTION
        case Act.ASK_CORRECTION:
            return card.review != CORRECTION
        case _:
            return True


def _demand_member(card: Card, role: Role, groups: Collection[str], catalogue: Catalogue) -> None:
    """A group's appeal is taken by a member; where the centre has named no groups for him, by level 2 and up."""
    group = str(card.value("group"))
    if not group or group in groups or role is Role.ADMINISTRATOR:
        return
    if groups or not may(role, Right.CARD_WITHOUT_CALL):
        known = catalogue.groups.get(group)
        raise Refusal(Code.NOT_YOUR_GROUP, group=known.title if known else group)


def _demand_mover(card: Card, move: Move, *, user: int, role: Role) -> None:
    administrator = may(role, Right.APPROVE)
    match move.who:
        case Who.WORKER if card.worker != user:
            raise Refusal(Code.NOT_YOUR_APPEAL, card=card.id)
        case Who.FIRST if card.worker is not None:
            raise Refusal(Code.NOT_YOUR_APPEAL, card=card.id)
        case Who.CONCERNED if user not in (card.author, card.worker, card.fields.get("closed_by")):
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
    if result.final and not may_close_type(role, type_, catalogue.level_1_closes):
        raise Refusal(Code.RIGHT_MISSING, right=Right.CLOSE_ANY_TYPE.value)
    if GIVING_UP in result.required:
        demand_attempts(card)
    elif card.status is Status.DEFERRED:
        raise Refusal(Code.MOVE_NOT_ALLOWED, act=Act.CLOSE.value, status=card.status.value)
    status = _RESULT_STATUS[result.next_status]
    worker, group = card.worker, None
    if result.hands_on:
        worker, group = _handed(given, catalogue) if given.get("operator") or given.get("group") else (user, "")
    review = "" if status is not Status.IN_REVIEW else (FINAL if result.final else EXTENSION)
    if "new_date" in result.required:
        demand_extension(card, given["new_date"], catalogue.terms)
    return Outcome(status, worker, review, card.deadline, group)


def _new_worker(
    card: Card, act: Act, given: Mapping[str, Any], user: int, catalogue: Catalogue
) -> tuple[int | None, str | None]:
    """Who has it then, and the group it is addressed to; a group of None stays as it is."""
    if act is Act.SEND:
        return None, ""
    if act in (Act.FORWARD, Act.REASSIGN) or (act is Act.DEFER and (given.get("operator") or given.get("group"))):
        return _handed(given, catalogue)
    return (user if act is Act.TAKE else card.worker), None


def _handed(given: Mapping[str, Any], catalogue: Catalogue) -> tuple[int | None, str]:
    """To an operator, or to a group until one of it takes it; the operator of a group may be named as well."""
    group = str(given.get("group") or "")
    if group and group not in catalogue.groups:
        raise Refusal(Code.FIELD_INVALID, field="group")
    return (_named(given) if given.get("operator") else None), group


def _named(given: Mapping[str, Any]) -> int:
    """The user's number of the operator to hand on to."""
    named = str(given["operator"])
    # Fifteen digits fit every column; int() itself gives up on thousands of them.
    if not (named.isascii() and named.isdigit() and len(named) <= 15):
        raise Refusal(Code.FIELD_INVALID, field="operator")
    return int(named)
