"""Earlier appeals of a person or of a telephone, asked at the centre: the messages of ``POST /v1/history``.

A desk holds the appeals of its own organisation, as far back as its journal goes. The centre has them all; of another
organisation's appeals it tells date, type and how they stand, nothing else (appeals/organisations.py).
"""

from __future__ import annotations

from typing import Any

import msgspec

from operator_tui.appeals.card import Card
from operator_tui.appeals.errors import Code, Refusal

HISTORY_PATH = "/v1/history"
VERSION = 1
MOST = 50
_DIGITS_OF_PHONE = 10
# Of any policy there ever was (the ENP has 16); an index of the server holds no more than some 2,700 bytes.
_DIGITS_OF_POLICY = 32


class Asked(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whose: the number of the policy, the telephone, or both (then either is enough)."""

    v: int
    enp: str = ""
    phone: str = ""

    def keys(self) -> tuple[str, str]:
        """Both as they are compared. Refusal(SEARCH_EMPTY) when neither holds anything."""
        found = enp_key(self.enp), phone_key(self.phone)
        if not any(found):
            raise Refusal(Code.SEARCH_EMPTY)
        return found


class Answer(msgspec.Struct, frozen=True):
    """The newest first, at most ``MOST``; ``more`` when there are others."""

    cards: list[Card]
    more: bool = False


def phone_key(phone: Any) -> str:
    """The last ten digits: +7, 8 and 7 before a number make no difference."""
    return _digits(phone)[-_DIGITS_OF_PHONE:]


def enp_key(enp: Any) -> str:
    """The digits, as many as a policy has."""
    return _digits(enp)[:_DIGITS_OF_POLICY]


def _digits(value: Any) -> str:
    return "".join(filter(str.isdigit, str(value or "")))
