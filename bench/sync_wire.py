"""The line of the fault simulator: requests and streams that wait until the schedule says what becomes of them."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from central.feed import Feed
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.sync.protocol import SUMS_PATH


@dataclass(eq=False)
class OpenStream:
    """A stream on the line: what the server has told and has not arrived yet."""

    query: dict[str, str]
    token: str
    begun: asyncio.Future[None]
    feed: Feed | None = None
    told: list[tuple[str, str]] = field(default_factory=list)
    arrived: asyncio.Queue[tuple[str, str] | None] = field(default_factory=asyncio.Queue)
    waiting: bool = True

    def fail(self, refusal: Refusal) -> None:
        """The line breaks off."""
        self.waiting = False
        if not self.begun.done():
            self.begun.set_exception(refusal)
        else:
            self.arrived.put_nowait(None)

    def give(self) -> None:
        """The next event arrives."""
        if not self.begun.done():
            self.begun.set_result(None)
        if self.told:
            self.arrived.put_nowait(self.told.pop(0))


@dataclass(frozen=True)
class Told:
    """What the server answers: the bytes, for a snapshot the place of the first one and the tag, the headers."""

    content: bytes
    start: int = 0
    tag: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(eq=False)
class Flight:
    """One request on the line and what has come back of its answer. ``name`` of a file, ``start`` and ``tag`` of a
    snapshot that is gone on with."""

    path: str
    body: bytes
    token: str
    begun: asyncio.Future[None]
    method: str = "POST"
    name: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    start: int = 0
    tag: str = ""
    told: Told | None = None
    chunks: asyncio.Queue[bytes | None] = field(default_factory=asyncio.Queue)
    rest: bytes | None = None  # the answer's bytes still under way; None before the server has answered
    waiting: bool = True  # somebody still waits for the answer

    def answer(self, told: Told) -> None:
        """The server has answered; nothing of it has arrived."""
        self.told, self.rest = told, told.content

    def fail(self, refusal: Refusal) -> None:
        """The line breaks off."""
        self.waiting = False
        if not self.begun.done():
            self.begun.set_exception(refusal)
        else:
            self.chunks.put_nowait(None)

    def give(self, size: int) -> None:
        """The next bytes arrive."""
        assert self.rest is not None
        if not self.begun.done():
            self.begun.set_result(None)
        part, self.rest = self.rest[:size], self.rest[size:]
        if part:
            self.chunks.put_nowait(part)
        if not self.rest:
            self.waiting = False
            self.chunks.put_nowait(b"")


class Wire:
    """Stands where the Link stands: holds each request until the schedule says what becomes of it."""

    def __init__(self) -> None:
        self.flights: list[Flight] = []
        self.streams: list[OpenStream] = []
        self.turns: list[asyncio.Future[None]] = []  # transactions of a snapshot that wait

    def go_on(self, which: int) -> None:
        """One of the transactions begins."""
        turn = self.turns.pop(which)
        if not turn.done():
            turn.set_result(None)

    @asynccontextmanager
    async def post(
        self, path: str, body: bytes, *, token: str = "", packed: bool = True
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        if path == SUMS_PATH:
            raise Refusal(Code.BAD_REQUEST, reason="http")  # nothing may heal here what should not have gone astray
        async with self._sent(path, body, token) as flight:
            yield self._arriving(flight)

    @asynccontextmanager
    async def tagged(
        self, path: str, *, token: str = "", start: int = 0, tag: str = ""
    ) -> AsyncIterator[tuple[int, str, AsyncIterator[bytes]]]:
        async with self._sent(path, b"", token, method="GET", start=start, tag=tag) as flight:
            assert flight.told is not None
            yield flight.told.start, flight.told.tag, self._arriving(flight)

    async def exchange(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"", *, token: str = ""
    ) -> Mapping[str, str]:
        said = headers.get("Upload-Metadata", "").partition(" ")[2]
        name = base64.b64decode(said).decode() if said else path.rpartition("/")[2]
        async with self._sent(path, body, token, method=method, name=name, headers=headers) as flight:
            assert flight.told is not None
            return flight.told.headers

    @asynccontextmanager
    async def _sent(self, path: str, body: bytes, token: str, **more: Any) -> AsyncIterator[Flight]:
        flight = Flight(path, body, token, asyncio.get_running_loop().create_future(), **more)
        self.flights.append(flight)
        try:
            await flight.begun
            yield flight
        finally:
            flight.waiting = False

    @asynccontextmanager
    async def events(
        self, path: str, query: dict[str, str], *, token: str = ""
    ) -> AsyncIterator[AsyncIterator[tuple[str, str]]]:
        stream = OpenStream(query, token, asyncio.get_running_loop().create_future())
        self.streams.append(stream)
        try:
            await stream.begun
            yield self._telling(stream)
        finally:
            stream.waiting = False

    async def _telling(self, stream: OpenStream) -> AsyncIterator[tuple[str, str]]:
        while (event := await stream.arrived.get()) is not None:
            yield event
        raise Refusal(Code.SERVER_AWAY)

    async def put(self, path: str, body: bytes, *, token: str = "") -> None:
        return

    async def _arriving(self, flight: Flight) -> AsyncIterator[bytes]:
        while (chunk := await flight.chunks.get()) is not None:
            if not chunk:
                return
            yield chunk
        raise Refusal(Code.SERVER_AWAY)
