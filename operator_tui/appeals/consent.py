"""Caller and insured apart, and the two consents: a representative's power, and consent to accompaniment.

The personal information of a card is the caller's. When somebody else is the insured, ``insured_name`` and
``insured_birth`` name him, ``representative`` says what the caller is to him, and the policy is the insured's.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Any

import msgspec

from operator_tui.appeals.card import is_written
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.people import Role


class Kin(StrEnum):
    """What the caller is to the insured."""

    PARENT = "родитель"
    GUARDIAN = "опекун или попечитель"
    SPOUSE = "супруг"
    CHILD = "сын или дочь"
    BY_POWER = "по доверенности"
    OTHER = "другой представитель"


class Consent(StrEnum):
    """The two consents; the value begins the names of a consent's three fields."""

    POWER = "power"  # the representative may speak for the insured
    ESCORT = "escort"  # the insured person's own, to accompaniment by level 3 (K-1.7a)


class Given(msgspec.Struct, frozen=True):
    """One consent as a card holds it: local dates (ISO), and in which form it was given."""

    kind: str = ""
    since: str = ""
    withdrawn: str = ""

    def holds(self, day: date) -> bool:
        """Whether it stands on that day."""
        today = day.isoformat()
        return "" < self.since <= today and not "" < self.withdrawn <= today


CONSENT_KINDS = ("письменное", "устное под запись", "доверенность", "документ о родстве или опеке")


def consent_fields(which: Consent) -> tuple[str, str, str]:
    """Its kind, date and withdrawal as fields of a card."""
    return (f"{which.value}_kind", f"{which.value}_date", f"{which.value}_withdrawn")


def consent(fields: Mapping[str, Any], which: Consent) -> Given:
    """A consent as the fields have it."""
    return Given(*(str(fields.get(name) or "") for name in consent_fields(which)))


def demand_dates(fields: Mapping[str, Any], today: date) -> None:
    """Dates of the consents are dates, none of them in the future, and a withdrawal is not before what it withdraws.

    Refusal(FIELD_INVALID) names the field.
    """
    for which in Consent:
        _, given, withdrawn = consent_fields(which)
        for name in (given, withdrawn):
            text = str(fields.get(name) or "")
            try:
                if text and date.fromisoformat(text) > today:
                    raise Refusal(Code.FIELD_INVALID, field=name)
            except ValueError:
                raise Refusal(Code.FIELD_INVALID, field=name) from None
        if fields.get(withdrawn) and str(fields[withdrawn]) < str(fields.get(given) or ""):
            raise Refusal(Code.FIELD_INVALID, field=withdrawn)


def demand_escort(fields: Mapping[str, Any], role: Role, day: date, card: str = "") -> None:
    """Level 3 accompanies an insured person only with his consent; written appeals are his without it.

    Asked of who takes an appeal up, and of who is to be given one. Refusal(CONSENT_NEEDED).
    """
    if role is not Role.INSURER_3 or is_written(fields):
        return
    if not consent(fields, Consent.ESCORT).holds(day):
        raise Refusal(Code.CONSENT_NEEDED, card=card)
