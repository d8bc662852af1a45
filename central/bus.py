"""What server processes over one database tell each other: which streams grew, and who is doing what.

On PostgreSQL by LISTEN/NOTIFY, or by Redis where there are many processes (central/carriers.py), sent beside the
transactions (inside one it would make all commits wait for one another). A hint that is lost costs nothing but time:
every LOOK_S one query looks how far the streams are that somebody waits for. On SQLite there is one process, and only
that look (a command line may write too).
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa

from central.carriers import Carrier, CarrierAwayError, Notify
from central.log import log_failure
from central.presence import Told
from central.store import tables as t
from operator_tui.appeals.errors import Refusal

if TYPE_CHECKING:
    from central.api.service import Service

LOOK_S = 2.0
AGAIN_S = 30.0
_GATHER_S = 0.02  # growth of this long goes out as one hint
_PAYLOAD = 7000  # bytes; PostgreSQL takes 8000 (sql-notify)
_RECONNECT_S = 2.0


class Hint(msgspec.Struct, frozen=True, omit_defaults=True):
    """``o`` the process that says it; ``g`` streams that grew; ``p`` what desks do."""

    o: str
    g: list[str] = []
    p: list[Told] = []


class Bus:
    """One for each server process; ``run`` works until it is cancelled."""

    def __init__(self, service: Service, carrier: Carrier | None = None) -> None:
        self._service = service
        self._me = secrets.token_hex(4)
        if carrier is None and service.database.engine.dialect.name == "postgresql":
            carrier = Notify(service.database, service.run)
        self._carrier = carrier
        self._brings: bool | None = None  # whether what others say is heard; None until that was tried
        self._takes = True  # whether what was said last went out
        self._grown: set[str] = set()
        self._told: dict[str, Told] = {}
        self._something = asyncio.Event()

    def grew(self, streams: Iterable[str]) -> None:
        """Streams grew here: wake who waits for them, here and elsewhere."""
        streams = list(streams)
        self._service.hub.ring(streams)
        if streams and self._carrier:
            self._grown.update(streams)
            self._something.set()

    def said(self, told: Told) -> None:
        """A desk of this process said what it does."""
        if self._service.presences.tell(told, self._service.clock.monotonic()):
            self._service.hub.ring([presence_bell(told.region)])
        if self._carrier:
            self._told[told.device] = told
            self._something.set()

    @property
    def carrier(self) -> str:
        """What carries hints: ``postgresql``, ``redis``, ``none`` for a server of one process."""
        return self._carrier.name if self._carrier else "none"

    @property
    def carried(self) -> bool:
        """Whether hints come and go now; where they do not, growth is found by looking."""
        return self._carrier is None or (bool(self._brings) and self._takes)

    async def run(self) -> None:
        """Look, listen and tell."""
        work = [self._looking, self._renewing]
        if self._carrier:
            work += [partial(self._listening, self._carrier), partial(self._telling, self._carrier)]
        try:
            await asyncio.gather(*map(self._lasting, work))
        finally:
            if self._carrier:
                await self._carrier.close()

    async def _lasting(self, work: Callable[[], Awaitable[None]]) -> None:
        """A mistake of ours is told and ends none of them: nobody looks at this task before the server ends."""
        while not self._service.hub.closed:
            try:
                await work()
            except Exception as error:
                log_failure("bus failed", error)
                await asyncio.sleep(LOOK_S)

    async def _looking(self) -> None:
        service = self._service
        while not service.hub.closed:
            if wanted := service.hub.waited_for():
                try:
                    service.hub.looked(await service.run(lambda wanted=wanted: self._heads(wanted)))  # type: ignore[misc]  # mypy knows no defaults in a lambda
                except Refusal:
                    pass  # the database is away: who waits, waits
                except Exception as error:
                    log_failure("looking failed", error)
            await asyncio.sleep(LOOK_S)

    def _heads(self, streams: list[str]) -> dict[str, int]:
        with self._service.database.read() as connection:
            rows = connection.execute(sa.select(t.stream.c.id, t.stream.c.seq).where(t.stream.c.id.in_(streams)))
            return {row.id: row.seq for row in rows}

    async def _renewing(self) -> None:
        service = self._service
        since = 0.0
        while True:
            await asyncio.sleep(LOOK_S)
            service.hub.ring(map(presence_bell, service.presences.expire(service.clock.monotonic())))
            since += LOOK_S
            if self._carrier and since >= AGAIN_S:
                since = 0.0
                self._tell_again()

    async def _telling(self, carrier: Carrier) -> None:
        while True:
            await self._something.wait()
            await asyncio.sleep(_GATHER_S)
            self._something.clear()
            grown, self._grown = self._grown, set()
            told, self._told = self._told, {}
            try:
                await carrier.send(list(_hints(self._me, sorted(grown), list(told.values()))))
            except CarrierAwayError as away:
                # A hint that could not be sent is a hint that was lost.
                if self._takes:
                    log_failure("telling failed", away.__cause__ or away)
                self._takes = False
            else:
                self._takes = True

    async def _listening(self, carrier: Carrier) -> None:
        while True:
            try:
                await carrier.listen(self._joined, self._heard)
            except CarrierAwayError as away:
                if self._brings is not False:
                    log_failure("listening failed", away.__cause__ or away)
            self._brings = False
            await asyncio.sleep(_RECONNECT_S)

    def _joined(self) -> None:
        """What was said while nobody listened is looked up once; and the others heard nothing of this process."""
        self._brings = True
        self._service.hub.ring(self._service.hub.waited_for())
        self._tell_again()

    def _tell_again(self) -> None:
        self._told |= {told.device: told for told in self._service.presences.local()}
        self._something.set()

    def _heard(self, payload: str) -> None:
        try:
            hint = msgspec.json.decode(payload, type=Hint)
        except msgspec.MsgspecError:
            return  # of a newer process
        if hint.o == self._me:
            return
        service = self._service
        service.hub.ring(hint.g)
        now = service.clock.monotonic()
        service.hub.ring(
            presence_bell(told.region) for told in hint.p if service.presences.tell(told, now, local=False)
        )


def presence_bell(region: str) -> str:
    """Rings when somebody of the region does something else; no stream has such a name."""
    return f"{region}//presence"


def _hints(me: str, grown: list[str], told: list[Told]) -> Iterable[str]:
    """As few as their size allows."""
    items: list[tuple[str, Any]] = [*(("g", each) for each in grown), *(("p", each) for each in told)]
    part: dict[str, list[Any]] = {"g": [], "p": []}
    used = 0
    for kind, item in items:
        size = len(msgspec.json.encode(item)) + 1
        if used + size > _PAYLOAD:
            yield msgspec.json.encode(Hint(me, **part)).decode()
            part, used = {"g": [], "p": []}, 0
        part[kind].append(item)
        used += size
    if used:
        yield msgspec.json.encode(Hint(me, **part)).decode()
