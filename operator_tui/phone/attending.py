"""The engine's end of its socket: who may come, one desk at a time, its requests and what it is told."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable

import msgspec

from operator_tui.appeals.clock import Clock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.phone import process, wire
from operator_tui.phone.line import Snapshot
from operator_tui.phone.log import EngineLog
from operator_tui.phone.tasks import ended

_MAX_UNSENT = 4 * 1024 * 1024  # a desk that reads nothing is let go; it finds everything in the next snapshot


class Attending:
    """``do`` carries out an act and gives its result, ``picture`` is what a desk is told first, ``came`` and ``left``
    are called as a desk attaches and goes."""

    def __init__(
        self,
        do: Callable[[wire.AnyAct], Awaitable[str]],
        picture: Callable[[], Snapshot],
        came: Callable[[], None],
        left: Callable[[], None],
        log: EngineLog,
        clock: Clock,
    ) -> None:
        self._do = do
        self._picture = picture
        self._came = came
        self._left = left
        self._log = log
        self._clock = clock
        self._desk: asyncio.StreamWriter | None = None
        self._alone_since = clock.monotonic()
        self._requests: set[asyncio.Task[None]] = set()

    @property
    def attached(self) -> bool:
        return self._desk is not None

    @property
    def alone_seconds(self) -> float:
        """Since when there is neither a desk nor a reason to wait for one."""
        return 0.0 if self.attached else self._clock.monotonic() - self._alone_since

    def begin_alone(self) -> None:
        """The time alone begins now: a call is on, or has just ended."""
        self._alone_since = self._clock.monotonic()

    async def close(self) -> None:
        """Let the desk go, and end what it asked for."""
        if self._desk is not None:
            self._desk.close()
        await ended(*self._requests)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, to its end."""
        pid, uid = process.peer(writer.get_extra_info("socket"))
        try:
            if uid != os.geteuid():
                self._log.say("stranger", uid=uid)
            elif self._desk is not None:
                self._log.say("second_desk", pid=pid)
                writer.write(wire.framed(wire.Refused(Refusal(Code.PHONE_TAKEN).wire())))
                await writer.drain()
            else:
                await self._attend(reader, writer, pid)
        except ConnectionError:
            pass
        finally:
            writer.close()

    def send(self, message: msgspec.Struct) -> None:
        """To the desk, if there is one."""
        desk = self._desk
        if desk is None or desk.is_closing():
            return
        desk.write(wire.framed(message))
        if desk.transport.get_write_buffer_size() > _MAX_UNSENT:
            self._log.say("desk_stuck")
            desk.transport.abort()

    async def _attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pid: int) -> None:
        self._desk = writer
        self._came()
        self._log.say("attached", pid=pid)
        try:
            writer.write(wire.framed(wire.hello(self._picture())))
            while (body := await wire.read_frame(reader)) is not None:
                self._take(body)
        except Refusal as refusal:
            self._log.say("bad_frame", code=refusal.code.value)
        finally:
            self._desk = None
            self.begin_alone()
            self._left()
            self._log.say("detached", pid=pid)

    def _take(self, body: bytes) -> None:
        try:
            request = wire.request_of(body)
        except Refusal as refusal:
            self._log.say("bad_request", code=refusal.code.value)
            self.send(wire.Reply(int(refusal.params.get("id", -1)), refusal=Refusal(refusal.code).wire()))
            return
        task = asyncio.create_task(self._reply(request))
        self._requests.add(task)
        task.add_done_callback(self._requests.discard)

    async def _reply(self, request: wire.Request) -> None:
        name = type(request.act).__name__
        try:
            reply = wire.Reply(request.id, result=await self._do(request.act))
        except Refusal as refusal:
            self._log.say("refused", act=name, code=refusal.code.value)
            reply = wire.Reply(request.id, refusal=refusal.wire())
        except Exception as error:  # an engine with a call must not die of one act
            self._log.failed("act_failed", error, act=name)
            reply = wire.Reply(request.id, refusal=Refusal(Code.PHONE_FAILED).wire())
        self.send(reply)
