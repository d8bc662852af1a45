"""The desk's side of the telephone: one object, all of it asynchronous, cheap to import.

The engine is found at its socket or started; when it dies it is started again, with work as it was.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable, Sequence

from msgspec.structs import replace

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.phone import wire
from operator_tui.phone.line import (
    PROTOCOL,
    Caller,
    LineConfig,
    Listened,
    PhoneAway,
    PhoneEvent,
    Snapshot,
    folded,
)
from operator_tui.phone.remote_acts import RemoteActs
from operator_tui.phone.tasks import ended
from operator_tui.profiles import Profile

_START_SECONDS = 10.0  # for a new engine to listen
_TAKEN_SECONDS = 1.0  # for the engine to notice that the desk before us is gone
_REPLY_SECONDS = 15.0
_POLL_SECONDS = 0.05
_BACK_OFF = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_UNHEARD = Listened(at_ms=0, ms=0, playing=False, speed=1.0, over=False, broken=True)


class RemotePhone(RemoteActs):
    """The telephone, as the desk sees it.

    ``snapshot`` is always the present picture; ``events`` tells what changes it. Every act raises Refusal:
    PHONE_AWAY when the engine does not answer, else what the line said (see line.PhoneLine).
    """

    def __init__(self, profile: Profile, *, start_engine: bool = True) -> None:
        self._profile = profile
        self._start_engine = start_engine
        self._snapshot = Snapshot(v=PROTOCOL, engine="")
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._events: asyncio.Queue[PhoneEvent] = asyncio.Queue()
        self._waiting: dict[int, asyncio.Future[str]] = {}
        self._last_id = 0
        self._work: wire.BeginWork | None = None  # kept in memory, to begin again with a new engine
        self._ready = True
        self.listening: Callable[[Listened], None] | None = None  # who follows what the engine plays

    # attaching

    @property
    def snapshot(self) -> Snapshot:
        return self._snapshot

    @property
    def attached(self) -> bool:
        return self._writer is not None

    async def attach(self) -> Snapshot:
        """Connect to the profile's engine; start one when there is none.

        Refusal(PHONE_TAKEN) when another desk has it, PHONE_AWAY when it cannot be started, PHONE_VERSION when
        it is of another version of the program. An engine that is somebody else's to start is waited for in the
        background: PhoneAway says so.
        """
        if self._writer is None:
            try:
                reader = await self._connect()
            except Refusal as refusal:
                if self._start_engine or refusal.code is not Code.PHONE_AWAY:
                    raise
                reader = None
            self._reading = asyncio.create_task(self._stay(reader))
        return self._snapshot

    async def detach(self) -> None:
        """Leave the engine as it is, calls included."""
        reading, self._reading = self._reading, None
        if reading is not None:
            await ended(reading)
        await self._disconnect()

    async def shut_down(self) -> None:
        """«Выход»: the engine ends as soon as no call is left; this desk lets go of it."""
        if self._writer is not None:
            with contextlib.suppress(Refusal):
                await self._ask(wire.ShutDown())
        self._work = None
        await self.detach()

    async def events(self) -> AsyncIterator[PhoneEvent]:
        """What happens, from the first attach on, for one reader; goes on over restarts of the engine.

        The first event of each attachment is its Snapshot; PhoneAway says that the engine is gone and is being
        started again.
        """
        while True:
            yield await self._events.get()

    # acts that a new engine is told again; the others are in RemoteActs

    async def begin_work(
        self,
        config: LineConfig,
        secret: str = "",
        callers: Sequence[Caller] = (),
        *,
        ami_secret: str = "",
        record_key: str = "",
    ) -> None:
        """«Начало работы»: sound and line. Returns when registering has begun; events say how it came out.

        Refusal(NO_MICROPHONE | PHONE_PARTS | LINE_BUSY). ``callers`` are for the simulated line; talks are recorded
        for ``record_key`` (public key, hexadecimal).
        """
        act = wire.BeginWork(config, secret, tuple(callers), ami_secret, record_key)
        await self._ask(act)
        self._work, self._ready = act, True

    async def end_work(self) -> None:
        """«Завершить»: calls end, the line unregisters; the engine stays."""
        self._work = None
        await self._ask(wire.EndWork())

    async def set_ready(self, on: bool) -> None:
        """False in wrap-up and on a break: a queue gives no calls meanwhile."""
        self._ready = on  # also when nobody is there to hear it: a new engine is told what holds then
        await self._ask(wire.SetReady(on))

    async def set_devices(self, input: str = "", output: str = "", ring: str = "") -> None:
        """Other devices, also in the middle of a talk; SoundChanged says which they are. Refusal(WORK_NOT_BEGUN)."""
        if self._work is not None:  # also when nobody is there to hear it: a new engine is told what holds then
            config = replace(self._work.config, input_device=input, output_device=output, ring_device=ring)
            self._work = replace(self._work, config=config)
        await super().set_devices(input, output, ring)

    # the connection

    async def _ask(self, act: wire.AnyAct) -> str:
        writer = self._writer
        if writer is None:
            raise Refusal(Code.PHONE_AWAY)
        self._last_id += 1
        number = self._last_id
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            writer.write(wire.framed(wire.Request(number, act)))
            await writer.drain()
            return await asyncio.wait_for(answer, _REPLY_SECONDS)
        except (TimeoutError, ConnectionError) as error:
            raise Refusal(Code.PHONE_AWAY) from error
        finally:
            self._waiting.pop(number, None)

    async def _connect(self) -> asyncio.StreamReader:
        loop = asyncio.get_running_loop()
        started_at = loop.time()
        taken_since: float | None = None
        started = False
        while True:
            try:
                return await self._try_once()
            except Refusal as refusal:
                taken_since = taken_since or loop.time()
                if refusal.code is not Code.PHONE_TAKEN or loop.time() - taken_since > _TAKEN_SECONDS:
                    raise
            except OSError as error:
                if not started:
                    started = True
                    await self._start()
                if not self._start_engine or loop.time() - started_at > _START_SECONDS:
                    raise Refusal(Code.PHONE_AWAY) from error
            await asyncio.sleep(_POLL_SECONDS)

    async def _try_once(self) -> asyncio.StreamReader:
        """OSError when nobody listens; Refusal when we are not taken."""
        reader, writer = await asyncio.open_unix_connection(str(self._profile.phone_socket))
        try:
            body = await wire.read_frame(reader)
            snapshot = _first(body)
        except BaseException:
            writer.close()
            raise
        self._writer = writer
        self._receive(snapshot)
        return reader

    async def _start(self) -> None:
        """Start an engine that lives on without us."""
        if not self._start_engine:
            return
        # The engine forks away from this process at once, so there is nothing left to look after.
        starter = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # the folder the operator stands in must not be searched for programs
            "-m",
            "operator_tui",
            "phone",
            "--profile",
            self._profile.name,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            await starter.wait()
        except asyncio.CancelledError:
            with contextlib.suppress(ProcessLookupError):
                starter.kill()
            await starter.wait()
            raise

    async def _stay(self, reader: asyncio.StreamReader | None) -> None:
        """Read until the engine is gone; then find or start another, with back-off, for ever."""
        while True:
            if reader is not None:
                await self._read(reader)
            await self._disconnect()
            self._receive(_UNHEARD)
            self._events.put_nowait(PhoneAway(Refusal(Code.PHONE_AWAY).wire()))
            reader = await self._connect_again()

    async def _connect_again(self) -> asyncio.StreamReader:
        attempt = 0
        while True:
            await asyncio.sleep(_BACK_OFF[min(attempt, len(_BACK_OFF) - 1)])
            attempt += 1
            try:
                reader = await self._connect()
            except Refusal as refusal:
                self._events.put_nowait(PhoneAway(refusal.wire()))
                continue
            if self._work is not None and self._writer is not None:
                # No reply is awaited here: this very task is the one that reads replies.
                if not self._snapshot.working:
                    self._writer.write(wire.framed(wire.Request(0, self._work)))
                knows = self._snapshot.ready or not self._snapshot.working  # work begins ready
                if self._ready != knows:
                    self._writer.write(wire.framed(wire.Request(0, wire.SetReady(self._ready))))
            return reader

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while True:
            try:
                body = await wire.read_frame(reader)
                if body is None:
                    return
                message = wire.answer_of(body)
            except Refusal:
                return
            if isinstance(message, wire.Event):
                self._receive(message.event)
            elif isinstance(message, wire.Reply):
                self._settle(message)

    def _receive(self, event: PhoneEvent) -> None:
        if isinstance(event, Listened):
            if self.listening is not None:
                self.listening(event)
            return
        self._snapshot = folded(self._snapshot, event)
        self._events.put_nowait(event)

    def _settle(self, reply: wire.Reply) -> None:
        answer = self._waiting.get(reply.id)
        if answer is None or answer.done():
            return
        if reply.refusal is not None:
            answer.set_exception(Refusal.from_wire(reply.refusal))
        else:
            answer.set_result(reply.result)

    async def _disconnect(self) -> None:
        writer, self._writer = self._writer, None
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(Refusal(Code.PHONE_AWAY))
        if writer is not None:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


def _first(body: bytes | None) -> Snapshot:
    """The snapshot of the engine's first frame."""
    if body is None:
        raise ConnectionResetError
    message = wire.answer_of(body)
    if isinstance(message, wire.Refused):
        raise Refusal.from_wire(message.refusal)
    if not isinstance(message, wire.Hello):
        raise Refusal(Code.PHONE_VERSION)
    return wire.snapshot_of(message)
