"""The sound card behind the telephone: the talk, the ring, the devices.

PyAudio is loaded here and only when it is asked for. Two separate callback streams carry a talk, never one
duplex stream: duplex was measured at 64 % of a core and two thirds of the frames (design/phone.md section 6).
"""

from __future__ import annotations

import os
import threading
import time
import wave
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import msgspec

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.phone.line import AudioPort, LineConfig, Sound, SoundState
from operator_tui.phone.tones import peak, ring_period

FRAME_SECONDS = 0.02
_SAMPLE_BYTES = 2
_RING_RATE = 48_000  # every sound card has it
_PROBE_RATE = 48_000
_PROBE_SECONDS = 1.5  # a sound server may wake up first

Pull = Callable[[int], bytes]
Push = Callable[[bytes], None]


class SoundCard(Protocol):
    """What the engine asks of the sound. All but ``ring`` and ``levels`` may block for a moment."""

    sound: Sound
    port: AudioPort

    def ring(self, on: bool) -> None:
        """Start or stop ringing; returns at once and never fails (text and bell ring besides)."""
        ...

    def levels(self) -> tuple[float, float]:
        """Peaks of microphone and speaker since the last asking, 0.0-1.0."""
        ...

    def set_devices(self, input: str, output: str, ring: str) -> Sound: ...

    def close(self) -> None: ...


def open_card(config: LineConfig) -> SoundCard:
    """The card of the settings. Never fails: what is missing stands in its ``sound``."""
    if config.sound == "null":
        return NullCard(Sound())
    if config.sound == "wav":
        return NullCard(Sound(), WavPort(Path(config.input_device), Path(config.output_device)))
    # PortAudio tries every host API; without this JACK would start a server of its own.
    os.environ.setdefault("JACK_NO_START_SERVER", "1")
    try:
        return PyAudioCard(config)
    except (ImportError, OSError):
        return no_sound()


def no_sound() -> SoundCard:
    """What stands in for a card that cannot be had."""
    return NullCard(_broken(Sound(), SoundState.NO_SOUND))


def _broken(sound: Sound, state: SoundState) -> Sound:
    code = Code.NO_SOUND if state is SoundState.NO_SOUND else Code.NO_MICROPHONE
    return msgspec.structs.replace(sound, state=state, refusal=Refusal(code).wire())


