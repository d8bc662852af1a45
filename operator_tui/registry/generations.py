"""Generations of the registry's file: a new one takes over in one step while desks search the old one.

``registry.db`` is a symbolic link to ``registry.db.g-<16 hex>``, and a switch is one ``rename`` of a new link over
it. A write-ahead log stays with its generation, because SQLite names it after the link's target: a plain rename of the
data file would leave the old log beside the new data. The old generation is unlinked at once; the desks that have it
open go on with it, and its room on the disk is free when the last of them closes.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from operator_tui.appeals.errors import Code, Refusal

_SIDES = ("", "-wal", "-shm", "-journal")


def fresh(path: Path) -> Path:
    """The name of a generation that is not there yet, beside ``path``."""
    return path.with_name(f"{path.name}.g-{secrets.token_hex(8)}")


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Only one load or delta at a time in a folder. Refusal(REGISTRY_BUSY) while another works.

    The lock is on the folder itself, so that nothing is left behind by a writer that was killed.
    """
    try:
        folder = os.open(path.parent, os.O_RDONLY)
    except OSError as error:
        raise Refusal(Code.DISK_FAILED, path=str(path), reason=error.strerror or "") from error
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise Refusal(Code.REGISTRY_BUSY, path=str(path)) from None
    finally:
        os.close(folder)


def switch(path: Path, generation: Path) -> None:
    """Let ``path`` lead to the finished generation, durably, and remove all others."""
    sync(generation)
    link = path.with_name(f".{path.name}.{os.getpid()}.link")
    link.unlink(missing_ok=True)
    link.symlink_to(generation.name)
    link.replace(path)
    sync(path.parent)
    _sweep(path, generation)


def _sweep(path: Path, current: Path) -> None:
    for stale in path.parent.glob(f"{path.name}.g-*"):
        if not stale.name.startswith(current.name):
            stale.unlink(missing_ok=True)
    # Beside a plain file of an older program SQLite may have left these.
    for side in _SIDES[1:]:
        path.with_name(path.name + side).unlink(missing_ok=True)


def discard(generation: Path) -> None:
    """Remove a generation that was not finished."""
    for side in _SIDES:
        generation.with_name(generation.name + side).unlink(missing_ok=True)


def identity(path: Path) -> tuple[int, int]:
    """What tells one generation from the next; (0, 0) when there is none."""
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return (found.st_dev, found.st_ino)


def sync(place: Path) -> None:
    """Make a file or a folder's entries durable."""
    descriptor = os.open(place, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
