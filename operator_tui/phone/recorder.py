"""The engine's recorder: each talk gets its file as soon as it is answered, and what became of it is told."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.phone.line import Call, CallId, Capability, PhoneEvent, PhoneLine, Recorded, RecordingTrouble
from operator_tui.phone.log import EngineLog
from operator_tui.phone.opus import available, load_light
from operator_tui.phone.recording import LOW_HOURS, Recording, hours_left, left_behind

_DISK_SECONDS = 10.0  # for a disk to say what it has; one of another machine may be away, and hangs then

Tell = Callable[[PhoneEvent], None]


class Recorder:
    """Belongs to the loop's thread; recordings tell from theirs."""

    def __init__(
        self, folder: Path, public_key: bytes, line: PhoneLine, tell: Tell, log: EngineLog, *, opus: bool = False
    ) -> None:
        """``opus``: recordings are Ogg Opus instead of WAV, where its library is."""
        self._folder = folder
        self._key = public_key
        self._line = line
        self._tell = tell
        self._log = log
        self._loop = asyncio.get_running_loop()
        self._recordings: dict[CallId, Recording] = {}
        self._waiting: dict[CallId, None] = {}  # talks whose recording has not begun, in their order
        self._at_the_disk: threading.Thread | None = None
        self._putting: set[asyncio.Task[None]] = set()
        self._warned = False
        if opus:
            load_light()
        self._opus = opus and available()

    async def begin(self) -> None:
        """Tell what an engine that died left behind, and whether there is room; a disk that hangs tells it late."""
        looked = asyncio.Event()

        def left() -> Callable[[], None]:
            found: list[Recorded] = []
            with contextlib.suppress(OSError):  # the look at the room says what is wrong
                found = left_behind(self._folder)
            room = self._look_at_room()

            def tell() -> None:
                for recorded in found:
                    self._ended(recorded)
                self._room_is(room)
                looked.set()

            return tell

        self._ask_the_disk(left)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DISK_SECONDS):
                await looked.wait()

    def follow(self, call: Call) -> None:
        """A call has changed: record it from its answer on. Waits for nothing; a talk whose recording fails goes on."""
        if Capability.RECORD not in self._line.capabilities or call.answered_ms is None:
            return
        if call.over:
            self._waiting.pop(call.id, None)
        elif call.id not in self._recordings and call.id not in self._waiting:
            self._waiting[call.id] = None
            self._loop.call_later(_DISK_SECONDS, self._late, call.id)
            self._next()

    async def close(self) -> None:
        """End all files; what became of them is told when this returns. A disk that hangs is not waited for: the next
        engine takes over what lies there."""
        self._waiting.clear()
        until = self._loop.time() + _DISK_SECONDS
        if self._at_the_disk is not None:
            await asyncio.to_thread(self._at_the_disk.join, _DISK_SECONDS)
            await asyncio.sleep(0)  # what it found waits in the loop
        for recording in list(self._recordings.values()):
            recording.close()
            await asyncio.to_thread(recording.wait, max(0.0, until - self._loop.time()))
        await asyncio.sleep(0)  # their last words wait in the loop

    # the disk: one look after the other, each on a thread that may hang without anybody waiting for it

    def _ask_the_disk(self, work: Callable[[], Callable[[], None]]) -> None:
        """``work`` runs on the thread; what it returns is done here, then the next talk has its turn."""

        def thread() -> None:
            then = work()
            with contextlib.suppress(RuntimeError):  # the engine has ended meanwhile
                self._loop.call_soon_threadsafe(done, then)

        def done(then: Callable[[], None]) -> None:
            self._at_the_disk = None
            then()
            self._next()

        self._at_the_disk = threading.Thread(target=thread, name="recorder", daemon=True)
        self._at_the_disk.start()

    def _next(self) -> None:
        if self._at_the_disk is None and self._waiting:
            call = next(iter(self._waiting))
            self._ask_the_disk(lambda: self._file_of(call))

    def _file_of(self, call: CallId) -> Callable[[], None]:
        """On the thread: the room and the file; what to do with them then."""
        room = self._look_at_room()
        told, failed = self._from_thread(self._ended), self._from_thread(self._trouble)
        try:
            recording = Recording(self._folder, call, self._key, told, failed, opus=self._opus)
        except Exception as error:
            refusal = error if isinstance(error, Refusal) else Refusal(Code.RECORD_FAILED, reason=type(error).__name__)
            return lambda: self._no_file(call, room, refusal)
        return lambda: self._begun(call, room, recording)

    def _begun(self, call: CallId, room: Refusal | None, recording: Recording) -> None:
        self._room_is(room)
        self._recordings[call] = recording
        if call not in self._waiting:  # it is over already
            recording.close()
            return
        del self._waiting[call]
        task = self._loop.create_task(self._put(call, recording))
        self._putting.add(task)
        task.add_done_callback(self._putting.discard)

    async def _put(self, call: CallId, recording: Recording) -> None:
        try:
            await self._line.record(call, recording)
        except Refusal:  # the call is over already
            recording.close()

    def _no_file(self, call: CallId, room: Refusal | None, refusal: Refusal) -> None:
        self._waiting.pop(call, None)
        self._room_is(room)
        self._trouble(refusal)

    def _late(self, call: CallId) -> None:
        """A disk that hangs says nothing: who talks is told that nothing is recorded yet."""
        if call in self._waiting:
            self._trouble(Refusal(Code.RECORD_FOLDER))

    def _look_at_room(self) -> Refusal | None:
        """On the thread: what is wrong with the room on the disk."""
        try:
            hours = hours_left(self._folder, opus=self._opus)
        except Refusal as refusal:
            return refusal
        return Refusal(Code.RECORD_SPACE, hours=int(hours)) if hours < LOW_HOURS else None

    def _room_is(self, trouble: Refusal | None) -> None:
        if trouble is not None and not self._warned:
            self._trouble(trouble)
        self._warned = trouble is not None

    def _from_thread(self, act: Callable[[Any], None]) -> Callable[[Any], None]:
        def told(value: Any) -> None:
            with contextlib.suppress(RuntimeError):  # the engine has ended meanwhile
                self._loop.call_soon_threadsafe(act, value)

        return told

    def _ended(self, recorded: Recorded) -> None:
        self._recordings.pop(recorded.call, None)
        self._log.say("recorded", call=recorded.call, count=recorded.size, seconds=recorded.ms // 1000)
        self._tell(recorded)

    def _trouble(self, refusal: Refusal) -> None:
        self._log.say("recording_trouble", code=refusal.code.value)
        self._tell(RecordingTrouble(refusal.wire()))
