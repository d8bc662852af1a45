"""The server's log: JSON lines of allow-listed fields. What is not on the list cannot be logged, so that no name,
number or text of an appeal ever is (DESIGN rule 5)."""

from __future__ import annotations

import logging
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path

from central.metrics import METRICS
from operator_tui.logs import JsonLines

FIELDS = frozenset(
    {
        "device",
        "taken",
        "refused",
        "sent",
        "path",
        "status",
        "code",
        "database",
        "address",
    }
)
_FILE_BYTES = 5 << 20
_FILES = 5
_logger = logging.getLogger("operator_tui.central")


def log(event: str, **fields: str | int | float) -> None:
    """One line. A field that is not on the list is a programming error (ValueError)."""
    _write(logging.INFO, event, fields)


def log_failure(event: str, error: BaseException, **fields: str | int | float) -> None:
    """A failure by its type and places alone: the text of an exception may quote what it failed on."""
    _write(logging.ERROR, event, fields, error)


def open_log(file: Path | None) -> None:
    """Lines go to a rotated file of the owner, or to stderr."""
    handler: logging.Handler
    if file is None:
        handler = logging.StreamHandler(sys.stderr)
    else:
        file.touch(mode=0o600)
        handler = RotatingFileHandler(file, maxBytes=_FILE_BYTES, backupCount=_FILES, encoding="utf-8", delay=True)
    handler.setFormatter(JsonLines(FIELDS))
    for former in _logger.handlers:
        former.close()
    _logger.handlers = [handler]
    _logger.setLevel(logging.INFO)
    _logger.propagate = False


def _write(level: int, event: str, fields: dict[str, str | int | float], error: BaseException | None = None) -> None:
    if strange := fields.keys() - FIELDS:
        raise ValueError(f"not a field of the log: {', '.join(sorted(strange))}")
    METRICS.said(event, fields)
    _logger.log(level, event, exc_info=error, stacklevel=3, extra={"event": event, "fields": fields})
