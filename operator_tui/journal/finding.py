"""What the journal's search looks at: one normal form for what is stored and for what is typed."""

from __future__ import annotations

import unicodedata
from typing import Any

from operator_tui.appeals.card import Card, full_name
from operator_tui.appeals.history import phone_key
from operator_tui.appeals.number import REGISTER
from operator_tui.appeals.organisations import is_stub

__all__ = ["digits", "find_columns", "match_query", "normal", "phone_key"]

_PUNCTUATION = frozenset("+-() \u00a0\u2011\u2013")


def normal(text: str) -> str:
    """Small letters, composed (NFC), ё as е: how words are compared."""
    return unicodedata.normalize("NFC", text).casefold().replace("ё", "е")


def digits(text: str) -> str:
    """The digits alone."""
    return "".join(filter(str.isdigit, text))


def find_columns(card: Card) -> dict[str, Any]:
    """The row of ``shown`` that search, history and order need."""
    number = str(card.value("number"))
    register = str(card.value(REGISTER))
    # Dictated without the nought it begins with (appeals/number.py) it is found too.
    numbers = (digits(number), digits(number).lstrip("0"), number, digits(register), register)
    phone = str(card.value("phone"))
    texts = [str(card.value(field)) for field in ("text", "comment", "measures", "insured_name", "in_number")]
    texts += [str(value) for values in card.rival.values() for value in values]
    return {
        "id": card.id,
        "status": card.status.value,
        "created": card.created,
        "deadline": card.deadline,
        "worker": card.worker,
        "review": card.review,
        "theme": str(card.value("theme")),
        "result": str(card.value("result")),
        "closer": card.value("closed_by") or None,
        "promise_due": int(card.value("promise_due") or 0),
        "team": str(card.value("group")),
        "owed": str(card.value("owed")),
        "elsewhere": card.stream if is_stub(card) else "",
        "phone": phone_key(phone),
        "enp": digits(str(card.value("enp"))),
        # Dictated without its nought (appeals/number.py) it is found too.
        "find_number": " ".join(dict.fromkeys(filter(None, numbers))),
        "find_name": normal(full_name(card.fields)),
        "find_phone": f"{digits(phone)} {phone_key(phone)}".strip(),
        "find_text": normal(" ".join(filter(None, texts))),
    }


def match_query(typed: str) -> str:
    """What was typed as an FTS5 query: every word as a prefix, all of them wanted; empty when there is nothing.

    A number dictated or pasted with blanks and hyphens is one word; a telephone number is found with +7, 8 or none.
    """
    if digits(typed) and all(character.isdigit() or character in _PUNCTUATION for character in typed):
        number = digits(typed)
        asked = f'"{number}"*'
        return f'{asked} OR "{number[1:]}"*' if len(number) > 4 and number[0] in "78" else asked
    words = "".join(character if character.isalnum() else " " for character in normal(typed)).split()
    return " ".join(f'"{word}"*' for word in words)
