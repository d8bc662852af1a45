"""Clarifying fields by type and theme, as versioned data: a card remembers the version it was asked by.

A version that was ever released is never edited; a new one stands beside it, and both ends have both.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum
from typing import Any

import msgspec

from operator_tui.appeals.errors import Code, Refusal

# Names of clarifying fields on a card, apart from the card's own.
PREFIX = "clarify."


class FieldKind(StrEnum):
    """What a field holds."""

    TEXT = "text"
    CHOICE = "choice"
    DATE = "date"
    NUMBER = "number"


class FormField(msgspec.Struct, frozen=True):
    """One field: for which types and beginnings of theme codes (empty: all), and when it must be filled."""

    version: int
    types: tuple[str, ...]
    themes: tuple[str, ...]
    field: str
    title: str
    kind: FieldKind
    required: bool
    options: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its name on the card."""
        return PREFIX + self.field

    def asked_for(self, type_: str, theme: str) -> bool:
        """Whether an appeal of that type and theme is asked for it."""
        return type_ in self.types and (not self.themes or any(theme.startswith(code) for code in self.themes))

    def demand(self, value: str) -> None:
        """Refusal(FIELD_INVALID) for what the field can not hold; an empty value is none."""
        match self.kind:
            case FieldKind.CHOICE:
                good = value in self.options
            case FieldKind.NUMBER:
                good = value.replace(" ", "").replace(",", ".", 1).replace(".", "", 1).isdigit()
            case FieldKind.DATE:
                good = _is_date(value)
            case FieldKind.TEXT:
                good = True
        if value and not good:
            raise Refusal(Code.FIELD_INVALID, field=self.title)


class Forms:
    """All versions."""

    def __init__(self, fields: Iterable[FormField]) -> None:
        self._fields = tuple(fields)
        self.latest = max((field.version for field in self._fields), default=0)

    def asked(self, version: Any, type_: str, theme: str) -> list[FormField]:
        """The fields of a version for a type and theme, each name once: the first row that fits is meant.

        None for a version this program does not have, or a card that was made before there were any.
        """
        found: dict[str, FormField] = {}
        for field in self._fields:
            if field.version == version and field.asked_for(type_, theme):
                found.setdefault(field.field, field)
        return list(found.values())

    def version_for(self, type_: str, theme: str) -> int:
        """The version a new card of that type and theme is made with; 0 when it is asked for nothing."""
        return self.latest if self.asked(self.latest, type_, theme) else 0

    def missing(self, fields: Mapping[str, Any]) -> list[str]:
        """Names of the required ones that are not filled."""
        asked = self.asked(fields.get("form"), str(fields.get("type", "")), str(fields.get("theme", "")))
        return [field.name for field in asked if field.required and not fields.get(field.name)]

    def title(self, name: str) -> str:
        """A field's title by its name on the card; the name itself where nobody knows it."""
        known = [field.title for field in self._fields if field.name == name]
        return known[-1] if known else name


def parse_forms(text: str) -> Forms:
    """Parse fields.csv (``;`` between cells, ``|`` between values). ValueError for a kind that is none."""
    return forms_of(csv.DictReader(io.StringIO(text), delimiter=";"))


def forms_of(rows: Iterable[Mapping[str, str]]) -> Forms:
    """The same of rows."""
    return Forms(
        FormField(
            version=int(row["version"]),
            types=_values(row["types"]),
            themes=_values(row["themes"]),
            field=row["field"],
            title=row["title"],
            kind=FieldKind(row["kind"]),
            required=row["required"] == "close",
            options=_values(row["options"]),
        )
        for row in rows
    )


def _values(text: str) -> tuple[str, ...]:
    return tuple(filter(None, text.split("|")))


def _is_date(value: str) -> bool:
    try:
        return bool(date.fromisoformat(value))
    except ValueError:
        return False
