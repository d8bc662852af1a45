"""The reference data on this desk: what the centre has confirmed, and over it what this administrator changed and the
centre has not answered for. Version zero is the program's own, so that a desk works that never met a server.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from operator_tui.appeals.catalogue import catalogue_of
from operator_tui.appeals.decide import decide
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.hlc import stamp_ms
from operator_tui.appeals.operations import Event, Kind, Operation, operation_id, reference_stream
from operator_tui.appeals.reference import Reference, Row, Version, back_of, change_in, rows_back
from operator_tui.appeals.reference_change import MOST_ROWS, latest_form
from operator_tui.appeals.reference_columns import ListForm
from operator_tui.appeals.reference_forms import LISTS
from operator_tui.appeals.returned import Difference
from operator_tui.journal import nearing, outbox
from operator_tui.journal.store import Store


def load(store: Store) -> None:
    """Make the store's catalogue that of the newest version known here, and what follows from it; inside ``writing``,
    unless it is known that nothing has changed."""
    rows = store.rows("SELECT list, key, row, op FROM reference ORDER BY rowid")
    confirmed = int(store.meta("reference", "0"))
    if not rows and not confirmed:
        reference = store.base.reference
    else:
        lists: dict[str, dict[str, Row]] = {}
        writers: dict[tuple[str, str], str] = {}
        for name, key, row, op in rows:
            lists.setdefault(name, {})[key] = msgspec.json.decode(row, type=dict[str, str])
            writers[name, key] = op
        reference = store.base.reference.standing(lists, writers, confirmed)
    store.catalogue = _with_own(store, reference, fresh=bool(rows))
    nearing.keep_up(store)


def _with_own(store: Store, reference: Reference, *, fresh: bool) -> Any:
    device = store.device()
    waiting = store.rows(
        "SELECT device, body FROM outbox WHERE kind = ? AND confirmed = 0 AND state != 'rejected' ORDER BY rowid",
        Kind.REFERENCE_SET.value,
    )
    catalogue = catalogue_of(reference) if fresh or waiting else store.base
    if device is None:
        return catalogue
    for code, body in waiting:
        operation = outbox.decode(body)
        try:
            decide(None, operation, store.actor(), catalogue)
        except Refusal:
            continue  # the centre will refuse it too and send it back
        said = operation.x
        change = (said["list"], said["rows"], operation_id(code, operation.n))
        catalogue = catalogue_of(catalogue.reference.changed([change]))
    return catalogue


def change(store: Store, name: str, rows: Mapping[str, Row], *, back: int = -1) -> list[Operation]:
    """Write rows of a list in the place of those shown here; inside ``writing`` only. Refusals: those of
    ``decide_change``, RIGHT_MISSING, REFERENCE_OF_FUND, and nothing is written."""
    written = []
    keys = list(rows)
    size = len(keys) if name == "fields" else MOST_ROWS
    for first in range(0, len(keys), max(1, size)):
        part = {key: dict(rows[key]) for key in keys[first : first + size]}
        reference = store.catalogue.reference
        b = {key: op for key in part if (op := reference.writer(name, key))}
        x: dict[str, Any] = {"list": name, "rows": part}
        if back >= 0:
            x["back"] = back
        decide(None, Operation(n=0, k=Kind.REFERENCE_SET.value, at="0" * 16, b=b, x=x), store.actor(), store.catalogue)
        written.append(outbox.append(store, Kind.REFERENCE_SET, x, b=b))
        load(store)
    return written


def receive(store: Store, event: Event) -> None:
    """A change as the centre took it; inside ``writing`` only. The first of a stream begins anew: another lineage."""
    if event.q == 1:
        begin_anew(store)
    if (said := change_in(event)) is not None:
        name, rows, op = said
        for key, row in rows.items():
            store.db.execute(
                "INSERT INTO reference(list, key, row, op) VALUES (?, ?, ?, ?) "
                "ON CONFLICT(list, key) DO UPDATE SET row = excluded.row, op = excluded.op",
                [name, key, msgspec.json.encode(row).decode(), op],
            )
    store.set_meta("reference", str(event.q))


def begin_anew(store: Store) -> None:
    """The centre's changes come again from the first; inside ``writing`` only."""
    store.db.execute("DELETE FROM reference")
    store.set_meta("reference", "0")
    store.db.execute("UPDATE outbox SET confirmed = 0 WHERE kind = ? AND state = 'pending'", [Kind.REFERENCE_SET.value])


