"""What was typed into the search line, or into the manual's four fields, as conditions. Pure: knows no registry.

A half-typed date narrows the list or is ignored; it never empties it (design/registry.md 4.2).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.letters import has_latin, is_cyrillic
from operator_tui.registry.names import word_key

MOST_TYPED = 200  # characters of a query that are read; the rest can be no name
MOST_WORDS = 6
_OLDEST = 1900

_NUMERIC_START = re.compile(r"[\d+(]")
_POINTS = str.maketrans({"ю": ".", "Ю": ".", "/": ".", ",": "."})  # a point in other layouts and habits
_WHOLE = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_SHORT_YEAR = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{2})")
_UNFINISHED = re.compile(r"(\d{1,2})\.(?:(\d{1,2})(?:\.\d{0,3})?)?")
_ISO = re.compile(r"(\d{4})-(\d{1,2})?(?:-(\d{1,2})?)?")


@dataclass(frozen=True)
class Birth:
    """What is known of a birth date. ``years`` are alternatives (empty: any); ``month`` and ``day`` 0 mean any."""

    years: tuple[int, ...] = ()
    month: int = 0
    day: int = 0

    def __bool__(self) -> bool:
        return bool(self.years or self.month or self.day)


@dataclass(frozen=True)
class Digits:
    """Digits that may begin an identifier; ``international`` when a plus sign came before them."""

    text: str
    international: bool = False


@dataclass(frozen=True)
class Query:
    """Conditions of one search.

    ``words`` are keys of names in the order typed (a word in Latin letters stays as typed: only the vocabulary can
    tell a wrong layout from a foreign spelling). ``fields`` bind words to surname, name and patronymic; when it is
    empty any order is tried. ``otherwise``: what the digits of ``birth`` say when nobody is found by it (1912 is a
    year, or the 19th of December). ``cut``: the text was longer than what is read.
    """

    words: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    birth: Birth = Birth()
    digits: tuple[Digits, ...] = ()
    cut: bool = False
    otherwise: Birth = Birth()

    @property
    def empty(self) -> bool:
        return not (self.words or self.birth or self.digits)


@dataclass
class _Reading:
    words: list[str] = field(default_factory=list)
    birth: Birth = Birth()
    otherwise: Birth = Birth()
    digits: list[Digits] = field(default_factory=list)


def parse_line(text: str, today: date | None = None) -> Query:
    """Read the one search line: names, a date and identifiers in any order."""
    today = today or date.today()  # noqa: DTZ011 - only to tell 19xx from 20xx in a two-digit year
    cut = len(text) > MOST_TYPED
    tokens = _printable(text[:MOST_TYPED]).split()
    reading = _Reading()
    groups: list[list[str]] = []
    previous_numeric = False
    for token in tokens:
        numeric = bool(_NUMERIC_START.match(token))
        if not numeric:
            _take_word(token, reading)
        elif previous_numeric:
            groups[-1].append(token)
        else:
            groups.append([token])
        previous_numeric = numeric
    for group in groups:
        _take_numbers(group, reading, bool(reading.words), today)
    words = tuple(reading.words[:MOST_WORDS])
    digits = tuple(reading.digits[:2])
    return Query(words=words, birth=reading.birth, digits=digits, cut=cut, otherwise=reading.otherwise)


def parse_fields(
    surname: str = "", name: str = "", patronymic: str = "", birth_date: str = "", today: date | None = None
) -> Query:
    """Read the manual's four fields (K-5.1.3.1). Refusal(SEARCH_EMPTY) when all are empty (K-5.1.3.2)."""
    today = today or date.today()  # noqa: DTZ011 - as above
    words: list[str] = []
    fields: list[str] = []
    for kind, typed in (("sn", surname), ("fn", name), ("pn", patronymic)):
        text = _printable(typed[:MOST_TYPED]).strip()
        key = text if has_latin(text) and not any(map(is_cyrillic, text)) else word_key(text)
        if key:
            words.append(key)
            fields.append(kind)
    reading = _Reading()
    groups = _printable(birth_date[:MOST_TYPED]).split()
    if groups:
        _take_numbers(groups, reading, True, today)
    if not words and not reading.birth:
        raise Refusal(Code.SEARCH_EMPTY)
    return Query(words=tuple(words), fields=tuple(fields), birth=reading.birth, otherwise=reading.otherwise)


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(letter if letter.isprintable() else " " for letter in text)


def _take_word(token: str, reading: _Reading) -> None:
    if has_latin(token) and not any(map(is_cyrillic, token)):
        reading.words.append(token)
    elif key := word_key(token):
        # initials: «Иванов А.Б.»
        reading.words.extend(key.split("-") if "." in token else [key])


def _take_numbers(group: list[str], reading: _Reading, named: bool, today: date) -> None:
    """One run of tokens that begin with digits: a date in one or three tokens, or an identifier in groups."""
    pure = [token for token in group if token.isdigit()]
    if len(group) in (2, 3) and len(pure) == len(group):
        whole = ".".join(group)
        if len(group) == 3 and (birth := _whole_date(whole, today)):
            reading.birth = birth
            return
        if len(group) == 2 and named and len(group[0]) <= 2 and len(group[1]) <= 2 and (birth := _part(whole)):
            reading.birth = birth
            return
    if len(group) > 1 and (_policy_groups(group) or not any(_dated(token, today) for token in group)):
        digits = re.sub(r"\D", "", "".join(group))
        reading.digits.append(Digits(digits, group[0].startswith("+")))
        return
    for token in group:
        _take_number(token, reading, named, today)


