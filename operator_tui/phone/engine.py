"""The phone engine: a process that owns the line and the sound, and serves one desk over a UNIX socket.

A call outlives the desk. The engine ends when the desk says «Выход» and no call is left, or after ten minutes
with no desk and no call.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import msgspec

from operator_tui.appeals.clock import Clock, SystemClock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.phone import process, wire
from operator_tui.phone.acts import performed
from operator_tui.phone.attending import Attending
from operator_tui.phone.line import (
    PROTOCOL,
    AudioPort,
    CallChanged,
    Direction,
    LineConfig,
    PhoneEvent,
    PhoneLine,
    QueueState,
    Registration,
    RegistrationChanged,
    Snapshot,
    Sound,
    SoundState,
    folded,
)
from operator_tui.phone.listening import Listening
from operator_tui.phone.log import EngineLog
from operator_tui.phone.queue import Queue
from operator_tui.phone.recorder import Recorder
from operator_tui.phone.sound import open_card
from operator_tui.phone.sounding import MakeCard, Sounding, should_ring
from operator_tui.phone.tasks import ended

IDLE_SECONDS = 600.0
ABSENT_SECONDS = 10.0  # a desk that starts anew is back long before
_POLL_SECONDS = 1.0
_LEVEL_SECONDS = 0.25
_TELL_SECONDS = 1.0

MakeLine = Callable[[LineConfig, AudioPort, Clock], PhoneLine]


def make_line(config: LineConfig, port: AudioPort, clock: Clock) -> PhoneLine:
    """The line the settings ask for. Refusal(PHONE_PARTS) when the SIP stack is not installed."""
    if config.line != "sip":
        from operator_tui.phone.simulated import SimulatedLine

        return SimulatedLine(clock)
    try:
        from operator_tui.phone.sip import BaresipLine
    except ImportError as error:
        raise Refusal(Code.PHONE_PARTS) from error
    return BaresipLine(port, clock)


class Engine:
    """Serves one desk. ``run`` returns when the engine has no more reason to live."""

    def __init__(
        self,
        socket: Path,
        *,
        clock: Clock | None = None,
        log: EngineLog | None = None,
        recordings: Path | None = None,
        line: MakeLine = make_line,
        card: MakeCard = open_card,
        idle_seconds: float = IDLE_SECONDS,
        poll_seconds: float = _POLL_SECONDS,
    ) -> None:
        self._socket = socket
        self._clock = clock or SystemClock()
        self._log = log or EngineLog()
        self._recordings = recordings
        self._recorder: Recorder | None = None
        self._queue: Queue | None = None
        self._make_line = line
        self._sound = Sounding(card, self._tell, self._log)
        self._listening = Listening(self._tell)
        self._hushing: asyncio.Task[None] | None = None
        self._idle_seconds = idle_seconds
        self._poll_seconds = poll_seconds
        self._snapshot = Snapshot(v=PROTOCOL, engine=uuid4().hex[:12])
        self._line: PhoneLine | None = None
        self._config: LineConfig | None = None
        self._pump: asyncio.Task[None] | None = None
        self._attending = Attending(self._do, lambda: self._snapshot, self._came, self._left, self._log, self._clock)
        self._working = asyncio.Lock()  # begin and end of work one after the other
        self._leaving = False  # «Выход» was said
        self._levels = False
        self._over = asyncio.Event()

    def end(self) -> None:
        """Make ``run`` return soon, calls or not (SIGTERM)."""
        self._over.set()

    async def run(self) -> None:
        """Listen until the end. OSError when the socket cannot be made."""
        listening = process.listening(self._socket)
        server = await asyncio.start_unix_server(self._attending.serve, sock=listening)
        self._log.say("started", engine=self._snapshot.engine, pid=os.getpid(), version=PROTOCOL)
        watch = asyncio.create_task(self._watch())
        try:
            await self._over.wait()
        finally:
            server.close()
            await self._attending.close()
            await self._stop_line()
            await self._listening.close()
            await ended(watch)
            self._socket.unlink(missing_ok=True)
            self._log.say("ended", engine=self._snapshot.engine)

    async def _watch(self) -> None:
        """End when there is nothing left to live for."""
        while True:
            await asyncio.sleep(_LEVEL_SECONDS if self._levels else self._poll_seconds)
            if self._levels:
                self._sound.tell_levels()
            self._sound.look()
            if self._talks():
                self._attending.begin_alone()
                continue
            alone = not self._attending.attached
            if alone and self._attending.alone_seconds >= ABSENT_SECONDS and self._line and self._snapshot.ready:
                # Nobody sees who rings: the queue's callers go to somebody else until a desk says that it is ready.
                self._log.say("desk_absent")
                await self._set_ready(self._line, False)
            idle = alone and self._attending.alone_seconds >= self._idle_seconds
            # Without its socket (somebody cleaned the runtime folder) no desk can ever find this engine again.
            lost = alone and not self._socket.exists()
            if self._leaving or idle or lost:
                self._over.set()

    def _talks(self) -> bool:
        """Whether a call is on that must not be cut: a call that only rings here goes on to somebody else."""
        return any(call.direction is Direction.OUTGOING or call.answered_ms for call in self._snapshot.calls)

    def _came(self) -> None:
        self._leaving = False

    def _left(self) -> None:
        self._levels = False
        self._hushing = asyncio.create_task(self._listening.close())  # a recording is for who asked for it

    def _tell(self, event: PhoneEvent) -> None:
        """Fold into our own picture, and tell the desk."""
        before = self._snapshot
        self._snapshot = folded(before, event)
        if isinstance(event, CallChanged) and event.call.over:
            self._attending.begin_alone()
        self._note(event)
        self._attending.send(wire.Event(event))
        if (ring := should_ring(self._snapshot.calls)) != should_ring(before.calls):
            self._sound.ring(ring)
        if bool(self._snapshot.calls) != bool(before.calls):
            self._sound.warm(bool(self._snapshot.calls))
            self._listening.hush()

    def _note(self, event: PhoneEvent) -> None:
        match event:
            case CallChanged(call=call):
                self._log.say(
                    "call",
                    call=call.id,
                    state=call.state.value,
                    direction=call.direction.value,
                    ended_by=call.ended_by.value,
                    status=call.cause[:3] if call.cause[:3].isdigit() else "",
                )
            case RegistrationChanged(registration=registration):
                code = registration.refusal["code"] if registration.refusal else ""
                self._log.say("registration", state=registration.state.value, code=code)

    # the acts

    async def _do(self, act: wire.AnyAct) -> str:
        """Carry out an act; the text is its result (a new call's id, or nothing)."""
        match act:
            case wire.BeginWork():
                async with self._working:
                    await self._begin_work(act)
            case wire.EndWork():
                async with self._working:
                    await self._stop_line()
            case wire.ShutDown():
                self._leaving = True
                if not self._talks():
                    self._over.set()
            case wire.WatchLevels(on=on):
                self._levels = on
            case wire.SetDevices(input=input, output=output, ring=ring):
                await self._sound.set_devices(input, output, ring)
                if self._config is not None:
                    wanted = {"input_device": input, "output_device": output, "ring_device": ring}
                    self._config = msgspec.structs.replace(self._config, **wanted)
            case wire.SetVolume(percent=percent):
                self._sound.set_volume(percent)
            case wire.CheckMicrophone():
                return await self._sound.check()
            case wire.PlayPart():
                if self._talks():
                    raise Refusal(Code.PLAY_IN_CALL)
                await self._listening.take(act)
            case wire.PlayCommand(command=command):
                await self._listening.command(command)
            case _:
                return await self._act_on_line(act)
        return ""

    async def _act_on_line(self, act: wire.AnyAct) -> str:
        line = self._line
        if line is None:
            raise Refusal(Code.WORK_NOT_BEGUN)
        if isinstance(act, wire.SetReady):
            await self._set_ready(line, act.on)
            return ""
        result = await performed(line, act)
        # What an act did is told before its reply: who dialled finds the call in the picture.
        await self._all_told(line)
        return result

    async def _set_ready(self, line: PhoneLine, on: bool) -> None:
        await line.set_ready(on)
        if self._queue is not None:
            await self._queue.pause(not on)
        self._tell(msgspec.structs.replace(self._snapshot, ready=on))

    async def _all_told(self, line: PhoneLine) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_TELL_SECONDS):
                await line.all_told()

    async def _begin_work(self, act: wire.BeginWork) -> None:
        if self._line is not None:
            if act.config == self._config:
                return
            if self._snapshot.calls:
                raise Refusal(Code.LINE_BUSY)
            await self._stop_line()
        card = await self._sound.open(act.config)
        if act.config.line == "sip" and card.sound.state is SoundState.NO_MICROPHONE:
            await self._sound.close()
            raise Refusal(Code.NO_MICROPHONE)
        try:
            line = self._make_line(act.config, card.port, self._clock)
            self._line, self._config = line, act.config
            self._pump = asyncio.create_task(self._carry(line))
            if self._recordings is not None and act.config.record and act.record_key:
                key = bytes.fromhex(act.record_key)
                opus = act.config.record_format == "opus"
                self._recorder = Recorder(self._recordings, key, line, self._tell, self._log, opus=opus)
            await line.start(act.config, act.secret, act.callers)
        except BaseException:
            await self._stop_line()
            raise
        process.keep_small()
        self._log.say("work_begun", line=act.config.line, sound=card.sound.state.value)
        self._tell(
            msgspec.structs.replace(
                self._snapshot,
                working=True,
                ready=True,
                capabilities=line.capabilities,
                registration=line.registration(),
            )
        )
        if self._recorder is not None:
            await self._recorder.begin()
        if act.config.ami_server and act.ami_secret:
            self._follow_queue(act)

    def _follow_queue(self, act: wire.BeginWork) -> None:
        queue = Queue(act.config, act.ami_secret, self._tell, self._clock)
        try:
            queue.start()
        except (ImportError, ValueError):  # a part that is not installed, a port that is no number
            self._log.say("no_queue")
        else:
            self._queue = queue

    async def _carry(self, line: PhoneLine) -> None:
        """Bring the line's events to the desk."""
        async for event in line.events():
            self._tell(event)
            # What the PBX records is not recorded here too: it would have to go over the same slow line.
            if isinstance(event, CallChanged) and self._recorder is not None and event.call.recording != "pbx":
                self._recorder.follow(event.call)
        self._log.say("line_dead")
        self._over.set()

    async def _stop_line(self) -> None:
        """End of work: the line is gone, its last words are told, the sound is closed."""
        line, self._line, self._config = self._line, None, None
        if line is not None:
            try:
                await line.stop()
            except Exception as error:  # a line that cannot say goodbye is gone all the same
                self._log.failed("stop_failed", error)
            await self._all_told(line)  # the ends of its calls must still get out
        queue, self._queue = self._queue, None
        if queue is not None:
            await queue.stop()
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            await recorder.close()
        if self._pump is not None:
            await ended(self._pump)
            self._pump = None
        await self._sound.close()
        if line is not None:
            self._log.say("work_ended")
            self._tell(
                msgspec.structs.replace(
                    self._snapshot,
                    working=False,
                    registration=Registration(),
                    calls=(),
                    sound=Sound(),
                    queue=QueueState(),
                    colleagues={},
                )
            )