class NullPort:
    """Nobody hears and nobody speaks. The caller's sound is still taken every 20 ms, so that it can be recorded."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, rate: int, pull: Pull, push: Push) -> None:
        self.stop()
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, args=(rate, pull, push), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self, rate: int, pull: Pull, push: Push) -> None:
        size = int(rate * FRAME_SECONDS) * _SAMPLE_BYTES
        silence, due = bytes(size), time.monotonic()
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            due += FRAME_SECONDS
            push(silence)
            pull(size)


class WavPort:
    """Speaks from one WAV file and writes what it hears to another, 20 ms at a time in real time.

    The file to speak from must be 16-bit mono at the call's rate, else Refusal(NO_MICROPHONE); it is played
    over and over.
    """

    def __init__(self, speak: Path, hear: Path) -> None:
        self._speak = speak
        self._hear = hear
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, rate: int, pull: Pull, push: Push) -> None:
        with wave.open(str(self._speak), "rb") as source:
            if (source.getframerate(), source.getnchannels(), source.getsampwidth()) != (rate, 1, _SAMPLE_BYTES):
                raise Refusal(Code.NO_MICROPHONE)
            voice = source.readframes(source.getnframes())
        self.stop()
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, args=(rate, voice, pull, push), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self, rate: int, voice: bytes, pull: Pull, push: Push) -> None:
        size = int(rate * FRAME_SECONDS) * _SAMPLE_BYTES
        at, due = 0, time.monotonic()
        with wave.open(str(self._hear), "wb") as heard:
            heard.setparams((1, _SAMPLE_BYTES, rate, 0, "NONE", ""))
            while not self._stop.wait(max(0.0, due - time.monotonic())):
                due += FRAME_SECONDS
                push((voice[at:] + voice)[:size])
                at = (at + size) % max(len(voice), 1)
                heard.writeframes(pull(size).ljust(size, b"\0"))


class NullCard:
    """No sound: the phone rings by text, bell and title."""

    def __init__(self, sound: Sound, port: AudioPort | None = None) -> None:
        self.sound = sound
        self.port: AudioPort = port or NullPort()

    def ring(self, on: bool) -> None:
        pass

    def levels(self) -> tuple[float, float]:
        return 0.0, 0.0

    def set_devices(self, input: str, output: str, ring: str) -> Sound:
        return self.sound

    def close(self) -> None:
        self.port.stop()


class PyAudioCard:
    """The machine's sound through PortAudio.

    PortAudio must be called from one thread at a time, so everything that opens or closes goes through one
    worker. ImportError without PyAudio, OSError when PortAudio cannot start.
    """

    def __init__(self, config: LineConfig) -> None:
        import pyaudio

        self._library = pyaudio
        self._worker = ThreadPoolExecutor(1, "sound")
        self._wanted = (config.input_device, config.output_device, config.ring_device)
        self._peaks = [0.0, 0.0]
        self._ring_stream: Any = None
        self._ringing = False
        self._portaudio = self._worker.submit(pyaudio.PyAudio).result()
        self.port: AudioPort = _PyAudioPort(self)
        self.sound = self._worker.submit(self._probe).result()

    def ring(self, on: bool) -> None:
        self._ringing = on
        self._worker.submit(self._set_ring)

    def levels(self) -> tuple[float, float]:
        microphone, speaker = self._peaks
        self._peaks[:] = 0.0, 0.0
        return microphone, speaker

    def set_devices(self, input: str, output: str, ring: str) -> Sound:
        self._wanted = (input, output, ring)
        self.sound = self._worker.submit(self._probe).result()
        if isinstance(self.port, _PyAudioPort):
            self.port.reopen()
        return self.sound

    def close(self) -> None:
        self.port.stop()
        self._ringing = False
        self._worker.submit(self._set_ring).result()
        self._worker.submit(self._portaudio.terminate).result()
        self._worker.shutdown()

    # on the worker

    def _probe(self) -> Sound:
        """Which devices there are and which are ours; listens to the microphone for a moment to be sure of it."""
        inputs, outputs = self._devices("maxInputChannels"), self._devices("maxOutputChannels")
        wanted_in, wanted_out, wanted_ring = self._wanted
        output = _pick(outputs, wanted_out, self._default("output"))
        sound = Sound(
            inputs=tuple(inputs),
            outputs=tuple(outputs),
            input=_pick(inputs, wanted_in, self._default("input")),
            output=output,
            ring=_pick(outputs, wanted_ring, output),
        )
        if not outputs:
            return _broken(sound, SoundState.NO_SOUND)
        if not sound.input or not self._microphone_speaks(inputs[sound.input]):
            return _broken(msgspec.structs.replace(sound, input=""), SoundState.NO_MICROPHONE)
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
            stream = self.open_stream(_PROBE_RATE, input_device_index=index, input=True, stream_callback=hear)
        except OSError:
            return False
        try:
            return heard.wait(_PROBE_SECONDS)
        finally:
            stream.close()

    def _set_ring(self) -> None:
        if self._ringing and self._ring_stream is None and self.sound.ring:
            period, at = ring_period(_RING_RATE), 0

            def play(_: bytes, frames: int, __: Mapping[str, float], ___: int) -> tuple[bytes, int]:
                nonlocal at
                size = frames * _SAMPLE_BYTES
                piece = (period[at : at + size] + period)[:size]
                at = (at + size) % len(period)
                return piece, self._library.paContinue

            try:
                index = self._devices("maxOutputChannels")[self.sound.ring]
                self._ring_stream = self.open_stream(
                    _RING_RATE, output=True, output_device_index=index, stream_callback=play
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

    def open_talk(self, rate: int, pull: Pull, push: Push) -> list[Any]:
        """Both streams of a talk. Refusal(NO_SOUND | NO_MICROPHONE)."""
        go_on = self._library.paContinue
        peaks = self._peaks

        def hear(_: bytes, frames: int, __: Mapping[str, float], ___: int) -> tuple[bytes, int]:
            size = frames * _SAMPLE_BYTES
            pcm = pull(size).ljust(size, b"\0")
            peaks[1] = max(peaks[1], peak(pcm))
            return pcm, go_on

        def speak(pcm: bytes, _: int, __: Mapping[str, float], ___: int) -> tuple[None, int]:
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

    def on_worker(self, work: Callable[[], Any]) -> Any:
        return self._worker.submit(work).result()


class _PyAudioPort:
    """AudioPort of a PyAudioCard."""

    def __init__(self, card: PyAudioCard) -> None:
        self._card = card
        self._streams: list[Any] = []
        self._talk: tuple[int, Pull, Push] | None = None

    def start(self, rate: int, pull: Pull, push: Push) -> None:
        self.stop()
        self._streams = self._card.on_worker(lambda: self._card.open_talk(rate, pull, push))
        self._talk = (rate, pull, push)

    def stop(self) -> None:
        streams, self._streams, self._talk = self._streams, [], None
        for stream in streams:
            self._card.on_worker(stream.close)

    def reopen(self) -> None:
        """On other devices, if a talk is on."""
        if self._talk is not None:
            self.start(*self._talk)


def _pick(devices: Mapping[str, int], wanted: str, otherwise: str) -> str:
    """The device of that name, else one whose name holds it, else the default, else the first; "" for none."""
    if wanted in devices:
        return wanted
    partly = next((name for name in devices if wanted and wanted.casefold() in name.casefold()), "")
    return partly or (otherwise if otherwise in devices else next(iter(devices), ""))
