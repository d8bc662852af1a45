"""Which letters of a text are covered while nobody sits before it: ЕНП, СНИЛС and telephone numbers (FJ-R7)."""

from __future__ import annotations

import re

COVER = "•"
_SHOWN_DIGITS = 2
_IDENTIFIER = re.compile(
    r"""
    (?<!\d) (?:
        \d{4}[ ]\d{4}[ ]\d{4}[ ]\d{4}       # an ЕНП as it is read out
      | \d{3}-\d{3}-\d{3}[ -]?\d{2}         # a СНИЛС
      | (?:\+7|8) (?:[ ()-]{0,2}\d){10}     # a Russian telephone number in any grouping
      | \+\d (?:[ ()-]{0,2}\d){8,14}        # a foreign one
      | \d{9,}                              # any of them without its groups
    ) (?!\d)
    """,
    re.VERBOSE,
)


def covered(text: str) -> str:
    """The text with all but the last two digits of each identifier covered; as many letters as before.

    The numbers of appeals, dates, sums and inner numbers are nobody's identifiers and stay.
    """
    return _IDENTIFIER.sub(_cover, text)


def _cover(found: re.Match[str]) -> str:
    whole = found.group()
    left = sum(letter.isdigit() for letter in whole) - _SHOWN_DIGITS
    letters = []
    for letter in whole:
        hidden = letter.isdigit() and left > 0
        left -= letter.isdigit()
        letters.append(COVER if hidden else letter)
    return "".join(letters)
