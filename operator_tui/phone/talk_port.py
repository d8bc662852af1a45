"""The audio port of the machine's sound card: a talk's two streams, given up and taken again with the devices."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from operator_tui.appeals.errors import Refusal
from operator_tui.phone.ports import Pull, Push

_FRESH_SECONDS = 0.5  # streams that called back so lately carry a talk at once


class Streams(Protocol):
    """What the port asks of the card."""

    def on_worker(self, work: Callable[[], Any]) -> Any: ...

    def open_talk(self, rate: int, pull: Pull, push: Push, beats: list[float]) -> list[Any]: ...


class TalkPort:
    """AudioPort of a PyAudioCard. A talk whose devices fail stays begun: it is opened again when there are others.

    Opening two streams takes a sound server a tenth of a second or more, so they are opened while it rings (``warm``)
    and kept over a hold: what the microphone hears meanwhile goes nowhere.
    """

    def __init__(self, card: Streams) -> None:
        self._card = card
        self._streams: list[Any] = []
        self._rate = 0  # of the streams
        self._talk: tuple[int, Pull, Push] | None = None
        self._kept = False
        self._beats = [0.0, 0.0]
        self._turn = threading.Lock()  # the line starts and stops it, the card's look replaces its streams

    @property
    def open(self) -> bool:
        return self._talk is not None

    @property
    def waits(self) -> bool:
        """Whether a talk is on that no device carries."""
        return self._talk is not None and not self._streams

    def warm(self, on: bool, rate: int) -> None:
        """Have the devices open for a talk of that rate, or let them go when there is none."""
        with self._turn:
            self._kept = on
            if self._talk is not None:
                return
            if not on:
                self._close()
            elif not self._streams:
                with contextlib.suppress(Refusal):  # the talk itself will say so
                    self._open(rate)

    def start(self, rate: int, pull: Pull, push: Push) -> None:
        with self._turn:
            self._talk = (rate, pull, push)
            fresh = time.monotonic() - min(self._beats) < _FRESH_SECONDS
            if not (self._streams and self._rate == rate and fresh):
                self._close()
                self._open(rate)

    def stop(self) -> None:
        with self._turn:
            self._talk = None
            if not self._kept:
                self._close()

    def silent(self, seconds: float) -> bool:
        """Whether a talk is on and one of its streams has stopped calling back."""
        with self._turn:
            return self._talk is not None and bool(self._streams) and time.monotonic() - min(self._beats) > seconds

    def let_go(self) -> None:
        """Of the streams, not of the talk."""
        with self._turn:
            self._close()

    def reopen(self) -> None:
        """On other devices, if a talk is on; without any it waits for one."""
        with self._turn:
            self._close()
            if self._talk is not None:
                with contextlib.suppress(Refusal):
                    self._open(self._talk[0])

    def _pull(self, size: int) -> bytes:
        talk = self._talk
        return talk[1](size) if talk is not None else b""

    def _push(self, pcm: bytes) -> None:
        if (talk := self._talk) is not None:
            talk[2](pcm)

    def _open(self, rate: int) -> None:
        self._beats = beats = [time.monotonic()] * 2
        self._streams = self._card.on_worker(lambda: self._card.open_talk(rate, self._pull, self._push, beats))
        self._rate = rate

    def _close(self) -> None:
        streams, self._streams = self._streams, []
        for stream in streams:
            with contextlib.suppress(OSError):
                self._card.on_worker(stream.close)
