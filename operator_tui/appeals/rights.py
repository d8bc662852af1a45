"""Who may do what: the second table of functions.md 1.2 as data. Both ends import it."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from operator_tui.appeals.catalogue import LEVEL_1_CLOSES, AppealType
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.people import Role


class Right(StrEnum):
    """One row of the table of rights."""

    QUEUE_CALLS = "queue_calls"  # K-2.4
    CARD_FROM_CALL = "card_from_call"  # K-5.1.2
    CARD_WITHOUT_CALL = "card_without_call"  # K-5.2.0.3
    CLOSE_OWN = "close_own"  # K-6.1
    CLOSE_ANY_TYPE = "close_any_type"
    APPROVE = "approve"  # K-6.0.4, K-6.1.8
    SURVEYS = "surveys"  # K-5.3.1.14
    INFORMING = "informing"  # K-7.1.1
    EXPORT = "export"  # lists and letters that leave the desk (DESIGN rule 17)
    PEOPLE = "people"  # who works here, his role and his codes (K-1.2)
    REFERENCE = "reference"  # the lists everybody works by (K-1.2)
    RECORDINGS = "recordings"  # «Прослушивание диалогов», functions.md 1.4: control by the administrator


_LEVEL_1 = {Role.OPERATOR_1, Role.INSURER_1}
_LEVEL_2_UP = {Role.OPERATOR_2, Role.INSURER_2, Role.INSURER_3, Role.ADMINISTRATOR}
_ALL = _LEVEL_1 | _LEVEL_2_UP

RIGHTS: dict[Right, frozenset[Role]] = {
    Right.QUEUE_CALLS: frozenset(_LEVEL_1),
    Right.CARD_FROM_CALL: frozenset(_ALL),
    Right.CARD_WITHOUT_CALL: frozenset(_LEVEL_2_UP),
    Right.CLOSE_OWN: frozenset(_ALL),
    Right.CLOSE_ANY_TYPE: frozenset(_LEVEL_2_UP),
    Right.APPROVE: frozenset({Role.ADMINISTRATOR}),
    Right.SURVEYS: frozenset(_ALL - {Role.OPERATOR_1}),
    Right.INFORMING: frozenset({Role.INSURER_2}),
    Right.EXPORT: frozenset(_LEVEL_2_UP),
    Right.PEOPLE: frozenset({Role.ADMINISTRATOR}),
    Right.REFERENCE: frozenset({Role.ADMINISTRATOR}),
    Right.RECORDINGS: frozenset({Role.ADMINISTRATOR}),
}


def may(role: Role, right: Right) -> bool:
    """Whether the role has the right. A trainee has those of level 1: his desk is never synced (DESIGN rule 9)."""
    effective = Role.OPERATOR_1 if role is Role.TRAINEE else role
    return effective in RIGHTS[right]


def demand(role: Role, right: Right) -> None:
    """Refusal(RIGHT_MISSING) unless the role has the right."""
    if not may(role, right):
        raise Refusal(Code.RIGHT_MISSING, right=right.value)


def may_close_type(role: Role, type_: AppealType, closes: Collection[AppealType] = LEVEL_1_CLOSES) -> bool:
    """Level 1 closes consultations and thanks; the rest it hands on (functions.md 1.2)."""
    return may(role, Right.CLOSE_ANY_TYPE) or (may(role, Right.CLOSE_OWN) and type_ in closes)
