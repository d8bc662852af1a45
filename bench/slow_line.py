"""A line of the country in user space: so many bits a second each way, so much delay, cuts, and every byte counted.

A relay before a server's port. What a real line would carry is counted too: TCP/IP headers of 52 bytes a segment (IPv4
with timestamps, RFC 7323), an acknowledgement for every second segment (RFC 1122, 4.2.3.2), three segments to open a
connection, which take one round trip before the first byte. No slow start: ten segments (RFC 6928) hold more than the
line carries in a round trip.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

SEGMENT, HEADER = 1448, 52
_OPENING = (60 + 52, 60)  # bytes up and down: SYN and ACK; SYN with ACK
UP, DOWN = 0, 1


class SlowLine:
    """``port`` is where clients connect; ``bits`` a second each way; ``delay_s`` one way."""

    def __init__(self, server_port: int, *, bits: int = 64_000, delay_s: float = 0.3) -> None:
        self._server_port = server_port
        self._bits = bits
        self._delay_s = delay_s
        self._free_at = [0.0, 0.0]
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._odd = [0, 0]
        self.port = 0
        self.open = True
        self.bytes = [0, 0]
        self.connections = 0
        self.cut_after: int | None = None  # bytes down, then the line breaks off by itself

    @asynccontextmanager
    async def running(self) -> AsyncIterator[SlowLine]:
        """Carries until the block ends."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            self.cut()
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """All connections break off; none is made until ``mend``."""
        self.open = False
        for writer in self._writers:
            writer.transport.abort()

    def mend(self) -> None:
        """The line is back."""
        self.open = True

    def count(self) -> tuple[int, int]:
        """Bytes up and down since the last call."""
        counted, self.bytes = self.bytes, [0, 0]
        return counted[UP], counted[DOWN]

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.open:
            writer.transport.abort()
            return
        self.connections += 1
        self.bytes[UP] += _OPENING[UP]
        self.bytes[DOWN] += _OPENING[DOWN]
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._server_port)
        self._writers |= {writer, server_writer}
        first = asyncio.get_running_loop().time() + 2 * self._delay_s
        pumps = [
            asyncio.ensure_future(self._carry(reader, server_writer, UP, first)),
            asyncio.ensure_future(self._carry(server_reader, writer, DOWN, first)),
        ]
        self._tasks.update(pumps)
        await asyncio.wait(pumps)
        self._tasks.difference_update(pumps)
        self._writers -= {writer, server_writer}
        for end in (writer, server_writer):
            end.transport.abort()

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: int, not_before: float
    ) -> None:
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        delivering = asyncio.ensure_future(_deliver(queue, writer))
        try:
            with contextlib.suppress(OSError):
                while data := await reader.read(SEGMENT):
                    if writer.transport.is_closing():
                        break  # the line was cut: what waits before it is not carried
                    size = len(data) + HEADER
                    self._counted(way, size)
                    begin = max(loop.time(), self._free_at[way], not_before - self._delay_s)
                    self._free_at[way] = begin + size * 8 / self._bits
                    queue.put_nowait((self._free_at[way] + self._delay_s, data))
                    # A sender is held back by what the line has not carried yet, as by its window.
                    if (ahead := self._free_at[way] - loop.time() - 2 * self._delay_s) > 0:
                        await asyncio.sleep(ahead)
                queue.put_nowait((loop.time() + self._delay_s, b""))
                await delivering
        finally:
            delivering.cancel()

    def _counted(self, way: int, size: int) -> None:
        self.bytes[way] += size
        self._odd[way] ^= 1
        if self._odd[way] == 0:
            self.bytes[1 - way] += HEADER
        if way == DOWN and self.cut_after is not None:
            self.cut_after -= size
            if self.cut_after < 0:
                self.cut_after = None
                self.cut()


async def _deliver(queue: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
    loop = asyncio.get_running_loop()
    with contextlib.suppress(OSError):
        while True:
            due, data = await queue.get()
            if (left := due - loop.time()) > 0:
                await asyncio.sleep(left)
            if not data:
                if writer.can_write_eof():
                    writer.write_eof()
                else:
                    writer.transport.abort()
                return
            writer.write(data)
            await writer.drain()
