"""«Сообщить заявителю»: what the citizen still has to be told, by whom, and what he was told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Any

from operator_tui.appeals.card import Card, is_written
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.words import mark


class Owed(StrEnum):
    """What is owed to the citizen."""

    ANSWER = "answer"
    FORWARDING = "forwarding"  # notice that it went elsewhere (59-ФЗ article 8)
    EXTENSION = "extension"  # notice that the term was extended (59-ФЗ article 12)


OWED_TITLES = {
    Owed.ANSWER: mark("ответ"),
    Owed.FORWARDING: mark("уведомление о переадресации"),
    Owed.EXTENSION: mark("уведомление о продлении срока"),
}
WAYS = ("письмо", "звонок", "электронная почта", "личный приём", "портал")

# Results by which the appeal went elsewhere.
_FORWARDED = frozenset({"R11", "R12", "R13", "R14"})
# Withdrawn, not reached, without an address, correspondence ended with its own letter, joined to an earlier one, prank.
_NO_ANSWER = frozenset({"R19", "R20", "R21", "R23", "R26"})


def owed_of(card: Card) -> tuple[Owed, ...]:
    """What is still owed, in the order it came up."""
    return tuple(Owed(word) for word in str(card.value("owed")).split() if word in set(Owed))


def owing(card: Card, *more: Owed) -> str:
    """The field ``owed`` with something added."""
    return " ".join(dict.fromkeys([*owed_of(card), *more]))


def answer_owed(card: Card) -> bool:
    """Whether a closed appeal's answer was not given in the talk itself.

    In writing it is always owed. A spoken one is owed when it left the talk: it was deferred, extended, or handed to
    somebody else than who took the call.
    """
    result = str(card.value("result"))
    if result in _NO_ANSWER or card.value("quick"):
        return False
    if is_written(card.fields):
        return True
    left = card.worker != card.author or bool(card.value("promises")) or bool(card.value("extended"))
    return left and bool(card.value("source"))


def forwarding_owed(result: str) -> bool:
    """Whether the citizen must be told where his appeal went."""
    return result in _FORWARDED


def told(card: Card, given: Mapping[str, Any], *, by: int, today: date) -> tuple[str, dict[str, Any]]:
    """What stays owed after the citizen was told, and the entry for ``told``.

    ``given`` has ``told_way``, ``told_on`` (ISO, not in the future), and may name ``told_what`` and ``told_result``.
    Refusals: NOTHING_OWED, FIELD_INVALID.
    """
    owed = owed_of(card)
    if not owed:
        raise Refusal(Code.NOTHING_OWED)
    try:
        what = Owed(str(given.get("told_what") or owed[0]))
        on = date.fromisoformat(str(given["told_on"]))
    except ValueError:
        raise Refusal(Code.FIELD_INVALID, field="told_on") from None
    if what not in owed:
        raise Refusal(Code.NOTHING_OWED)
    if on > today:
        raise Refusal(Code.FIELD_INVALID, field="told_on")
    if given["told_way"] not in WAYS:
        raise Refusal(Code.FIELD_INVALID, field="told_way")
    entry = {
        "what": what.value,
        "way": given["told_way"],
        "on": on.isoformat(),
        "by": by,
        "result": str(given.get("told_result") or ""),
    }
    return " ".join(one for one in owed if one is not what), entry