def versions(store: Store, name: str) -> list[Version]:
    """The changes of a list in the centre's order, those that it has not answered for at the end."""
    stream = reference_stream(store.demand_device().operator.organisation)
    last = int(store.meta("reference", "0"))
    found: list[Version] = []
    seen: set[str] = set()
    for (body,) in store.rows("SELECT body FROM event WHERE stream = ? AND q <= ? ORDER BY q", stream, last):
        event = msgspec.json.decode(body, type=Event)
        said = change_in(event)
        seen.add(event.op)
        if said is not None and said[0] == name:
            found.append(_version(len(found) + 1, event.at, event.by, said[1], back_of(event)))
    by = store.demand_device().operator.user
    for code, body in store.rows(
        "SELECT device, body FROM outbox WHERE kind = ? AND confirmed = 0 AND state != 'rejected' ORDER BY rowid",
        Kind.REFERENCE_SET.value,
    ):
        own = outbox.decode(body)
        if own.x.get("list") == name and operation_id(code, own.n) not in seen:
            back = own.x.get("back", -1)
            found.append(_version(len(found) + 1, own.at, by, own.x["rows"], back))
    return found


def go_back(store: Store, name: str, number: int) -> list[Operation]:
    """Make a list again what it was after version ``number`` (0: the program's own), as a new version; inside
    ``writing`` only. Refusal(REFERENCE_SAME) when it is that already."""
    rows = rows_back(store.base.reference.all(name), versions(store, name), number)
    if name == "fields":
        rows = _form_again(store, number)
    if not rows:
        raise Refusal(Code.REFERENCE_SAME)
    return change(store, name, rows, back=number)


def _form_again(store: Store, number: int) -> dict[str, Row]:
    """The fields of an earlier version under the next number: a version given to a card stays what it was."""
    reference = store.catalogue.reference
    shown = [row for version in versions(store, "fields") if version.number == number for row in version.rows.values()]
    base = store.base.reference
    first = str(latest_form(base))
    wanted = shown if number else [row for row in base.all("fields").values() if row["version"] == first]
    fresh = str(latest_form(reference) + 1)
    return {key.replace(key.partition(":")[0], fresh, 1): {**row, "version": fresh} for key, row in _keyed(wanted)}


def _keyed(rows: list[Row] | list[dict[str, str]]) -> list[tuple[str, Row]]:
    return [(":".join(row[name] for name in ("version", "types", "themes", "field")), row) for row in rows]


def differences(store: Store, operation: Operation) -> tuple[Difference, ...]:
    """What a refused change says of each row, and what stands there."""
    form, rows = LISTS.get(str(operation.x.get("list"))), operation.x.get("rows")
    if form is None or not isinstance(rows, dict):
        return ()
    now = store.catalogue.reference.all(form.name)
    return tuple(
        Difference(f"{form.title}: {key}", _in_words(form, row), _in_words(form, now.get(key, {})))
        for key, row in rows.items()
    )


def _in_words(form: ListForm, row: Row) -> str:
    words = [row[column.name] for column in form.columns if row.get(column.name)]
    return "; ".join(words)


def _version(number: int, stamp: str, by: int, rows: Mapping[str, Row], back: int) -> Version:
    try:
        at_ms = stamp_ms(stamp)
    except ValueError:
        at_ms = 0
    return Version(number, at_ms, by, {key: dict(row) for key, row in rows.items()}, back)
