"""What a change of the reference data may be. Both ends import it: the server refuses by it what no form would make."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from operator_tui.appeals.catalogue import AppealType
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.reference import OFF, Reference, Row
from operator_tui.appeals.reference_columns import ListForm
from operator_tui.appeals.reference_forms import LISTS
from operator_tui.appeals.routing import demand_queues

MOST_ROWS = 50  # in one change: a card behind it waits a second of a line of 64 kbit/s at most
_MOST_KEY = 200
_KEY = re.compile(r"[^\x00-\x1f]{1,200}")


def decide_change(reference: Reference, x: Mapping[str, Any], seen: Mapping[str, str]) -> None:
    """Whether rows may take the place of those they name. ``seen`` says of each row which operation had written what
    the administrator saw.

    Refusals: FIELD_REQUIRED, FIELD_INVALID, REFERENCE_STALE (list, key), REFERENCE_NEEDED (list).
    """
    form = LISTS.get(str(x.get("list")))
    if form is None:
        raise Refusal(Code.FIELD_INVALID, field="list")
    rows = _rows_of(x)
    for key in rows:
        if seen.get(key, "") != reference.writer(form.name, key):
            raise Refusal(Code.REFERENCE_STALE, list=form.title, key=key)
    for key, row in rows.items():
        form.demand(key, row, reference)
    if form.name == "fields":
        _demand_next_form(reference, rows)
    after = reference.changed([(form.name, rows, "")])
    if form.name == "results":
        _demand_final(form, after)
    if form.name == "queues":
        demand_queues(after, form.column("code").title, form.column("key").title, form.column("number").title)
    if form.name == "terms" and any(row.get(OFF) or not 1 <= int(row["days"]) <= 365 for row in rows.values()):
        raise Refusal(Code.FIELD_INVALID, field=form.column("days").title)


def _rows_of(x: Mapping[str, Any]) -> dict[str, Row]:
    rows = x.get("rows")
    if not isinstance(rows, dict) or not rows:
        raise Refusal(Code.FIELD_REQUIRED, field="rows")
    if len(rows) > MOST_ROWS and x.get("list") != "fields":
        raise Refusal(Code.FIELD_INVALID, field="rows")
    for key, row in rows.items():
        if not _KEY.fullmatch(key) or not isinstance(row, dict):
            raise Refusal(Code.FIELD_INVALID, field="rows")
        if not all(isinstance(value, str) and len(column) <= _MOST_KEY for column, value in row.items()):
            raise Refusal(Code.FIELD_INVALID, field="rows")
    return rows


def latest_form(reference: Reference) -> int:
    """The newest version of the fields by type."""
    return max((int(row["version"]) for row in reference.all("fields").values()), default=0)


def _demand_next_form(reference: Reference, rows: Mapping[str, Row]) -> None:
    """A version that was ever given to a card is never edited: all rows together are the next one."""
    if {row["version"] for row in rows.values()} != {str(latest_form(reference) + 1)}:
        raise Refusal(Code.REFERENCE_STALE, list=LISTS["fields"].title, key="")


def _demand_final(form: ListForm, after: Reference) -> None:
    """An appeal of any type can be ended."""
    for type_ in (each.value for each in AppealType):
        if not any(row["final"] == "1" and type_ in row["types"].split("|") for row in after.open("results").values()):
            raise Refusal(Code.REFERENCE_NEEDED, list=form.title, type=type_)