def _policy_groups(group: list[str]) -> bool:
    """Whether it is an ЕНП in groups of four digits, perhaps still being typed: one of them may look like a year."""
    return (
        len(group) in (3, 4)
        and all(token.isdigit() for token in group)
        and all(len(token) == 4 for token in group[:3])
        and len(group[-1]) <= 4
    )


def _dated(token: str, today: date) -> bool:
    """Whether a token is a date by its own form, so that it is no group of a longer number."""
    pointed = token.translate(_POINTS)
    return bool(_whole_date(pointed, today) or _ISO.fullmatch(token)) or bool(
        token.isdigit() and len(token) == 4 and _OLDEST <= int(token) <= today.year
    )


def _take_number(token: str, reading: _Reading, named: bool, today: date) -> None:
    pointed = token.translate(_POINTS)
    birth = _whole_date(pointed, today) or _iso(token, today) or (_part(pointed) if "." in pointed else Birth())
    digits = re.sub(r"\D", "", token)
    if not birth and token.isdigit():
        birth = _compact(token, named, today)
    if birth:
        reading.birth = birth
        beside_a_name = named and token.isdigit() and len(token) == 4 and birth.years
        reading.otherwise = _day_month(token) if beside_a_name else Birth()
    elif len(digits) > 3 and not (named and "." in pointed):
        reading.digits.append(Digits(digits, token.startswith("+")))


def _whole_date(text: str, today: date) -> Birth:
    if found := _WHOLE.fullmatch(text):
        return _real(int(found[3]), int(found[2]), int(found[1]), today)
    if found := _SHORT_YEAR.fullmatch(text):
        # Two digits of a year are also the beginning of four: 12.03.19 may become 1958's neighbour or 2019.
        if found[3] in ("19", "20"):
            return _part(f"{found[1]}.{found[2]}")
        day, month = int(found[1]), int(found[2])
        years = _two_digit_years(int(found[3]), today)
        return Birth(years, month, day) if _is_day(day, month) else Birth()
    return Birth()


def _iso(text: str, today: date) -> Birth:
    found = _ISO.fullmatch(text)
    if not found or not _OLDEST <= int(found[1]) <= today.year:
        return Birth()
    month, day = int(found[2] or 0), int(found[3] or 0)
    if (found[2] or "").__len__() < 2 or month > 12:
        month = day = 0
    if len(found[3] or "") < 2 or not _is_day(day, month):
        day = 0
    return Birth((int(found[1]),), month, day)


def _part(text: str) -> Birth:
    """A date still being typed: «15.» any month, «15.1» not yet a month, «15.03.» any year."""
    found = _UNFINISHED.fullmatch(text)
    if not found or not 1 <= int(found[1]) <= 31:
        return Birth()
    day, month = int(found[1]), int(found[2] or 0)
    if month > 12 or (month == 1 and found[2] == "1") or not _is_day(day, month):
        month = 0
    return Birth((), month, day)


def _compact(digits: str, named: bool, today: date) -> Birth:
    """Digits without points: ddmmyyyy, yyyy, and beside a name ddmmyy, the beginning or the end of a year."""
    if len(digits) == 8:
        return _real(int(digits[4:]), int(digits[2:4]), int(digits[:2]), today)
    if len(digits) == 4:
        if _OLDEST <= int(digits) <= today.year:
            return Birth((int(digits),))
        return _day_month(digits) if named else Birth()
    if not named:
        return Birth()
    if len(digits) == 6 and digits[4:] not in ("19", "20") and _is_day(int(digits[:2]), int(digits[2:4])):
        return Birth(_two_digit_years(int(digits[4:]), today), int(digits[2:4]), int(digits[:2]))
    if len(digits) in (5, 6, 7):
        return _day_month(digits[:4])
    if len(digits) == 3 and digits[:2] in ("19", "20"):
        decade = int(digits) * 10
        return Birth(tuple(year for year in range(decade, decade + 10) if year <= today.year))
    if len(digits) == 2 and int(digits) > 31:  # up to 31 it may be the day of a date still being typed
        return Birth(_two_digit_years(int(digits), today))
    return Birth()


def _day_month(digits: str) -> Birth:
    day, month = int(digits[:2]), int(digits[2:])
    return Birth((), month, day) if month and _is_day(day, month) else Birth()


def _real(year: int, month: int, day: int, today: date) -> Birth:
    return Birth((year,), month, day) if _OLDEST <= year <= today.year and _is_day(day, month) else Birth()


def _two_digit_years(two: int, today: date) -> tuple[int, ...]:
    return tuple(year for year in (1900 + two, 2000 + two) if year <= today.year)


_LONGEST = (31, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def _is_day(day: int, month: int) -> bool:
    """Whether a month (0: any) can have such a day."""
    return 0 <= month <= 12 and 1 <= day <= _LONGEST[month]
