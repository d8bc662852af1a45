"""The server's log: JSON lines of allow-listed fields. What is not on the list cannot be logged, so that no name,
number or text of an appeal ever is (DESIGN rule 5)."""

from __future__ import annotations

import json
import sys
import traceback
from datetime import UTC, datetime
from logging import INFO, Formatter, Handler, LogRecord, StreamHandler, getLogger
from logging.handlers import RotatingFileHandler
from pathlib import Path

FIELDS = frozenset(
    {
        "device",
        "n",
        "taken",
        "refused",
        "sent",
        "path",
        "status",
        "ms",
        "code",
        "reason",
        "error",
        "where",
        "database",
        "address",
        "signal",
        "version",
    }
)
_FILE_BYTES = 5 << 20
_FILES = 5
_logger = getLogger("operator_tui.central")


def log(event: str, **fields: str | int | float) -> None:
    """One line. A field that is not on the list is a programming error (ValueError)."""
    if strange := fields.keys() - FIELDS:
        raise ValueError(f"not a field of the log: {', '.join(sorted(strange))}")
    _logger.info(event, extra={"fields": fields})


def log_failure(event: str, error: BaseException, **fields: str | int | float) -> None:
    """A failure by its type and place alone: the text of an exception may quote what it failed on."""
    frames = traceback.extract_tb(error.__traceback__)
    where = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames[-5:]))
    log(event, error=type(error).__name__, where=where, **fields)


def open_log(file: Path | None) -> None:
    """Lines go to a rotated file of the owner, or to stderr."""
    handler: Handler
    if file is None:
        handler = StreamHandler(sys.stderr)
    else:
        file.touch(mode=0o600)
        handler = RotatingFileHandler(file, maxBytes=_FILE_BYTES, backupCount=_FILES, encoding="utf-8", delay=True)
    handler.setFormatter(_Lines())
    for former in _logger.handlers:
        former.close()
    _logger.handlers = [handler]
    _logger.setLevel(INFO)
    _logger.propagate = False


class _Lines(Formatter):
    """A record as one JSON line, without the exception texts the standard one would add."""

    def format(self, record: LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds")
        fields = getattr(record, "fields", {})
        return json.dumps({"at": at, "event": record.getMessage(), **fields}, ensure_ascii=False)
