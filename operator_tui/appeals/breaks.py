"""The kinds of break and how long each may last: data of the administration's. Pure."""

from __future__ import annotations

import csv
import io

import msgspec

from operator_tui.appeals.errors import Code, Refusal

_COLUMNS = ("code", "title", "minutes")


class BreakKind(msgspec.Struct, frozen=True):
    """``title`` is the word on the screen; ``minutes`` is how long it may last, 0 for as long as it takes."""

    code: str
    title: str
    minutes: int


def parse_breaks(text: str, *, file: str = "breaks.csv") -> tuple[BreakKind, ...]:
    """The kinds of a CSV with ``code;title;minutes``, in its order, the usual one first.

    Refusal(ROW_INVALID, file, row, field) for a row that is none; ``row`` counts the heading as 1.
    """
    found: dict[str, BreakKind] = {}
    for number, row in enumerate(csv.DictReader(io.StringIO(text), delimiter=";"), 2):
        values = {key: (row.get(key) or "").strip() for key in _COLUMNS}
        for field, good in (
            ("code", values["code"].isalnum() and values["code"] not in found),
            ("title", bool(values["title"])),
            ("minutes", values["minutes"].isdecimal()),
        ):
            if not good:
                raise Refusal(Code.ROW_INVALID, file=file, row=number, field=field)
        found[values["code"]] = BreakKind(values["code"], values["title"], int(values["minutes"]))
    if not found:
        raise Refusal(Code.ROW_INVALID, file=file, row=2, field="code")
    return tuple(found.values())
