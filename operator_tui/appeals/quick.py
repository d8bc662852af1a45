"""Quick classes: calls without a question, registered and closed by one key (1411-18, 1411-19). Data, not code."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from operator_tui.appeals.card import Source
from operator_tui.appeals.catalogue import Catalogue


class QuickClass(msgspec.Struct, frozen=True):
    """One class: the theme and the result it is registered with, and the polite words that end the call."""

    code: str
    title: str
    theme: str
    result: str
    words: str


def parse_quick(text: str, catalogue: Catalogue) -> dict[str, QuickClass]:
    """Parse quick.csv. Refusals UNKNOWN_THEME and UNKNOWN_RESULT when it names what the catalogue does not have."""
    return _classes(csv.DictReader(io.StringIO(text), delimiter=";"), catalogue)


def quick_of(catalogue: Catalogue) -> dict[str, QuickClass]:
    """The classes of the catalogue's reference data that are offered, by code."""
    return _classes(catalogue.reference.open("quick").values(), catalogue)


def _classes(rows: Iterable[Mapping[str, str]], catalogue: Catalogue) -> dict[str, QuickClass]:
    classes = {row["code"]: QuickClass(**{name: row[name] for name in QuickClass.__struct_fields__}) for row in rows}
    for one in classes.values():
        catalogue.theme(one.theme)
        catalogue.result(one.result)
    return classes


# Of a form that was begun only this goes into the record: no person is bound to a call without a question.
_KEPT = ("source", "call", "phone", "comment")


def quick_fields(one: QuickClass, begun: dict[str, Any], catalogue: Catalogue) -> dict[str, Any]:
    """The fields of the record; a comment that was typed stays before the class."""
    kept = {field: begun[field] for field in _KEPT if begun.get(field)}
    comment = f"{kept['comment']}\n{one.title}" if kept.get("comment") else one.title
    return {
        "source": Source.HAND.value,
        **kept,
        "type": catalogue.theme(one.theme).type.value,
        "theme": one.theme,
        "result": one.result,
        "quick": one.code,
        "comment": comment,
    }
