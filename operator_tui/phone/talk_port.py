"""The audio port of the machine's sound card: a talk's two streams, given up and taken again with the devices."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from operator_tui.appeals.errors import Refusal
from operator_tui.phone.ports import Pull, Push


class Streams(Protocol):
    """What the port asks of the card."""

    def on_worker(self, work: Callable[[], Any]) -> Any: ...

    def open_talk(self, rate: int, pull: Pull, push: Push, beats: list[float]) -> list[Any]: ...


class TalkPort:
    """AudioPort of a PyAudioCard. A talk whose devices fail stays begun: it is opened again when there are others."""

    def __init__(self, card: Streams) -> None:
        self._card = card
        self._streams: list[Any] = []
        self._talk: tuple[int, Pull, Push] | None = None
        self._beats = [0.0, 0.0]
        self._turn = threading.Lock()  # the line starts and stops it, the card's look replaces its streams

    @property
    def open(self) -> bool:
        return self._talk is not None

    @property
    def waits(self) -> bool:
        """Whether a talk is on that no device carries."""
        return self._talk is not None and not self._streams

    def start(self, rate: int, pull: Pull, push: Push) -> None:
        with self._turn:
            self._close()
            self._talk = (rate, pull, push)
            self._open()

    def stop(self) -> None:
        with self._turn:
            self._talk = None
            self._close()

    def silent(self, seconds: float) -> bool:
        """Whether a talk is on and one of its streams has stopped calling back."""
        with self._turn:
            return bool(self._streams) and time.monotonic() - min(self._beats) > seconds

    def let_go(self) -> None:
        """Of the streams, not of the talk."""
        with self._turn:
            self._close()

    def reopen(self) -> None:
        """On other devices, if a talk is on; without any it waits for one."""
        with self._turn:
            self._close()
            with contextlib.suppress(Refusal):
                self._open()

    def _open(self) -> None:
        if self._talk is None:
            return
        talk = self._talk
        self._beats = beats = [time.monotonic()] * 2
        self._streams = self._card.on_worker(lambda: self._card.open_talk(*talk, beats))

    def _close(self) -> None:
        streams, self._streams = self._streams, []
        for stream in streams:
            with contextlib.suppress(OSError):
                self._card.on_worker(stream.close)
