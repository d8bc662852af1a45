"""The engine's log: JSON lines of allow-listed fields, rotated (DESIGN rules 5 and 12).

A telephone number, a name or a SIP header never gets here: a field that is not listed is dropped, and what
libraries say comes through as its origin and kind alone.
"""

from __future__ import annotations

import json
import logging
import logging.handlers
import os
import threading
import time
from pathlib import Path
from typing import IO

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
        "source",
        "error",
        "place",
        "version",
    }
)
_MAX_BYTES = 1_000_000
_KEPT = 3
# Who writes to a library's stderr, by what the line holds. The line itself is dropped: it may quote a SIP message.
_NATIVE_SOURCES = (
    ("ALSA", "alsa"),
    ("jack", "jack"),
    ("JACK", "jack"),
    ("Jack", "jack"),
    ("PortAudio", "portaudio"),
    ("pulse", "pulse"),
    ("sip", "sip"),
)


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": round(record.created, 3),
            "level": record.levelname.lower(),
            "event": getattr(record, "event", record.name),
        }
        fields: dict[str, object] = getattr(record, "fields", {})
        line |= {key: value for key, value in fields.items() if key in ALLOWED}
        if record.exc_info and record.exc_info[0] is not None:
            line |= _whereabouts(record)
        return json.dumps(line, ensure_ascii=False)


def _whereabouts(record: logging.LogRecord) -> dict[str, object]:
    """The kind of an error and where it was raised; never its message, which may quote a person."""
    kind, _, trace = record.exc_info or (None, None, None)
    place = ""
    while trace is not None:
        place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return {"error": kind.__name__ if kind else "", "place": place}


class _PrivateRotatingFile(logging.handlers.RotatingFileHandler):
    def _open(self) -> IO[str]:  # type: ignore[override]  # typeshed wants TextIOWrapper
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        return os.fdopen(descriptor, "a", encoding="utf-8")


class EngineLog:
    """``log.say("attached", pid=…)``; everything Python logs goes the same way."""

    def __init__(self, file: Path | None = None) -> None:
        self._logger = logging.Logger("phone")
        handler: logging.Handler = logging.NullHandler()
        if file is not None:
            handler = _PrivateRotatingFile(file, maxBytes=_MAX_BYTES, backupCount=_KEPT)
        handler.setFormatter(_JsonLines())
        self._handler = handler
        self._logger.addHandler(handler)

    def say(self, event: str, **fields: object) -> None:
        self._logger.info(event, extra={"event": event, "fields": fields})

    def failed(self, event: str, error: BaseException, **fields: object) -> None:
        """An error nobody expected."""
        self._logger.error(event, exc_info=error, extra={"event": event, "fields": fields})

    def take_python_logging(self) -> None:
        """Let warnings and errors of asyncio and the libraries come here instead of stderr."""
        root = logging.getLogger()
        root.handlers[:] = [self._handler]
        root.setLevel(logging.WARNING)

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
                    source = next((name for word, name in _NATIVE_SOURCES if word in line), "other")
                    counts[source] = counts.get(source, 0) + 1
                for source, count in counts.items():
                    self.say("native_stderr", source=source, count=count)
