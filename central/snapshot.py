"""The appeals of an organisation as they stand: for a desk that would otherwise page all that ever happened.

Open ones, and those that something happened to in the last two months. Made once for many desks and kept in memory,
never on a disk; a desk takes it and goes on with the events behind it.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec
import sqlalchemy as sa
import zstandard

from central.devices import epoch
from central.store import tables as t
from central.store.database import Database
from central.streams import heads, region_of
from operator_tui.appeals.card import OPEN_STATUSES, Card
from operator_tui.appeals.organisations import view
from operator_tui.sync.protocol import Top

# Desks compare their cards of sixty days with the centre's (operator_tui/sync/healing.py).
_DAYS = 62
_DAY_MS = 86_400_000
_BEHIND = 2_000  # events: a snapshot that is older is made anew
_KEEP_S = 3600.0
_MOST = 4  # organisations whose snapshot is kept
_PAGE = 500
_LEVEL = 9


@dataclass(frozen=True)
class Snapshot:
    """``content`` is a zstd stream of JSON lines, a Top and then the cards; ``tag`` its SHA-256 in hex."""

    content: bytes
    tag: str
    head: int
    epoch: str
    made: float


class Snapshots:
    """One for each server process; any thread may ask."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Snapshot] = OrderedDict()
        self._making = threading.Lock()  # desks that come together get one

    def of(self, database: Database, stream: str, now_ms: int) -> Snapshot:
        """The organisation's, not far behind."""
        with self._making:
            with database.read() as connection:
                head, here = heads(connection, [stream])[stream].head, epoch(connection)
            kept = self._kept.get(stream)
            fresh = (
                kept is not None
                and kept.epoch == here
                and 0 <= head - kept.head <= _BEHIND
                and time.monotonic() - kept.made < _KEEP_S
            )
            if kept is None or not fresh:
                kept = self._kept[stream] = make(database, stream, now_ms)
            self._kept.move_to_end(stream)
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)
            return kept


def make(database: Database, stream: str, now_ms: int) -> Snapshot:
    """As of one moment; the server works on meanwhile."""
    with database.one_moment() as connection:
        here, head = epoch(connection), heads(connection, [stream])[stream].head
        ids = _ids(connection, stream, head, now_ms - _DAYS * _DAY_MS)
        packer = zstandard.ZstdCompressor(level=_LEVEL).compressobj()
        parts = [packer.compress(msgspec.json.encode(Top(stream, here, head)) + b"\n")]
        for card in _cards(connection, ids, stream):
            parts.append(packer.compress(msgspec.json.encode(card) + b"\n"))
    content = b"".join([*parts, packer.flush()])
    return Snapshot(content, hashlib.sha256(content).hexdigest(), head, here, time.monotonic())


def cards_of(database: Database, stream: str, ids: Sequence[str]) -> tuple[int, list[Card]]:
    """Those of the cards that an organisation is told of, as it is told, and the event after which they stand so."""
    with database.one_moment() as connection:
        return heads(connection, [stream])[stream].head, list(_cards(connection, ids, stream))


def _ids(connection: sa.Connection, stream: str, head: int, since_ms: int) -> list[str]:
    card, event, region = t.card.c, t.event.c, region_of(stream)
    statuses = [status.value for status in OPEN_STATUSES]
    opened = sa.select(card.id).where(card.region == region, card.stream == stream, card.status.in_(statuses))
    # What lies with another organisation and is told here: a desk that does not find it in a snapshot drops it.
    elsewhere = sa.select(card.id).where(
        card.region == region,
        card.stream != stream,
        card.status.in_(statuses),
        card.body[("shared", stream)].as_string().is_not(None),
    )
    first = _first_since(connection, stream, head, since_ms)
    touched = sa.select(event.card).where(
        event.region == region, event.stream == stream, event.seq >= first, event.card != ""
    )
    return sorted(connection.execute(sa.union(opened, elsewhere, touched)).scalars())


def _first_since(connection: sa.Connection, stream: str, head: int, since_ms: int) -> int:
    """The first event received since then: places grow with time, so a few looks find it."""
    low, high = 1, head + 1
    while low < high:
        middle = (low + high) // 2
        where = (t.event.c.region == region_of(stream), t.event.c.stream == stream, t.event.c.seq == middle)
        received = connection.execute(sa.select(t.event.c.received_at).where(*where)).scalar_one_or_none()
        if received is None or received >= since_ms:
            high = middle
        else:
            low = middle + 1
    return low


def _cards(connection: sa.Connection, ids: Sequence[str], stream: str) -> Iterable[Card]:
    for first in range(0, len(ids), _PAGE):
        page, here = ids[first : first + _PAGE], t.card.c.region == region_of(stream)
        chosen = sa.select(t.card.c.body).where(t.card.c.id.in_(page), here).order_by(t.card.c.id)
        for body in connection.execute(chosen).scalars():
            card = msgspec.convert(body, Card)
            if card.stream == stream:
                yield card
            elif how := card.shared.get(stream):
                yield view(card, stream, how)
