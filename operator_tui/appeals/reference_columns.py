"""What a column of the reference data holds, and what a list of them is. Both ends import it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from enum import StrEnum

import msgspec

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.reference import Reference, key_of

_MOST_TEXT = 4000
_CODE = re.compile(r"[^\s\x00-\x1f:|;+]{1,40}")


class Holds(StrEnum):
    """What a column holds."""

    TEXT = "text"
    CODE = "code"
    NUMBER = "number"
    DIGITS = "digits"  # a telephone's number, not to be counted with
    DAY = "day"  # a local date, ISO
    CHOICE = "choice"
    FLAG = "flag"  # 1 or 0
    ANSWERS = "answers"  # codes of typical answers, which are written elsewhere


class Column(msgspec.Struct, frozen=True):
    """One column. ``options`` are the values it may have; ``of`` the list whose open rows it may name; ``apart`` what
    stands between several values, empty where there is one."""

    name: str
    title: str
    holds: Holds = Holds.TEXT
    required: bool = False
    options: tuple[str, ...] = ()
    of: str = ""
    apart: str = ""

    def values(self, text: str) -> list[str]:
        """Its single values."""
        if not self.apart:
            return [text] if text else []
        return [part for part in (text.split() if self.apart == " " else text.split(self.apart)) if part]

    def demand(self, text: str, reference: Reference) -> None:
        """Refusals: FIELD_REQUIRED, FIELD_INVALID with the column's title."""
        if not text and self.required:
            raise Refusal(Code.FIELD_REQUIRED, field=self.title)
        if len(text) > _MOST_TEXT or any(not self._fits(value, reference) for value in self.values(text)):
            raise Refusal(Code.FIELD_INVALID, field=self.title)

    def _fits(self, value: str, reference: Reference) -> bool:
        if self.options:
            return value in self.options
        if self.of:
            return value in reference.open(self.of)
        match self.holds:
            case Holds.CODE | Holds.ANSWERS:
                return bool(_CODE.fullmatch(value))
            case Holds.NUMBER:
                return value.isascii() and value.isdigit() and len(value) <= 5
            case Holds.DIGITS:
                return value.isascii() and value.isdigit() and len(value) <= 15
            case Holds.FLAG:
                return value in ("0", "1")
            case Holds.DAY:
                return _is_day(value)
            case _:
                return "\0" not in value


class ListForm(msgspec.Struct, frozen=True):
    """One list. ``keys`` name the columns a row is known by; ``shown`` those of its line in the list of rows."""

    name: str
    title: str
    keys: tuple[str, ...]
    shown: tuple[str, ...]
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    def demand(self, key: str, row: Mapping[str, str], reference: Reference) -> None:
        """Refusal for a row that is none of this list. Columns that this release does not know are let through."""
        for column in self.columns:
            column.demand(row.get(column.name, ""), reference)
        if key != key_of(row, self.keys):
            raise Refusal(Code.FIELD_INVALID, field=self.column(self.keys[0]).title)


def _is_day(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False
