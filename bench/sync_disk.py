"""Disks of the fault simulator: what a kill leaves of a database, and a process that dies at a statement to come.

The databases are those of SQLCipher without a key: the cipher lies under every statement and knows nothing of what is
lost or doubled, and it is half of what a schedule costs. With the cipher: bench/sync_power.py and bench/sync_kills.py.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from sqlcipher3 import dbapi2

KEY = bytes(32)


class Killed(BaseException):
    """The process is gone. Not an Exception: nothing in the product may catch it."""


class Fuse:
    """Kills at a statement to come; ``copy`` takes the files as they stand at that moment."""

    def __init__(self, copy: Callable[[], None]) -> None:
        self._copy = copy
        self._left: int | None = None

    def light(self, statements: int) -> None:
        self._left = statements

    def burn(self) -> None:
        if self._left is None:
            return
        self._left -= 1
        if self._left < 0:
            self._left = None
            self._copy()
            raise Killed


def copy_files(source: Path, target: Path) -> None:
    """A database with its write-ahead log, as kill -9 leaves it."""
    for suffix in ("", "-wal", ".mark"):
        old = source.with_name(source.name + suffix)
        if old.exists():
            shutil.copyfile(old, target.with_name(target.name + suffix))


class _Plain(dbapi2.Connection):  # type: ignore[misc]  # of a library without types
    """A connection that is given no key."""

    def execute(self, sql: str, *values: Any) -> Any:
        return super().execute("SELECT 1" if sql.startswith("PRAGMA key") else sql, *values)


@contextmanager
def without_cipher() -> Iterator[None]:
    """Every database opened meanwhile is one without the cipher."""
    connect = dbapi2.connect

    def plain(*args: Any, **kwargs: Any) -> Any:
        return connect(*args, **{"factory": _Plain, **kwargs})

    with mock.patch.object(dbapi2, "connect", plain):
        yield
