"""Logs: JSON lines of allow-listed fields, rotated, readable by their owner alone (DESIGN rules 5 and 12).

A name, a number or a typed text never gets in: a field that is not listed is dropped, a message of a library is
replaced by its origin, and of an error only its kind and place are kept.
"""

from __future__ import annotations

import json
import logging
import logging.handlers
import os
from pathlib import Path
from typing import IO

_MAX_BYTES = 1_000_000
_KEPT = 3
_ALLOWED = frozenset({"code", "part", "count", "files", "seconds", "version", "status", "pid"})


class JsonLines(logging.Formatter):
    """One record as one JSON object."""

    def __init__(self, allowed: frozenset[str] = _ALLOWED) -> None:
        super().__init__()
        self._allowed = allowed

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": round(record.created, 3),
            "level": record.levelname.lower(),
            "event": getattr(record, "event", record.name),
            "source": f"{Path(record.pathname).name}:{record.lineno}",
        }
        fields: dict[str, object] = getattr(record, "fields", {})
        line |= {key: value for key, value in fields.items() if key in self._allowed}
        if record.exc_info and record.exc_info[0] is not None:
            line |= _whereabouts(record)
        return json.dumps(line, ensure_ascii=False)


def _whereabouts(record: logging.LogRecord) -> dict[str, object]:
    """The kind of an error and the places it came through; never its message, which may quote a person."""
    kind, _, trace = record.exc_info or (None, None, None)
    places: list[str] = []
    while trace is not None:
        places.append(f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}")
        trace = trace.tb_next
    return {"error": kind.__name__ if kind else "", "places": places[-8:]}


class PrivateFile(logging.handlers.RotatingFileHandler):
    """A rotated file that its owner alone can read."""

    def __init__(self, file: Path, *, delay: bool = False) -> None:
        super().__init__(file, maxBytes=_MAX_BYTES, backupCount=_KEPT, delay=delay)

    def _open(self) -> IO[str]:  # type: ignore[override]  # typeshed wants TextIOWrapper
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        return os.fdopen(descriptor, "a", encoding="utf-8")


def log_to(file: Path) -> None:
    """Send everything Python logs in this process to the file. Nothing goes to the terminal any more."""
    handler = PrivateFile(file, delay=True)
    handler.setFormatter(JsonLines())
    take_python_logging(handler)


def take_python_logging(handler: logging.Handler) -> None:
    """Let warnings and errors of Python and its libraries go to this handler alone."""
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
