"""The journal's file: opened, checked, migrated, locked, and every disk error made a Refusal."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import hmac
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from sqlite_utils import Database

from operator_tui.appeals.catalogue import Catalogue
from operator_tui.appeals.clock import Clock
from operator_tui.appeals.decide import Actor
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.journal.device import DeviceIdentity
from operator_tui.journal.lock import JournalLock, lock_file
from operator_tui.journal.migrations import STEPS
from operator_tui.secrets.cipher import DatabaseError, open_encrypted

# Primary result codes of SQLite (sqlite.org/rescode.html).
_FULL, _CORRUPT, _NOTADB, _IOERR, _READONLY, _CANTOPEN, _BUSY = 13, 11, 26, 10, 8, 14, 5

_CHECKED_BYTES = 16 << 20


class Store:
    """The open file. Rooms of the journal read and write through ``reading`` and ``writing`` alone.

    Safe to use from several threads: one of them is inside at a time.
    """

    def __init__(self, db: Database, path: Path, lock: JournalLock, catalogue: Catalogue, clock: Clock) -> None:
        self.db = db
        self.path = path
        self.base = catalogue  # the program's own reference data; those of the centre are laid over them
        self.catalogue = catalogue
        self.clock = clock
        self._lock = lock
        self._inside = threading.RLock()
        self.appended = 0  # operations written since it was opened: whether somebody should be woken

    @classmethod
    def open(cls, path: Path, key: bytes, *, catalogue: Catalogue, clock: Clock) -> Store:
        """The journal of that file. Refusals: see Journal.open."""
        lock = JournalLock.take(lock_file(path))
        try:
            existing = path.exists() and path.stat().st_size > 0
            if existing:
                _demand_key(path, key)
            with _refusing(path):
                db = open_encrypted(path, key)
            try:
                with _refusing(path):
                    path.chmod(0o600)
                    _configure(db)
                    if existing and lock.unclean:
                        _demand_whole(db, path)
                    _migrate(db, path, existing=existing)
                    _mark_key(path, key)
            except BaseException:
                db.close()
                raise
        except BaseException:
            lock.release()
            raise
        return cls(db, path, lock, catalogue, clock)

    def close(self) -> None:
        """Fold the write-ahead log into the file and let go of it. A second call does nothing."""
        with self._inside:
            if self._lock is None:
                return
            self.db.close()
            self._lock.release()
            self._lock = None  # type: ignore[assignment]  # closed: there is nothing to hold any more

    @contextlib.contextmanager
    def reading(self) -> Iterator[Database]:
        """The database for statements that change nothing."""
        with self._inside, _refusing(self.path):
            yield self.db

    @contextlib.contextmanager
    def writing(self) -> Iterator[Database]:
        """One transaction: committed and on disk when the block ends, undone whole when it raises."""
        with self._inside, _refusing(self.path), self.db.atomic():
            yield self.db

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        return self.db.execute(sql, values).fetchall()

    def value(self, sql: str, *values: Any) -> Any:
        """The first column of the first row, None when there is none."""
        row = self.db.execute(sql, values).fetchone()
        return None if row is None else row[0]

    def meta(self, name: str, default: str = "") -> str:
        """A value of the meta table."""
        value = self.value("SELECT v FROM meta WHERE k = ?", name)
        return default if value is None else str(value)

    def set_meta(self, name: str, value: str) -> None:
        """Inside ``writing`` only."""
        self.db.execute(
            "INSERT INTO meta(k, v) VALUES (?, ?) ON CONFLICT(k) DO UPDATE SET v = excluded.v", [name, value]
        )

    def device(self) -> DeviceIdentity | None:
        """Who this journal is, None before enrolment."""
        text = self.meta("device")
        return msgspec.json.decode(text, type=DeviceIdentity) if text else None

    def demand_device(self) -> DeviceIdentity:
        """Refusal(NOT_ENROLLED) before enrolment."""
        device = self.device()
        if device is None:
            raise Refusal(Code.NOT_ENROLLED)
        return device

    def zone(self) -> str:
        """The IANA zone of the office; UTC before enrolment."""
        device = self.device()
        return device.operator.zone if device else "UTC"

    def actor(self) -> Actor:
        """The operator as the rules see him."""
        operator = self.demand_device().operator
        return Actor(operator.user, operator.role, operator.organisation, operator.groups)


def _configure(db: Database) -> None:
    db.execute("PRAGMA journal_mode=WAL")
    # NORMAL lost acknowledged cards in 293 of 400 simulated power cuts, FULL in none (design, section 5).
    db.execute("PRAGMA synchronous=FULL")
    db.execute("PRAGMA foreign_keys=ON")


def _demand_key(path: Path, key: bytes) -> None:
    """JOURNAL_KEY_WRONG or JOURNAL_DAMAGED, found out by a reader that cannot change the file.

    SQLCipher cannot tell a wrong key from a damaged first page; the mark beside the file can.
    """
    probe = open_encrypted(path, key, read_only=True)
    try:
        probe.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except DatabaseError as error:
        if _primary(error) not in (_NOTADB, _CORRUPT):
            raise _refusal(error, path) from None
        mark = _mark_file(path)
        known = mark.read_text(encoding="ascii").strip() if mark.is_file() else ""
        damaged = known == _mark_of(key) or path.stat().st_size % 4096 != 0
        raise Refusal(Code.JOURNAL_DAMAGED if damaged else Code.JOURNAL_KEY_WRONG, path=str(path)) from None
    finally:
        probe.close()


def _demand_whole(db: Database, path: Path) -> None:
    """After a kill or a power cut: one look at the whole file before anything is written to it.

    A large file is not looked at here (1.2 s for 80 MB, and a new desk must stand within two): every page carries
    a code that is checked whenever it is read.
    """
    if path.stat().st_size > _CHECKED_BYTES:
        return
    if [row[0] for row in db.execute("PRAGMA quick_check(1)")] != ["ok"]:
        raise Refusal(Code.JOURNAL_DAMAGED, path=str(path))


def _migrate(db: Database, path: Path, *, existing: bool) -> None:
    applied = {step.name for step in STEPS.applied(db)}
    if applied - _known_steps():
        raise Refusal(Code.JOURNAL_NEWER, path=str(path))
    if existing and applied and STEPS.pending(db):
        copy = path.with_name(f"{path.name}.before-{len(applied) + 1}")
        copy.unlink(missing_ok=True)
        db.execute("VACUUM INTO ?", [str(copy)])
        copy.chmod(0o600)
    STEPS.apply(db)


def _known_steps() -> set[str]:
    # The library lists only what a database still lacks: an empty one lacks everything.
    nothing = Database(memory=True, execute_plugins=False)
    try:
        return {step.name for step in STEPS.pending(nothing)}
    finally:
        nothing.close()


def _mark_file(path: Path) -> Path:
    return path.with_name(path.name + ".mark")


def _mark_of(key: bytes) -> str:
    return hmac.new(key, b"operator-tui journal", hashlib.sha256).hexdigest()[:16]


def _mark_key(path: Path, key: bytes) -> None:
    mark = _mark_file(path)
    if not mark.is_file():
        mark.touch(mode=0o600)
        mark.write_text(_mark_of(key), encoding="ascii")


def _primary(error: Exception) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _refusal(error: Exception, path: Path) -> Refusal:
    match _primary(error):
        case code if code == _FULL:
            return Refusal(Code.DISK_FULL)
        case code if code in (_CORRUPT, _NOTADB):
            return Refusal(Code.JOURNAL_DAMAGED, path=str(path))
        case code if code == _IOERR and _no_space(path):
            # The shared-memory file of the log cannot grow: SQLite calls that an input/output error.
            return Refusal(Code.DISK_FULL)
        case _:
            return Refusal(Code.DISK_FAILED, path=str(path), reason=str(getattr(error, "sqlite_errorname", "")))


def _no_space(path: Path) -> bool:
    room = os.statvfs(path.parent)
    return room.f_bavail * room.f_frsize < 64 * 1024


@contextlib.contextmanager
def _refusing(path: Path) -> Iterator[None]:
    """Errors of the disk become refusals; errors of our own SQL stay what they are."""
    try:
        yield
    except DatabaseError as error:
        if _primary(error) in (_FULL, _CORRUPT, _NOTADB, _IOERR, _READONLY, _CANTOPEN, _BUSY):
            raise _refusal(error, path) from None
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Refusal(Code.DISK_FULL) from None
        raise Refusal(Code.DISK_FAILED, path=str(path), reason=error.strerror or "") from None
