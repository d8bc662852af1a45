"""The reference data of each region as the centre keeps them: version zero of the release, and every change behind it.

The changes are the region's stream ``26/ref``: dense, hash-chained, append-only like every other. What they come to is
kept in memory and looked at again every two seconds; a change itself is decided under the stream's lock.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from central import streams
from central.devices import Device
from central.store.database import Database
from operator_tui.appeals.catalogue import Catalogue, catalogue_of
from operator_tui.appeals.hlc import next_stamp
from operator_tui.appeals.operations import REFERENCE_KINDS, Kind, reference_stream
from operator_tui.appeals.reference import Row, change_in
from operator_tui.appeals.reference_change import MOST_ROWS, decide_change

_LOOK_S = 2.0
_PAGE_BYTES = 1 << 20
_KINDS = tuple(kind.value for kind in REFERENCE_KINDS)  # compared, not hashed: whatever JSON came stands there
# Who wrote what came by the command line of the centre.
CENTRE = "central"


class References:
    """One for each open database; any thread may ask."""

    def __init__(self, base: Catalogue) -> None:
        self._base = base
        self._known: dict[str, tuple[int, Catalogue]] = {}
        self._looked: dict[str, float] = {}
        self._lock = threading.Lock()

    def known(self, connection: sa.Connection, region: str) -> Catalogue:
        """Those of a region, not older than two seconds."""
        if time.monotonic() - self._looked.get(region, float("-inf")) < _LOOK_S:
            return self._known[region][1]
        return self.now(connection, region)

    def now(self, connection: sa.Connection, region: str) -> Catalogue:
        """Those of a region as they stand in the database. Not to be asked behind a change of one's own transaction."""
        stream = reference_stream(region)
        seq, catalogue = self._known.get(region, (0, self._base))
        head = streams.heads(connection, [stream])[stream].head
        if head != seq:
            if head < seq:  # restored from a copy
                seq, catalogue = 0, self._base
            catalogue = _folded(connection, stream, seq, head, catalogue)
        with self._lock:
            self._known[region] = head, catalogue
            self._looked[region] = time.monotonic()
        return catalogue

    def forget(self, touched: Iterable[str]) -> None:
        """These streams grew: what is known of their regions is looked at again."""
        for stream in touched:
            if stream == reference_stream(stream):
                self._looked.pop(streams.region_of(stream), None)


def _folded(connection: sa.Connection, stream: str, seq: int, head: int, catalogue: Catalogue) -> Catalogue:
    reading = streams.Reading(connection)
    changes = []
    while seq < head:
        events, _ = reading.after(stream, seq, head, _PAGE_BYTES)
        if not events:
            break
        changes += [change for event in events if event.k in _KINDS and (change := change_in(event)) is not None]
        seq = events[-1].q
    return catalogue_of(catalogue.reference.changed(changes)) if changes else catalogue


_OF: WeakKeyDictionary[Database, References] = WeakKeyDictionary()


def references(database: Database, base: Catalogue) -> References:
    """Those of an open database; ``base`` is the release's own."""
    return _OF.setdefault(database, References(base))


class Book:
    """The reference data of one transaction: as it finds them, and as its own changes leave them.

    Where it changes them the streams are locked before anything is decided, and before every other stream.
    """

    def __init__(
        self,
        database: Database,
        connection: sa.Connection,
        base: Catalogue,
        pushed: Sequence[tuple[Device, Sequence[dict[str, Any]]]],
    ) -> None:
        self._connection = connection
        self._references = references(database, base)
        self._here: dict[str, Catalogue] = {}
        self._exact: set[str] = set()
        changing = {
            _region(device) for device, plains in pushed if any(str(plain.get("k")) in _KINDS for plain in plains)
        }
        if changing:
            streams.take_places(connection, [reference_stream(region) for region in changing])
        for region in changing:
            self._here[region] = self._references.now(connection, region)
            self._exact.add(region)

    def of(self, device: Device) -> Catalogue:
        """What the operations of a device are decided by."""
        region = _region(device)
        if region not in self._here:
            self._here[region] = self._references.known(self._connection, region)
        return self._here[region]

    def renewed(self, device: Device) -> bool:
        """Whether what refused an operation was not the newest: then it is decided once more."""
        region = _region(device)
        if region in self._exact:
            return False
        self._exact.add(region)
        before = self._here[region]
        self._here[region] = self._references.now(self._connection, region)
        return self._here[region] is not before

    def took(self, device: Device, plain: Mapping[str, Any], op: str) -> None:
        """An operation was accepted; if it is a change, what follows it is decided by it."""
        if plain.get("k") in _KINDS:
            region = _region(device)
            said = plain["x"]
            changed = self._here[region].reference.changed([(said["list"], said["rows"], op)])
            self._here[region] = catalogue_of(changed)


def _region(device: Device) -> str:
    return streams.region_of(device.operator.organisation)


def write(
    database: Database,
    base: Catalogue,
    region: str,
    name: str,
    rows: Mapping[str, Row],
    now_ms: int,
) -> int:
    """Put rows into a list of a region as the centre's own change; those that stand there already are left out.

    Returns how many differed. Refusals: those of ``decide_change``, and nothing is written.
    """

    def work(connection: sa.Connection) -> int:
        stream = reference_stream(region)
        place = streams.take_place(connection, stream)
        reference = references(database, base).now(connection, region).reference
        known = reference.all(name)
        different = {key: dict(row) for key, row in rows.items() if known.get(key) != row}
        drafts: list[streams.Draft] = []
        stamp = ""
        keys = list(different)
        for first in range(0, len(keys), MOST_ROWS):
            part = {key: different[key] for key in keys[first : first + MOST_ROWS]}
            x = {"list": name, "rows": part}
            decide_change(reference, x, {key: op for key in part if (op := reference.writer(name, key))})
            op = f"{CENTRE}:{place.seq + len(drafts) + 1}"
            reference = reference.changed([(name, part, op)])
            stamp = next_stamp(stamp, now_ms)
            drafts.append(streams.Draft(stream, Kind.REFERENCE_SET.value, op, "", 0, stamp, "UTC", x))
        if drafts:
            streams.append(connection, {stream: place}, {stream: drafts}, now_ms)
        return len(different)

    try:
        return database.write(work)
    finally:
        references(database, base).forget([reference_stream(region)])
