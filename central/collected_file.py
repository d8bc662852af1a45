"""The file of a collection: encrypted, and of one process that writes."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlite_utils import Database

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.secrets.cipher import DatabaseError, open_encrypted


@contextmanager
def encrypted(path: Path, key: bytes, *, read_only: bool) -> Iterator[Database]:
    """The database of the file. Refusals: DATABASE_KEY_WRONG, DISK_FAILED."""
    with telling(path):
        db = open_encrypted(path, key, read_only=read_only)
    try:
        try:
            db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except DatabaseError:
            raise Refusal(Code.DATABASE_KEY_WRONG, path=str(path)) from None
        yield db
    finally:
        db.close()


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """The folder is this process's, made when there is none. Refusals: COLLECTOR_TAKEN, DISK_FAILED."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Refusal(Code.DISK_FAILED, path=str(folder), reason=error.strerror or "") from None
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refusal(Code.COLLECTOR_TAKEN, path=str(folder)) from None
        yield
    finally:
        os.close(lock)


@contextmanager
def telling(path: Path) -> Iterator[None]:
    """What fails of the file is Refusal(DISK_FAILED)."""
    try:
        yield
    except (DatabaseError, OSError) as error:
        reason = str(getattr(error, "sqlite_errorname", "") or getattr(error, "strerror", "") or "")
        raise Refusal(Code.DISK_FAILED, path=str(path), reason=reason) from None
