"""The process that plays a recording: its bytes come through a pipe and end with it.

    stdin   a line of JSON ``{"bytes", "sound", "device", "speak"}``, the file (WAV or Ogg Opus), then a command a line:
            ``pause``, ``resume``, ``move SECONDS``, ``speed FACTOR``
    stdout  a line of JSON five times a second: ``{"at_ms", "ms", "playing", "speed", "over"}``, or ``{"code"}`` and the
            end

A process of its own, as the engine is: PortAudio writes to fd 2, on which the desk draws, and a call must not stutter
because somebody listens. What it holds touches no disk: it keeps itself from cores, and ends with the pipe.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.phone.ports import FRAME_SECONDS, SAMPLE_BYTES, WavPort
from operator_tui.phone.sound_file import speech_of
from operator_tui.phone.stretch import Stretch

SLOWEST, FASTEST = 1.0, 2.0
_TELL_SECONDS = 0.2


class Tape:
    """What is played, from where, how fast. Commands come on one thread, the sound asks on another."""

    def __init__(self, pcm: bytes, rate: int) -> None:
        self._stretch = Stretch(pcm, rate)
        self._rate = rate
        self._lock = threading.Lock()
        self._rest = b""
        self.playing = True
        self.speed = 1.0

    def pull(self, size: int) -> bytes:
        """The next bytes for the ear; silence while paused and after the end."""
        with self._lock:
            if not self.playing:
                return bytes(size)
            while len(self._rest) < size and (more := self._stretch.read(self.speed)):
                self._rest += more
            piece, self._rest = self._rest[:size], self._rest[size:]
            self.playing = bool(piece)
            return piece.ljust(size, b"\0")

    def obey(self, command: str) -> None:
        """Carry out one line; what is no command changes nothing."""
        word, _, value = command.strip().partition(" ")
        with self._lock, suppress(ValueError):
            if word == "pause":
                self.playing = False
            elif word == "resume":
                if self._stretch.at >= self._stretch.length:
                    self._stretch.jump(0.0)
                self.playing = True
            elif word == "move":
                self._rest = b""
                self._stretch.jump(self._stretch.at + float(value) * self._rate)
            elif word == "speed":
                self.speed = max(SLOWEST, min(FASTEST, float(value)))

    def look(self) -> dict[str, Any]:
        """How it stands, as it is told."""
        with self._lock:
            over = self._stretch.at >= self._stretch.length and not self.playing
            at_ms, ms = (int(1000 * place / self._rate) for place in (self._stretch.at, self._stretch.length))
            return {"at_ms": at_ms, "ms": ms, "playing": self.playing, "speed": self.speed, "over": over}


def main() -> None:
    """Play what comes in until the pipe ends."""
    from operator_tui.secrets.process import harden

    harden()
    come = sys.stdin.buffer
    about = json.loads(come.readline())
    content = come.read(about["bytes"])
    try:
        speech = speech_of(content)
        del content
        tape = Tape(speech.pcm, speech.rate)
        stop = _opened(about, tape, speech.rate)
    except Refusal as refusal:
        _say(refusal.wire())
        return
    telling = threading.Event()
    teller = threading.Thread(target=_tell, args=(tape, telling), daemon=True)
    teller.start()
    try:
        _obey(come, tape)
    finally:
        telling.set()
        stop()


def _obey(come: BinaryIO, tape: Tape) -> None:
    for line in come:
        tape.obey(line.decode("ascii", "replace"))
        with suppress(OSError):
            _say(tape.look())


def _tell(tape: Tape, over: threading.Event) -> None:
    while not over.wait(_TELL_SECONDS):
        with suppress(OSError):
            _say(tape.look())


def _say(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def _opened(about: dict[str, Any], tape: Tape, rate: int) -> Callable[[], None]:
    """Open the ear; what closes it comes back. Refusal(NO_SOUND)."""
    if about["sound"] == "null":
        raise Refusal(Code.NO_SOUND)
    if about["sound"] == "wav":
        port = WavPort(Path(about["speak"]), Path(about["device"]))
        port.start(rate, tape.pull, lambda pcm: None)
        return port.stop
    return _opened_card(about["device"], rate, tape)


def _opened_card(wanted: str, rate: int, tape: Tape) -> Callable[[], None]:
    try:
        import pyaudio

        portaudio = pyaudio.PyAudio()
    except (ImportError, OSError):
        raise Refusal(Code.NO_SOUND) from None

    def heard(_: bytes | None, frames: int, __: Any, ___: int) -> tuple[bytes, int]:
        return tape.pull(frames * SAMPLE_BYTES), pyaudio.paContinue

    try:
        stream = portaudio.open(
            format=pyaudio.paInt16,
            channels=1,
            rate=rate,
            output=True,
            output_device_index=_device(portaudio, wanted),
            frames_per_buffer=int(rate * FRAME_SECONDS),
            stream_callback=heard,
        )
    except OSError:
        portaudio.terminate()
        raise Refusal(Code.NO_SOUND) from None

    def close() -> None:
        stream.close()
        portaudio.terminate()

    return close


def _device(portaudio: Any, wanted: str) -> int | None:
    """The output whose name holds what is wanted; None for the system's default."""
    for index in range(portaudio.get_device_count()):
        device = portaudio.get_device_info_by_index(index)
        if wanted and int(device["maxOutputChannels"]) > 0 and wanted.casefold() in str(device["name"]).casefold():
            return index
    return None


if __name__ == "__main__":
    main()
