"""The server's log: JSON lines of allow-listed fields. What is not on the list cannot be logged, so that no name,
number or text of an appeal ever is (DESIGN rule 5)."""

from __future__ import annotations

import logging
import os
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
        "stream",
        "seq",
        "expected",
        "seen",
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


def alarm(event: str, **fields: str | int | float) -> None:
    """What somebody has to look at: a line of the level of failures."""
    _write(logging.ERROR, event, fields)


def open_log(file: Path | None) -> None:
    """Lines go to a rotated file of the owner, or to stderr: to systemd's journal with their priority, so that
    ``journalctl -p err`` finds what somebody has to look at (sd-daemon(3))."""
    handler: logging.Handler
    if file is None:
        handler = logging.StreamHandler(sys.stderr)
    else:
        file.touch(mode=0o600)
        handler = RotatingFileHandler(file, maxBytes=_FILE_BYTES, backupCount=_FILES, encoding="utf-8", delay=True)
    handler.setFormatter(_Prioritised(FIELDS) if file is None and _to_the_journal() else JsonLines(FIELDS))
    for former in _logger.handlers:
        former.close()
    _logger.handlers = [handler]
    _logger.setLevel(logging.INFO)
    _logger.propagate = False


class _Prioritised(JsonLines):
    """Lines with the prefix that the journal takes for their priority (syslog(3): 3 error, 6 information)."""

    def format(self, record: logging.LogRecord) -> str:
        return ("<3>" if record.levelno >= logging.ERROR else "<6>") + super().format(record)


def _to_the_journal() -> bool:
    """Whether stderr is the journal's (systemd.exec(5), JOURNAL_STREAM), and not redirected since."""
    try:
        stands = os.fstat(2)
    except OSError:
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{stands.st_dev}:{stands.st_ino}"


def _write(level: int, event: str, fields: dict[str, str | int | float], error: BaseException | None = None) -> None:
    if strange := fields.keys() - FIELDS:
        raise ValueError(f"not a field of the log: {', '.join(sorted(strange))}")
    METRICS.said(event, fields)
    _logger.log(level, event, exc_info=error, stacklevel=3, extra={"event": event, "fields": fields})
