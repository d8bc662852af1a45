"""The engine's own events in its log, and what its libraries in C write to stderr. How a line looks: logs.py."""

from __future__ import annotations

import logging
import os
import threading
import time
from pathlib import Path

from operator_tui.logs import JsonLines, PrivateFile, take_python_logging

ALLOWED = frozenset(
    {
        "engine",
        "pid",
        "uid",
        "call",
        "state",
        "move",
        "code",
        "status",
        "act",
        "line",
        "sound",
        "direction",
        "ended_by",
        "seconds",
        "count",
        "origin",
        "version",
    }
)
# Who writes to a library's stderr, by what the line holds. The line itself is dropped: it may quote a SIP message.
_NATIVE_ORIGINS = (
    ("ALSA", "alsa"),
    ("jack", "jack"),
    ("JACK", "jack"),
    ("Jack", "jack"),
    ("PortAudio", "portaudio"),
    ("pulse", "pulse"),
    ("sip", "sip"),
)


class EngineLog:
    """``log.say("attached", pid=…)``; everything Python logs goes the same way."""

    def __init__(self, file: Path | None = None) -> None:
        self._logger = logging.Logger("phone")
        handler: logging.Handler = logging.NullHandler()
        if file is not None:
            handler = PrivateFile(file)
        handler.setFormatter(JsonLines(ALLOWED))
        self._handler = handler
        self._logger.addHandler(handler)

    def say(self, event: str, **fields: object) -> None:
        self._logger.info(event, stacklevel=2, extra={"event": event, "fields": fields})

    def failed(self, event: str, error: BaseException, **fields: object) -> None:
        """An error nobody expected."""
        self._logger.error(event, exc_info=error, stacklevel=2, extra={"event": event, "fields": fields})

    def take_python_logging(self) -> None:
        """Let warnings and errors of asyncio and the libraries come here instead of stderr."""
        take_python_logging(self._handler)

    def take_native_stderr(self) -> None:
        """Point fd 2 at a thread that notes who wrote how many lines: PortAudio, ALSA and libre write to it in C."""
        readable, writable = os.pipe()
        os.dup2(writable, 2)
        os.close(writable)
        threading.Thread(target=self._drain, args=(readable,), name="native-stderr", daemon=True).start()

    def _drain(self, readable: int) -> None:
        with os.fdopen(readable, "rb", buffering=0) as pipe:
            while chunk := pipe.read(65536):
                # A burst (PortAudio asks ALSA for eighty devices) becomes a few records, not eighty.
                time.sleep(0.05)
                counts: dict[str, int] = {}
                for line in chunk.decode("utf-8", "replace").splitlines():
                    origin = next((name for word, name in _NATIVE_ORIGINS if word in line), "other")
                    counts[origin] = counts.get(origin, 0) + 1
                for origin, count in counts.items():
                    self.say("native_stderr", origin=origin, count=count)
