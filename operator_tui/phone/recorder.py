"""The engine's recorder: each talk gets its file as soon as it is answered, and what became of it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.phone.line import Call, CallId, Capability, PhoneEvent, PhoneLine, Recorded, RecordingTrouble
from operator_tui.phone.log import EngineLog
from operator_tui.phone.opus import available, load_light
from operator_tui.phone.recording import LOW_HOURS, Recording, hours_left, left_behind

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
        self._warned = False
        if opus:
            load_light()
        self._opus = opus and available()

    async def begin(self) -> None:
        """Tell what an engine that died left behind, and whether there is room."""
        for recorded in await asyncio.to_thread(left_behind, self._folder):
            self._ended(recorded)
        await self._look_at_room()

    async def follow(self, call: Call) -> None:
        """A call has changed: record it from its answer on. A talk whose recording fails goes on."""
        if Capability.RECORD not in self._line.capabilities or call.answered_ms is None or call.over:
            return
        if call.id in self._recordings:
            return
        await self._look_at_room()
        try:
            recording = await asyncio.to_thread(
                Recording,
                self._folder,
                call.id,
                self._key,
                self._from_thread(self._ended),
                self._from_thread(self._trouble),
                opus=self._opus,
            )
        except Refusal as refusal:
            self._trouble(refusal)
            return
        self._recordings[call.id] = recording
        try:
            await self._line.record(call.id, recording)
        except Refusal:  # the call is over already
            recording.close()

    async def close(self) -> None:
        """End all files; what became of them is told when this returns."""
        for recording in list(self._recordings.values()):
            recording.close()
            await asyncio.to_thread(recording.wait)
        await asyncio.sleep(0)  # their last words wait in the loop

    async def _look_at_room(self) -> None:
        trouble: Refusal | None = None
        try:
            hours = await asyncio.to_thread(hours_left, self._folder, opus=self._opus)
            if hours < LOW_HOURS:
                trouble = Refusal(Code.RECORD_SPACE, hours=int(hours))
        except Refusal as refusal:
            trouble = refusal
        if trouble is not None and not self._warned:
            self._trouble(trouble)
        self._warned = trouble is not None

    def _from_thread(self, act: Callable[[Any], None]) -> Callable[[Any], None]:
        def told(value: Any) -> None:
            self._loop.call_soon_threadsafe(act, value)

        return told

    def _ended(self, recorded: Recorded) -> None:
        self._recordings.pop(recorded.call, None)
        self._log.say("recorded", call=recorded.call, count=recorded.size, seconds=recorded.ms // 1000)
        self._tell(recorded)

    def _trouble(self, refusal: Refusal) -> None:
        self._log.say("recording_trouble", code=refusal.code.value)
        self._tell(RecordingTrouble(refusal.wire()))
