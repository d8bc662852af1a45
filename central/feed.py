"""One desk's open stream: where it is, and what it is told next. No HTTP in here."""

from __future__ import annotations

import sqlalchemy as sa

from central.apply import standing
from central.auth.admitted import still_admitted
from central.devices import Device, epoch
from central.exchange import pull
from central.store.database import Database
from operator_tui.sync.protocol import SYNC_VERSION, Frame, Head, SyncRequest

_PAGE_BYTES = 16_384


class Feed:
    """``cursors`` are the desk's, ``lineage`` the epoch it knows (empty: none yet), ``version`` that of
    the protocol it speaks."""

    def __init__(self, device: Device, cursors: dict[str, int], lineage: str, version: int = SYNC_VERSION) -> None:
        self.device = device
        self.cursors = cursors
        self.streams: list[str] = []
        self.over = False
        self._lineage = lineage
        self._version = version
        self._told = False

    def look(self, database: Database, now_ms: int) -> list[Frame]:
        """What there is to tell now, a page at most; ``over`` when the desk must begin anew.

        Who it is, what he may see and which lineage this is are looked at in the transaction that reads the events.
        Refusals: those of a session that ended meanwhile.
        """
        with database.read() as connection:
            self.device = still_admitted(connection, self.device.id, now_ms)
            here = epoch(connection)
            frames = self._head(connection, here, now_ms)
            if self._lineage and here != self._lineage:
                self.over = True
                return frames
            self._lineage = here
            asked = SyncRequest(v=self._version, d=self.device.id, c=self.cursors, max=_PAGE_BYTES)
            events, end = pull(connection, self.device, asked)
        self.streams = list(end.end)
        self.cursors = {stream: self.cursors.get(stream, 0) for stream in self.streams}
        for event in events:
            self.cursors[event.s] = event.q
        return [*frames, *events]

    def _head(self, connection: sa.Connection, here: str, now_ms: int) -> list[Frame]:
        if self._told and here == self._lineage:
            return []
        self._told = True
        pushed = standing(connection, [self.device])[self.device.id]
        return [Head(e=here, t=now_ms, next=pushed.next, durable=pushed.durable)]
