"""How hints go from one server process to the others: PostgreSQL's LISTEN/NOTIFY, or Redis where there are many.

A carrier may lose what it is given and may be away: what hints are about is looked up in the database (central/bus.py).
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import sqlalchemy as sa

from central.store.database import Database
from operator_tui.appeals.errors import Code, Refusal

if TYPE_CHECKING:
    from redis.asyncio import Redis

_CHANNEL = "operator_tui"
_CONNECT_S = 5
_SEND_S = 5


class CarrierAwayError(Exception):
    """It takes or brings nothing now; the cause says why."""


class Carrier(Protocol):
    """``name`` is what health calls it."""

    name: str

    async def send(self, hints: Sequence[str]) -> None:
        """To the other processes, and back to this one too. CarrierAwayError when it does not take them."""

    async def listen(self, joined: Callable[[], None], heard: Callable[[str], None]) -> None:
        """Works until it breaks off: CarrierAwayError. ``joined`` is called once everything said from now on is
        heard."""

    async def close(self) -> None:
        """Give its connections back."""


Run = Callable[[Callable[[], None]], Awaitable[None]]


class Notify:
    """PostgreSQL's own. ``run`` runs a short transaction beside the event loop."""

    name = "postgresql"

    def __init__(self, database: Database, run: Run) -> None:
        self._database = database
        self._run = run

    async def send(self, hints: Sequence[str]) -> None:
        try:
            await self._run(lambda: self._notify(hints))
        except (Refusal, sa.exc.DBAPIError) as error:
            raise CarrierAwayError from error

    def _notify(self, hints: Sequence[str]) -> None:
        with self._database.read() as connection:
            for hint in hints:
                connection.execute(sa.select(sa.func.pg_notify(_CHANNEL, hint)))

    async def listen(self, joined: Callable[[], None], heard: Callable[[str], None]) -> None:
        import psycopg

        url = self._database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        try:
            connection = await psycopg.AsyncConnection.connect(url, autocommit=True, connect_timeout=_CONNECT_S)
            try:
                await connection.execute(f"LISTEN {_CHANNEL}")
                joined()
                async for notify in connection.notifies():
                    heard(notify.payload)
            finally:
                # Not ``async with``: that rolls back first, and a second cancel there would leave it open.
                await connection.close()
        except (psycopg.Error, OSError) as error:
            raise CarrierAwayError from error

    async def close(self) -> None:
        """What it uses is the database's."""


@dataclass(frozen=True)
class RedisAddress:
    """``redis://host:port/0``, ``rediss://…?ssl_ca_certs=FILE`` or ``unix:///path``; never with the password in it.

    Refusals: SETTING_WRONG for another form, and where the package ``redis`` is not installed.
    """

    url: str
    password: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("redis", "rediss", "unix") or parts.password or "password=" in parts.query:
            raise _wrong("redis://host:6379/0")
        try:
            import redis.asyncio  # noqa: F401  # an extra: a desk has none
        except ImportError:
            raise _wrong("pip install operator-tui[redis]") from None

    def client(self) -> Redis:
        """Connections come with the first use. It never tries again by itself: who uses it is told, and says so."""
        from redis.asyncio import Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff

        options: dict[str, Any] = {"retry": Retry(NoBackoff(), 0), "socket_connect_timeout": _CONNECT_S}
        options |= {"socket_timeout": _SEND_S, "health_check_interval": _SEND_S}
        return Redis.from_url(self.url, password=self.password or None, **options)


class RedisChannels:
    """Litestar's Channels on Redis, publish and subscribe: nothing is kept there. ``lineage``, the database's epoch,
    keeps the processes of several installations apart that share one Redis."""

    name = "redis"

    def __init__(self, address: RedisAddress, lineage: str) -> None:
        from litestar.channels.backends.redis import RedisChannelsPubSubBackend
        from redis.exceptions import RedisError

        self._address = address
        self._channel = f"{_CHANNEL}:{lineage}"
        self._backend = RedisChannelsPubSubBackend
        self._trouble = (RedisError, OSError)
        self._sending = address.client()
        self._sender = RedisChannelsPubSubBackend(redis=self._sending)

    async def send(self, hints: Sequence[str]) -> None:
        try:
            for hint in hints:
                await self._sender.publish(hint.encode(), [self._channel])
        except self._trouble as error:
            raise CarrierAwayError from error

    async def listen(self, joined: Callable[[], None], heard: Callable[[str], None]) -> None:
        client = self._address.client()
        backend = self._backend(redis=client)
        try:
            await backend.subscribe([self._channel])
            joined()
            async for _, data in backend.stream_events():
                heard(data.decode())
        except self._trouble as error:
            raise CarrierAwayError from error
        finally:
            with contextlib.suppress(*self._trouble):
                await backend.on_shutdown()
                await client.aclose()

    async def close(self) -> None:
        with contextlib.suppress(*self._trouble):
            await self._sending.aclose()


def _wrong(expected: str) -> Refusal:
    return Refusal(Code.SETTING_WRONG, place="central serve", key="--redis", expected=expected)
