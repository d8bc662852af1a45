"""Telephone numbers as the desk keeps them: E.164, or an internal number as it is."""

from __future__ import annotations

import re

from operator_tui.appeals.errors import Code, Refusal

_LONGEST_INTERNAL = 6
_ALLOWED = re.compile(r"[+*#]?[0-9*#]{1,20}")


def plain(number: str) -> str:
    """Without blanks, hyphens and brackets."""
    return re.sub(r"[\s().\-\u00a0\u2011\u2013]", "", number)


def normalised(number: str, country: str = "RU") -> str:
    """``+78652012345`` for anything that can be read as a number of the country; else as it came, cleaned.

    Never fails: a caller with a strange number must still ring.
    """
    cleaned = plain(number)
    if not cleaned.lstrip("+").isdigit() or len(cleaned) <= _LONGEST_INTERNAL:
        return cleaned
    import phonenumbers  # 60 ms: only in the engine, at the first call

    try:
        parsed = phonenumbers.parse(cleaned, country)
    except phonenumbers.NumberParseException:
        return cleaned
    if not phonenumbers.is_possible_number(parsed):
        return cleaned
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def dialable(number: str) -> str:
    """What may be dialled: digits, with a leading + or service keys. Refusal(NUMBER_INVALID) otherwise."""
    cleaned = plain(number)
    if not _ALLOWED.fullmatch(cleaned):
        raise Refusal(Code.NUMBER_INVALID)
    return cleaned
