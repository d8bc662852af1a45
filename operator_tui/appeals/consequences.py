"""What a move writes by itself beside what the mover said: promises kept or broken, what is owed, corrections."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from operator_tui.appeals.card import Card, Status
from operator_tui.appeals.consent import demand_escort
from operator_tui.appeals.correction import ask, demand
from operator_tui.appeals.deadlines import local_date
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.hlc import stamp_ms
from operator_tui.appeals.lifecycle import EXTENSION, Act, Outcome
from operator_tui.appeals.operations import Operation
from operator_tui.appeals.owed import Owed, answer_owed, forwarding_owed, owing, told
from operator_tui.appeals.people import Role
from operator_tui.appeals.promises import GIVING_UP, attempts_line, attempts_of, ended, vain

# Moves by which level 3 takes up an accompaniment.
_ACCOMPANIES = frozenset({Act.TAKE, Act.RESUME})


def consequences(card: Card, act: Act, outcome: Outcome, operation: Operation, user: int, role: Role) -> dict[str, Any]:
    """The guarded fields that the move writes. Refusals: CONSENT_NEEDED, NOTHING_OWED, NOTHING_ASKED, FIELD_INVALID."""
    at_ms = stamp_ms(operation.at)
    today = local_date(at_ms, "UTC") + timedelta(days=1)  # a day of grace, as for every date of the past
    written: dict[str, Any] = {}
    if outcome.group is not None and outcome.group != card.value("group"):
        written["group"] = outcome.group
    if act in _ACCOMPANIES or (act is Act.CLOSE and user != card.author):
        demand_escort(card.fields, role, today, card.id)
    if card.status is Status.DEFERRED and outcome.status is Status.IN_WORK and (entry := ended(card, at_ms, user)):
        written["promises"] = [*(card.value("promises") or ()), entry]
    match act:
        case Act.CLOSE:
            written |= _closed(card, outcome, operation, user)
        case Act.APPROVE if card.status is Status.CLOSED:
            written |= _corrected(card)
        case Act.APPROVE if card.review == EXTENSION:
            written |= {"extended": card.deadline or "-", "owed": owing(card, Owed.EXTENSION)}
        case Act.APPROVE if answer_owed(card):
            written["owed"] = owing(card, Owed.ANSWER)
        case Act.RETURN if card.status is Status.CLOSED:
            demand(card)
            written["correction"] = ""
        case Act.TELL:
            left, entry = told(card, operation.x, by=user, today=today)
            written |= {"owed": left, "told": [*(card.value("told") or ()), entry]}
        case Act.ASK_CORRECTION:
            written["correction"] = ask(card, operation.x, user)
        case _:
            pass
    return written


def _closed(card: Card, outcome: Outcome, operation: Operation, user: int) -> dict[str, Any]:
    result = str(operation.x["result"])
    written: dict[str, Any] = {}
    if outcome.review == EXTENSION:
        _demand_to_come(card, operation)
    if outcome.status is Status.IN_REVIEW:
        written["closed_by"] = user
    if forwarding_owed(result):
        written["owed"] = owing(card, Owed.FORWARDING)
    if not operation.x.get(GIVING_UP) and (attempts := vain(attempts_of(card))) and result == "R20":
        written[GIVING_UP] = attempts_line(attempts, str(card.value("zone")) or "UTC")
    return written


def _demand_to_come(card: Card, operation: Operation) -> None:
    """The new date of an extension is not over: where the term is long past, a later date may be past as well."""
    wanted = operation.x.get("new_date")
    if not wanted:
        return  # a result of the administration's may be reviewed and leave the appeal open without another term
    today = local_date(stamp_ms(operation.at), str(card.value("zone")) or "UTC")
    try:
        over = date.fromisoformat(str(wanted)) < today
    except ValueError:
        over = True
    if over:
        raise Refusal(Code.FIELD_INVALID, field="new_date")


def _corrected(card: Card) -> dict[str, Any]:
    """The new value in place of the old one; a value that has changed since is not overwritten unseen."""
    asked = demand(card)
    if str(card.value(asked.field)) != asked.old:
        raise Refusal(Code.STALE, card=card.id, field=asked.field)
    entry = {"field": asked.field, "old": asked.old, "new": asked.new, "reason": asked.reason, "by": asked.by}
    return {asked.field: asked.new, "correction": "", "corrected": [*(card.value("corrected") or ()), entry]}
