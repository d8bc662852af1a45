"""What the handlers share: the database, the clock, the rules' data, and the threads the transactions run in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from central import audit
from central.auth.vouching import Provider
from central.bus import Bus
from central.carriers import RedisAddress, RedisChannels
from central.devices import Device, epoch
from central.exchange import exchange_all
from central.gathering import Gathering
from central.hub import Hub
from central.keys import ServerKeys
from central.presence import Presences
from central.snapshot import Snapshots
from central.store.database import Database
from central.store.engine import CONNECTIONS
from central.streams import region_of
from operator_tui.appeals.catalogue import Catalogue
from operator_tui.appeals.clock import Clock
from operator_tui.appeals.errors import Code, Refusal

T = TypeVar("T")


class Service:
    """One for each server process."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        catalogue: Catalogue,
        keys: ServerKeys | None,
        provider: Provider | None,
        persons_only: bool,
        redis: RedisAddress | None = None,
    ) -> None:
        self.database = database
        self._keys = keys
        self.provider = provider
        self.persons_only = persons_only
        self.clock = clock
        self.catalogue = catalogue
        self.hub = Hub()
        self.presences = Presences()
        self.snapshots = Snapshots()
        # Who waits for one that is being made waits here, not in a thread: every other request needs those.
        self.snapshot_turn = asyncio.Lock()
        self.streams: dict[str, object] = {}  # the open stream of each device
        self.bus = Bus(self, RedisChannels(redis, self._lineage()) if redis else None)
        self.gathering = Gathering(
            self.run,
            lambda asking: exchange_all(self.database, asking, self.clock.now_ms(), self.catalogue),
            self.bus.grew,
        )
        # As many threads as connections: a request waits for a thread, never inside one for a connection.
        self._threads = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="central")

    @property
    def keys(self) -> ServerKeys:
        """The private keys. Refusal(SERVER_KEYS_AWAY) for a server that was given none."""
        if self._keys is None:
            raise Refusal(Code.SERVER_KEYS_AWAY, path="")
        return self._keys

    def _lineage(self) -> str:
        with self.database.read() as connection:
            return epoch(connection)

    async def run(self, work: Callable[[], T]) -> T:
        """Run a short transaction beside the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def record(self, who: Device, action: str, object: str, detail: Mapping[str, Any]) -> None:
        """What somebody was shown or given goes into his region's audit, on disk before it is out."""
        self.database.write(
            lambda connection: audit.record(
                self.database,
                connection,
                region=region_of(who.operator.organisation),
                at=self.clock.now_ms(),
                actor=who.operator.user,
                device=who.id,
                action=action,
                object=object,
                detail=detail,
            )
        )

    def close(self) -> None:
        """Finish what runs, give the connections back."""
        self._threads.shutdown()
        self.database.close()
