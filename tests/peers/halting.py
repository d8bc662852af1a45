"""A line before a server's port that counts the parts of files (PATCH) and can stand still within one of them.

It stands still once: with half of a part's bytes on the way, or with all of them there and the answer on its way back.
Who waits is then killed, or lets go; every later connection is carried as usual.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_LENGTH = re.compile(rb"(?im)^content-length:\s*(\d+)\r$")
_BLOCK = 1 << 16


class HaltingLine:
    """``part`` is the number of the part to stop in, from 1, 0 for none; ``answer`` whether its bytes all arrive.

    ``parts`` are the lengths of all parts that clients began to send, ``halted`` is set while the line stands still.
    """

    def __init__(self, server_port: int, *, part: int = 0, answer: bool = False) -> None:
        self._server_port = server_port
        self._part = part
        self._answer = answer
        self._tasks: set[asyncio.Task[None]] = set()
        self.parts: list[int] = []
        self.halted = asyncio.Event()
        self.port = 0

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[HaltingLine]:
        """Carries until the block ends."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            there, to_server = await asyncio.open_connection("127.0.0.1", self._server_port)
            still = asyncio.Event()
            back = asyncio.create_task(self._back(there, writer, still))
            try:
                while await self._request(reader, to_server, still):
                    pass
            finally:
                back.cancel()
                await asyncio.wait({back})
                to_server.close()
                writer.close()

    async def _request(
        self, reader: asyncio.StreamReader, to_server: asyncio.StreamWriter, still: asyncio.Event
    ) -> bool:
        """Carry one request; False when the line stood still in it and the client has gone."""
        head = await reader.readuntil(b"\r\n\r\n")
        found = _LENGTH.search(head)
        length = int(found[1]) if found else 0
        halts = False
        if head.startswith(b"PATCH "):
            self.parts.append(length)
            halts = len(self.parts) == self._part
        if halts and self._answer:
            still.set()  # before the server can answer
        to_server.write(head)
        carried = length // 2 if halts and not self._answer else length
        to_server.write(await reader.readexactly(carried))
        await to_server.drain()
        if halts and not self._answer:
            self.halted.set()
        if halts:
            while await reader.read(_BLOCK):  # until he who waits has gone
                pass
        return not halts

    async def _back(self, there: asyncio.StreamReader, writer: asyncio.StreamWriter, still: asyncio.Event) -> None:
        with contextlib.suppress(OSError):
            while block := await there.read(_BLOCK):
                if still.is_set():
                    self.halted.set()
                    continue
                writer.write(block)
                await writer.drain()
        writer.close()
