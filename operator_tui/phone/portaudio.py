"""The machine's sound through PyAudio.

Two separate callback streams carry a talk, never one duplex stream: duplex was measured at 64 % of a core and two
thirds of the frames (design/phone.md section 6).
"""

from __future__ import annotations

import contextlib
import ctypes
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.phone.finding import Finder, found_elsewhere
from operator_tui.phone.limiter import Limiter
from operator_tui.phone.line import AudioPort, LineConfig, Sound, SoundState
from operator_tui.phone.ports import FRAME_SECONDS, SAMPLE_BYTES, Pull, Push
from operator_tui.phone.sound import broken
from operator_tui.phone.talk_port import TalkPort
from operator_tui.phone.tones import louder, peak, ring_period

_RATE = 48_000  # every sound card has it
_PROBE_SECONDS = 1.5  # a sound server may wake up first
_SILENT_SECONDS = 1.0  # a stream that has not called back for so long is dead
_AGAIN_SECONDS = 4.0  # between two looks for a device that is missing
_CHECK_SECONDS = 2.0
_METER_SECONDS = 1.0  # after the last look at the levels nobody looks any more


class PyAudioCard:
    """SoundCard of the machine.

    PortAudio must be called from one thread at a time, so everything that opens or closes goes through one
    worker. ImportError without PyAudio, OSError when PortAudio cannot start.
    """

    def __init__(self, config: LineConfig, *, finder: Finder = found_elsewhere) -> None:
        import pyaudio

        self._library = pyaudio
        self._worker = ThreadPoolExecutor(1, "sound")
        self._config = config
        self._finder = finder
        self._peaks = [0.0, 0.0]
        self._metered_until = 0.0
        self._ring_stream: Any = None
        self._ringing = False
        self._looked = time.monotonic()
        self._portaudio = self._worker.submit(pyaudio.PyAudio).result()
        self._talk = TalkPort(self)
        self.port: AudioPort = self._talk
        self.sound = self._worker.submit(self._probe).result()
        self._worker.submit(_forget_plugins).result()

    def ring(self, on: bool) -> None:
        self._ringing = on
        self._worker.submit(self._set_ring)

    def warm(self, on: bool) -> None:
        self._talk.warm(on, self._config.likely_rate)

    def levels(self) -> tuple[float, float]:
        self._metered_until = time.monotonic() + _METER_SECONDS
        microphone, speaker = self._peaks
        self._peaks[:] = 0.0, 0.0
        return microphone, speaker

    def set_devices(self, input: str, output: str, ring: str) -> Sound:
        wanted = {"input_device": input, "output_device": output, "ring_device": ring}
        self._config = msgspec.structs.replace(self._config, **wanted)
        self.sound = self.on_worker(self._probe)
        self._talk.reopen()
        return self.sound

    def set_volume(self, percent: int) -> Sound:
        self._config = msgspec.structs.replace(self._config, volume=percent)
        self.sound = msgspec.structs.replace(self.sound, volume=percent)
        return self.sound

    def look(self) -> Sound:
        lost = self._talk.silent(_SILENT_SECONDS)
        wanting = self.sound.state is not SoundState.OK or not self._as_wanted() or self._talk.waits
        if not lost and not (wanting and time.monotonic() - self._looked > _AGAIN_SECONDS):
            return self.sound
        self._looked = time.monotonic()
        there = self._finder(self._config)
        if lost or self._talk.waits or (there is not None and _devices_of(there) != _devices_of(self.sound)):
            self._talk.let_go()
            self.sound = self.on_worker(self._start_again)
            self._talk.reopen()
        return self.sound

    def check(self) -> float:
        if self._talk.open:
            raise Refusal(Code.CALL_ACTIVE)
        if self.sound.state is not SoundState.OK:
            raise Refusal(Code(self.sound.state.value))
        try:
            said = self._heard_for(_CHECK_SECONDS)
            self._played(said)
        except (OSError, KeyError) as error:
            raise Refusal(Code.NO_MICROPHONE) from error
        return peak(said)

    def close(self) -> None:
        self._talk.warm(False, 0)
        self.port.stop()
        self._ringing = False
        self._worker.submit(self._set_ring).result()
        self._worker.submit(self._portaudio.terminate).result()
        self._worker.shutdown()

    def on_worker(self, work: Callable[[], Any]) -> Any:
        return self._worker.submit(work).result()

    def _as_wanted(self) -> bool:
        config = self._config
        pairs = ((config.input_device, self.sound.input), (config.output_device, self.sound.output))
        return all(wanted.casefold() in got.casefold() for wanted, got in pairs)

    def _heard_for(self, seconds: float) -> bytes:
        said, enough = bytearray(), threading.Event()
        size = int(_RATE * seconds) * SAMPLE_BYTES

        def hear(pcm: bytes, _: int, __: Mapping[str, float], ___: int) -> tuple[None, int]:
            self._peaks[0] = max(self._peaks[0], peak(pcm))
            said.extend(pcm)
            if len(said) >= size:
                enough.set()
            return None, self._library.paContinue

        index = self.on_worker(lambda: self._devices("maxInputChannels")[self.sound.input])
        stream = self.on_worker(
            lambda: self.open_stream(_RATE, input=True, input_device_index=index, stream_callback=hear)
        )
        enough.wait(seconds + _PROBE_SECONDS)
        self.on_worker(stream.close)
        return bytes(said[:size])

    def _played(self, pcm: bytes) -> None:
        at, over = 0, threading.Event()

        def play(_: bytes, frames: int, __: Mapping[str, float], ___: int) -> tuple[bytes, int]:
            nonlocal at
            size = frames * SAMPLE_BYTES
            piece = pcm[at : at + size].ljust(size, b"\0")
            at += size
            self._peaks[1] = max(self._peaks[1], peak(piece))
            if at >= len(pcm):
                over.set()
            return piece, self._library.paContinue

        index = self.on_worker(lambda: self._devices("maxOutputChannels")[self.sound.output])
        stream = self.on_worker(
            lambda: self.open_stream(_RATE, output=True, output_device_index=index, stream_callback=play)
        )
        over.wait(len(pcm) / SAMPLE_BYTES / _RATE + _PROBE_SECONDS)
        self.on_worker(stream.close)

    # on the worker

    def _start_again(self) -> Sound:
        """PortAudio anew: only so it sees what was plugged in since."""
        if self._ring_stream is not None:
            with contextlib.suppress(OSError):
                self._ring_stream.close()
            self._ring_stream = None
        self._portaudio.terminate()
        self._portaudio = self._library.PyAudio()
        sound = self._probe()
        _forget_plugins()
        self.sound = sound
        self._set_ring()
        return sound

    def _probe(self) -> Sound:
        """Which devices there are and which are ours; listens to the microphone for a moment to be sure of it."""
        inputs, outputs = self._devices("maxInputChannels"), self._devices("maxOutputChannels")
        config = self._config
        output = _pick(outputs, config.output_device, self._default("output"))
        sound = Sound(
            inputs=tuple(inputs),
            outputs=tuple(outputs),
            input=_pick(inputs, config.input_device, self._default("input")),
            output=output,
            ring=_pick(outputs, config.ring_device, output),
            volume=config.volume,
        )
        if not outputs:
            return broken(sound, SoundState.NO_SOUND)
        if not sound.input or not self._microphone_speaks(inputs[sound.input]):
            return broken(msgspec.structs.replace(sound, input=""), SoundState.NO_MICROPHONE)
        return sound

    def _devices(self, channels: str) -> dict[str, int]:
        """Index of each device that has such channels, by name."""
        found: dict[str, int] = {}
        for index in range(self._portaudio.get_device_count()):
            device = self._portaudio.get_device_info_by_index(index)
            if int(device[channels]) > 0:
                found.setdefault(str(device["name"]), index)
        return found

    def _default(self, way: str) -> str:
        try:
            device = getattr(self._portaudio, f"get_default_{way}_device_info")()
        except OSError:
            return ""
        return str(device["name"])

    def _microphone_speaks(self, index: int) -> bool:
        """Whether sound comes out of it: a sound server opens a stream also when nothing is plugged in."""
        heard = threading.Event()

        def hear(_: bytes, __: int, ___: Mapping[str, float], ____: int) -> tuple[None, int]:
            heard.set()
            return None, self._library.paContinue

        try:
            stream = self.open_stream(_RATE, input_device_index=index, input=True, stream_callback=hear)
        except OSError:
            return False
        try:
            return heard.wait(_PROBE_SECONDS)
        finally:
            stream.close()

    def _set_ring(self) -> None:
        if self._ringing and self._ring_stream is None and self.sound.ring:
            period, at = ring_period(_RATE), 0

            def play(_: bytes, frames: int, __: Mapping[str, float], ___: int) -> tuple[bytes, int]:
                nonlocal at
                size = frames * SAMPLE_BYTES
                piece = (period[at : at + size] + period)[:size]
                at = (at + size) % len(period)
                return piece, self._library.paContinue

            try:
                index = self._devices("maxOutputChannels")[self.sound.ring]
                self._ring_stream = self.open_stream(
                    _RATE, output=True, output_device_index=index, stream_callback=play
                )
            except (OSError, KeyError):
                self._ring_stream = None  # text, bell and title still ring
        elif not self._ringing and self._ring_stream is not None:
            self._ring_stream.close()
            self._ring_stream = None

    def open_stream(self, rate: int, **options: Any) -> Any:
        """A 20 ms mono stream; OSError when the device does not give one."""
        return self._portaudio.open(
            format=self._library.paInt16,
            channels=1,
            rate=rate,
            frames_per_buffer=int(rate * FRAME_SECONDS),
            **options,
        )

    def open_talk(self, rate: int, pull: Pull, push: Push, beats: list[float]) -> list[Any]:
        """Both streams of a talk; ``beats`` gets when each last called back. Refusal(NO_SOUND | NO_MICROPHONE)."""
        go_on = self._library.paContinue
        peaks, limiter = self._peaks, Limiter()

        def hear(_: bytes, frames: int, __: Mapping[str, float], ___: int) -> tuple[bytes, int]:
            beats[0] = now = time.monotonic()
            size = frames * SAMPLE_BYTES
            # Louder first: what is sudden stays bearable at any volume.
            pcm = limiter.limited(louder(pull(size).ljust(size, b"\0"), self.sound.volume / 100), rate)
            if now < self._metered_until:
                peaks[1] = max(peaks[1], peak(pcm))
            return pcm, go_on

        def speak(pcm: bytes, _: int, __: Mapping[str, float], ___: int) -> tuple[None, int]:
            beats[1] = now = time.monotonic()
            if now < self._metered_until:
                peaks[0] = max(peaks[0], peak(pcm))
            push(pcm)
            return None, go_on

        streams: list[Any] = []
        for state, devices, device, options in (
            (SoundState.NO_SOUND, "maxOutputChannels", self.sound.output, {"output": True, "stream_callback": hear}),
            (SoundState.NO_MICROPHONE, "maxInputChannels", self.sound.input, {"input": True, "stream_callback": speak}),
        ):
            try:
                way = "output" if "output" in options else "input"
                index = self._devices(devices)[device]
                streams.append(self.open_stream(rate, **options, **{f"{way}_device_index": index}))
            except (OSError, KeyError) as error:
                for stream in streams:
                    stream.close()
                raise Refusal(Code(state.value)) from error
        return streams


def _forget_plugins() -> None:
    """PortAudio tries every PCM that ALSA knows, and some plugins load a library of video codecs: 12 MB that stay until
    ALSA is told to start afresh. Nothing happens where its library has another name."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libasound.so.2").snd_config_update_free_global()


def _devices_of(sound: Sound) -> tuple[object, ...]:
    return sound.state, sound.inputs, sound.outputs, sound.input, sound.output


def _pick(devices: Mapping[str, int], wanted: str, otherwise: str) -> str:
    """The device of that name, else one whose name holds it, else the default, else the first; "" for none."""
    if wanted in devices:
        return wanted
    partly = next((name for name in devices if wanted and wanted.casefold() in name.casefold()), "")
    return partly or (otherwise if otherwise in devices else next(iter(devices), ""))
