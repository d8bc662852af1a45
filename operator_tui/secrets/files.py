"""Small secret files: written whole or not at all, readable by their owner alone."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from operator_tui.appeals.errors import Code, Refusal


def read_private(path: Path) -> bytes | None:
    """The file's bytes, None when it is not there.

    Refusal(KEY_FILE_OPEN) when others may read or write it or it is not ours; FILE_UNREADABLE when the disk fails.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Refusal(Code.FILE_UNREADABLE, file=str(path), reason=error.strerror or "") from None
    with os.fdopen(file, "rb") as stream:
        facts = os.fstat(stream.fileno())
        if stat.S_IMODE(facts.st_mode) & 0o077 or facts.st_uid != os.geteuid():
            raise Refusal(Code.KEY_FILE_OPEN, path=str(path))
        return stream.read()


def write_private(path: Path, content: bytes) -> None:
    """Put the bytes in place of what was there; on disk when this returns, mode 0600 from the first byte."""
    draft = path.with_name(path.name + ".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft.unlink(missing_ok=True)
        file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(file, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        draft.unlink(missing_ok=True)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Refusal(Code.DISK_FULL) from None
        raise Refusal(Code.DISK_FAILED, path=str(path), reason=error.strerror or "") from None


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """One process at a time between reading and writing the file; others wait."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Refusal(Code.DISK_FAILED, path=str(path), reason=error.strerror or "") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)
