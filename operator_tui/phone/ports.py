"""Audio ports without a sound card: silence, and files."""

from __future__ import annotations

import threading
import time
import wave
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from operator_tui.appeals.errors import Code, Refusal

FRAME_SECONDS = 0.02
SAMPLE_BYTES = 2

Pull = Callable[[int], bytes]
Push = Callable[[bytes], None]


class _PacedPort:
    """Says and hears 20 ms at a time, in real time, on a thread of its own."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, rate: int, pull: Pull, push: Push) -> None:
        voice = self._voice(rate)
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
        size = int(rate * FRAME_SECONDS) * SAMPLE_BYTES
        at, due = 0, time.monotonic()
        with self._ear(rate) as heard:
            while not self._stop.wait(max(0.0, due - time.monotonic())):
                due += FRAME_SECONDS
                push((voice[at:] + voice)[:size].ljust(size, b"\0"))
                at = (at + size) % max(len(voice), 1)
                frame = pull(size)
                if heard is not None:
                    heard.writeframes(frame.ljust(size, b"\0"))

    def _voice(self, rate: int) -> bytes:
        """What is said over and over; empty is silence."""
        return b""

    def _ear(self, rate: int) -> AbstractContextManager[Any]:
        """A wave writer for what is heard, or None."""
        return nullcontext(None)


class NullPort(_PacedPort):
    """Nobody hears and nobody speaks. The caller's sound is still taken every 20 ms, so that it can be recorded."""


class WavPort(_PacedPort):
    """Speaks from one WAV file and writes what it hears to another.

    The file to speak from must be 16-bit mono at the call's rate, else Refusal(NO_MICROPHONE); it is played
    over and over.
    """

    def __init__(self, speak: Path, hear: Path) -> None:
        super().__init__()
        self._speak = speak
        self._hear = hear

    def _voice(self, rate: int) -> bytes:
        with wave.open(str(self._speak), "rb") as source:
            if (source.getframerate(), source.getnchannels(), source.getsampwidth()) != (rate, 1, SAMPLE_BYTES):
                raise Refusal(Code.NO_MICROPHONE)
            return source.readframes(source.getnframes())

    def _ear(self, rate: int) -> AbstractContextManager[Any]:
        heard = wave.open(str(self._hear), "wb")  # noqa: SIM115  # the caller's `with` closes it
        heard.setparams((1, SAMPLE_BYTES, rate, 0, "NONE", ""))
        return heard
