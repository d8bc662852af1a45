"""What server processes over one database tell each other: which streams grew, and who is doing what.

On PostgreSQL by LISTEN/NOTIFY, sent beside the transactions (inside one it would make all commits wait for one
another). A hint that is lost costs nothing but time: every LOOK_S one query looks how far the streams are that somebody
waits for. On SQLite there is one process, and only that look (a command line may write too).
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa

from central.log import log_failure
from central.presence import Told
from central.store import tables as t
from operator_tui.appeals.errors import Refusal

if TYPE_CHECKING:
    from central.api.service import Service

LOOK_S = 2.0
AGAIN_S = 30.0
_CHANNEL = "operator_tui"
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

    def __init__(self, service: Service) -> None:
        self._service = service
        self._me = secrets.token_hex(4)
        self._postgres = service.database.engine.dialect.name == "postgresql"
        self._grown: set[str] = set()
        self._told: dict[str, Told] = {}
        self._something = asyncio.Event()

    def grew(self, streams: Iterable[str]) -> None:
        """Streams grew here: wake who waits for them, here and elsewhere."""
        streams = list(streams)
        self._service.hub.ring(streams)
        if streams and self._postgres:
            self._grown.update(streams)
            self._something.set()

    def said(self, told: Told) -> None:
        """A desk of this process said what it does."""
        if self._service.presences.tell(told, self._service.clock.monotonic()):
            self._service.hub.ring([presence_bell(told.region)])
        if self._postgres:
            self._told[told.device] = told
            self._something.set()

    async def run(self) -> None:
        """Look, listen and tell."""
        work = [self._looking, self._renewing]
        if self._postgres:
            work += [self._listening, self._telling]
        await asyncio.gather(*map(self._lasting, work))

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
            if self._postgres and since >= AGAIN_S:
                since = 0.0
                self._told |= {told.device: told for told in service.presences.local()}
                self._something.set()

    async def _telling(self) -> None:
        while True:
            await self._something.wait()
            await asyncio.sleep(_GATHER_S)
            self._something.clear()
            grown, self._grown = self._grown, set()
            told, self._told = self._told, {}
            hints = list(_hints(self._me, sorted(grown), list(told.values())))
            # A hint that could not be sent is a hint that was lost.
            with contextlib.suppress(Refusal, sa.exc.DBAPIError):
                await self._service.run(lambda hints=hints: self._send(hints))  # type: ignore[misc]  # the same

    def _send(self, hints: list[str]) -> None:
        with self._service.database.read() as connection:
            for hint in hints:
                connection.execute(sa.select(sa.func.pg_notify(_CHANNEL, hint)))

    async def _listening(self) -> None:
        import psycopg

        url = self._service.database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(url, autocommit=True, connect_timeout=5) as connection:
                    await connection.execute(f"LISTEN {_CHANNEL}")
                    # What was said while nobody listened is looked up once.
                    self._service.hub.ring(self._service.hub.waited_for())
                    async for notify in connection.notifies():
                        self._heard(notify.payload)
            except (psycopg.Error, OSError) as error:
                log_failure("listening failed", error)
            await asyncio.sleep(_RECONNECT_S)

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
