"""The talk: one call's sound between the SIP stack and the audio port, and which call that is.

The port's callback threads are the only readers and writers of the call's sound, so nothing needs a lock there.
"""

from __future__ import annotations

import array
import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Any

import baresip
from baresip import AudioNotActive, AudioRestarted, BaresipError, CallState

from operator_tui.phone.line import AudioPort, Call, CallId, RecordSink
from operator_tui.phone.line import CallState as State

_SAMPLE_BYTES = 2
_MOST_FRAMES = 8  # what may wait for the speaker; more is delay, and the oldest goes
_KEPT_FRAMES = 3
_MEDIA_SECONDS = 3.0  # for the sound of an answered call to come up
_HEARD = (State.TALKING, State.EARLY, State.REMOTE_HELD)


class Talk:
    """``pull`` and ``push`` of one call for AudioPort. ``audio`` is the stack's CallAudio."""

    def __init__(self, audio: Any, channels: int, rate: int) -> None:
        self._audio = audio
        self._channels = channels
        self._waiting = bytearray()
        self.muted = False
        self.rate = rate
        self._sink: RecordSink | None = None

    def record(self, sink: RecordSink | None) -> None:
        """From now on both sides go into the sink too; None ends that."""
        before, self._sink = self._sink, None
        if before is not None:
            before.leave()
        if sink is not None:
            sink.begin(self.rate)
            self._sink = sink

    def pull(self, size: int) -> bytes:
        """Up to ``size`` bytes of what the other end says, mono."""
        try:
            heard = self._audio.read(size * self._channels * _MOST_FRAMES)
        except (AudioNotActive, AudioRestarted):
            heard = b""
        if self._channels == 2:
            heard = array.array("h", heard)[::2].tobytes()  # both sides are the same on a telephone
        if heard and (sink := self._sink) is not None:
            sink.caller(heard, self.rate)
        self._waiting += heard
        if len(self._waiting) > size * _MOST_FRAMES:
            del self._waiting[: len(self._waiting) - size * _KEPT_FRAMES]
        piece = bytes(self._waiting[:size])
        del self._waiting[:size]
        return piece

    def mute(self, on: bool) -> None:
        """The microphone off, with what it has said and nobody has heard yet, or on again."""
        self.muted = on
        if on:
            with contextlib.suppress(AudioNotActive, AudioRestarted):
                self._audio.flush_tx()

    def push(self, pcm: bytes) -> None:
        """What the operator says, mono; silence while muted."""
        if self.muted:
            pcm = bytes(len(pcm))
        if (sink := self._sink) is not None:
            sink.operator(pcm, self.rate)
        if self._channels == 2:
            mono = array.array("h", pcm)
            stereo = array.array("h", bytes(len(pcm) * 2))
            stereo[::2], stereo[1::2] = mono, mono
            pcm = stereo.tobytes()
        with contextlib.suppress(AudioNotActive, AudioRestarted):
            self._audio.write(pcm)


class Ear:
    """Keeps the audio port on the one call that is heard."""

    def __init__(self, port: AudioPort) -> None:
        self._port = port
        self._call: CallId = ""
        self._talk: Talk | None = None
        self._turn = asyncio.Lock()
        self._sinks: dict[CallId, RecordSink] = {}

    async def follow(self, calls: Callable[[], tuple[Call, ...]], stack: Mapping[CallId, baresip.Call]) -> None:
        """Switch to the newest call that is heard now. Refusal(NO_SOUND | NO_MICROPHONE) when the port says so."""
        async with self._turn:
            wanted = next((call for call in reversed(calls()) if call.state in _HEARD), None)
            if wanted is not None and wanted.id == self._call:
                return
            await self._silence()
            native = stack.get(wanted.id) if wanted is not None else None
            if wanted is None or native is None:
                return
            info = await _media(native)
            if info is None:
                return
            talk = Talk(native.audio, max(1, info.rx_channels), info.rx_sample_rate)
            talk.muted = wanted.muted
            talk.record(self._sinks.get(wanted.id))
            self._call, self._talk = wanted.id, talk
            await asyncio.to_thread(self._port.start, info.rx_sample_rate, talk.pull, talk.push)

    def mute(self, call: CallId, on: bool) -> None:
        if self._talk is not None and self._call == call:
            self._talk.mute(on)

    def record(self, call: CallId, sink: RecordSink | None) -> None:
        """Where that call's sound goes besides, now and after each hold; None ends it."""
        if sink is None:
            self._sinks.pop(call, None)
        else:
            self._sinks[call] = sink
        if self._talk is not None and self._call == call:
            self._talk.record(sink)

    def sink(self, call: CallId) -> RecordSink | None:
        """Where that call's sound goes besides."""
        return self._sinks.get(call)

    async def close(self) -> None:
        async with self._turn:
            await self._silence()

    async def _silence(self) -> None:
        talk, self._call, self._talk = self._talk, "", None
        if talk is not None:
            await asyncio.to_thread(self._port.stop)
            talk.record(None)


async def _media(native: baresip.Call) -> Any:
    """The call's sound once it runs both ways; None when it does not come or the call is over."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_MEDIA_SECONDS):
            while native.state is not CallState.CLOSED:
                with contextlib.suppress(BaresipError):
                    info = native.audio.info()
                    if info.rx_ready and info.tx_ready:
                        return info
                await asyncio.sleep(0.01)
    return None
