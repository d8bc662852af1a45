"""The power cut at any write: the journal's own statements on a disk that loses what was not synced.

`python -m bench.sync_power [--cuts 1000]`: the real Journal works on SQLCipher while every statement is written down:
its schema, its PRAGMAs, its transactions. They are given again to SQLite on a file system in memory (a VFS of
apsw), where a write counts only after a sync of its file; at the cut each file keeps what was synced and some of the
rest, in order or not, torn at 512 bytes. Then the file is opened again. Without the cipher, with the write-ahead log's
index in memory (locking_mode=EXCLUSIVE) and a checkpoint every few pages, so that checkpoints are cut too; kill -9 of
the cipher itself is bench/sync_kills.py and tests/journal/test_kill.py. Prints `cuts`, `commits`, `lost` (cuts after
which a finished transaction was not there), `torn` (a state that never was), and `normal_lost`: the same with
synchronous=NORMAL, which must lose. Exit 1 unless lost and torn are 0.
"""

from __future__ import annotations

import contextlib
import hashlib
import random
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import apsw
import click
import sqlcipher3.dbapi2

from bench.sync_centre import CATALOGUE, START_MS
from bench.sync_disk import KEY
from bench.sync_world import THEME
from operator_tui.appeals.clock import ManualClock
from operator_tui.appeals.draft import draft_of, new_draft
from operator_tui.appeals.lifecycle import Act
from operator_tui.appeals.operations import Kind, Outcome
from operator_tui.appeals.people import Operator, Role
from operator_tui.journal.device import DeviceIdentity
from operator_tui.journal.journal import Journal

SECTOR = 512
TABLES = ("meta", "stream", "card", "event", "outbox", "shown", "attention", "draft", "saved")
Statement = tuple[str, Sequence[Any]]


class Cut(Exception):
    """The power is gone."""


@dataclass
class _File:
    now: bytearray = field(default_factory=bytearray)
    synced: bytearray = field(default_factory=bytearray)
    since: list[tuple[int, bytes | None]] = field(default_factory=list)  # writes, or truncation to a length


class Disk(apsw.VFS):
    """A disk in memory. ``left`` writes and syncs until the cut, none: it does not come."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.files: dict[str, _File] = {}
        self.left: int | None = None
        self.dead = False
        super().__init__(name, "")

    def step(self) -> None:
        """One more write or sync."""
        if self.left is not None:
            self.left -= 1
            self.dead = self.dead or self.left < 0
        if self.dead:
            raise apsw.IOError("cut")

    def cut(self, dice: random.Random) -> None:
        """What is left of each file, and the power back."""
        for file in self.files.values():
            file.now = _remains(file, dice)
            file.synced, file.since = bytearray(file.now), []
        self.dead, self.left = False, None

    def image(self) -> dict[str, bytes]:
        """All files as they are."""
        return {name: bytes(file.now) for name, file in self.files.items()}

    def load(self, image: dict[str, bytes]) -> None:
        """Files as they were, synced."""
        self.files = {name: _File(bytearray(data), bytearray(data)) for name, data in image.items()}

    def xOpen(self, name: Any, flags: list[int]) -> _Handle:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name or f"temporary {len(self.files)}"
        flags[1] = flags[0]
        return _Handle(self, self.files.setdefault(path, _File()))

    def xDelete(self, name: str, syncdir: bool) -> None:
        self.files.pop(name, None)

    def xAccess(self, name: str, flags: int) -> bool:
        return name in self.files

    def xFullPathname(self, name: str) -> str:
        return name


def _remains(file: _File, dice: random.Random) -> bytearray:
    """Synced, and of the rest the first so many or some, the odd one torn."""
    left = bytearray(file.synced)
    in_order, first = dice.random() < 0.5, dice.randrange(len(file.since) + 1)
    for index, (place, data) in enumerate(file.since):
        if not (index < first if in_order else dice.random() < 0.5):
            continue
        if data is None:
            del left[place:]
            continue
        if dice.random() < 0.2:
            data = data[: dice.randrange(len(data) // SECTOR + 1) * SECTOR]
        _put(left, place, data)
    return left


def _put(target: bytearray, place: int, data: bytes) -> None:
    if len(target) < place + len(data):
        target.extend(bytes(place + len(data) - len(target)))
    target[place : place + len(data)] = data


class _Handle(apsw.VFSFile):
    """An open file, as SQLite wants one (sqlite.org/c3ref/io_methods.html)."""

    def __init__(self, disk: Disk, file: _File) -> None:
        # Not the base class's: that one opens a real file.
        self._disk, self._file = disk, file

    def xRead(self, amount: int, offset: int) -> bytes:
        found = bytes(self._file.now[offset : offset + amount])
        return found + bytes(amount - len(found))

    def xWrite(self, data: bytes, offset: int) -> None:
        self._disk.step()
        _put(self._file.now, offset, bytes(data))
        self._file.since.append((offset, bytes(data)))

    def xTruncate(self, size: int) -> None:
        self._disk.step()
        del self._file.now[size:]
        self._file.since.append((size, None))

    def xSync(self, flags: int) -> None:
        self._disk.step()
        self._file.synced, self._file.since = bytearray(self._file.now), []

    def xFileSize(self) -> int:
        return len(self._file.now)

    def xClose(self) -> None:
        return

    def xLock(self, level: int) -> None:
        return

    def xUnlock(self, level: int) -> None:
        return

    def xCheckReservedLock(self) -> bool:
        return False

    def xSectorSize(self) -> int:
        return SECTOR

    def xDeviceCharacteristics(self) -> int:
        return 0

    def xFileControl(self, op: int, pointer: int) -> bool:
        return False


def written_down(folder: Path) -> tuple[list[Statement], int]:
    """What the journal says to SQLite in a piece of work, and how many of it make the empty journal."""
    said: list[Statement] = []

    class Recording(sqlcipher3.dbapi2.Connection):  # type: ignore[misc]  # the library has no types
        def execute(self, sql: str, parameters: Any = ()) -> Any:
            done = super().execute(sql, parameters)
            if not sql.lstrip().upper().startswith(("SELECT", "PRAGMA KEY", "PRAGMA CIPHER")):
                said.append((sql, parameters))
            return done

        def executescript(self, script: str) -> Any:
            done = super().executescript(script)
            said.append((script, ()))
            return done

    connect = sqlcipher3.dbapi2.connect

    def recording(*args: Any, **kwargs: Any) -> Any:
        return connect(*args, **kwargs, factory=Recording)

    with mock.patch.object(sqlcipher3.dbapi2, "connect", recording):
        journal = Journal.open(folder / "journal.db", KEY, catalogue=CATALOGUE, clock=ManualClock(START_MS))
        operator = Operator(user=7, name="Петрова", role=Role.OPERATOR_2, extension="2001", organisation="26/tf")
        journal.enrol(DeviceIdentity("k7q2mx", 1, "token", "epoch", operator))
        made = len(said)
        _work(journal)
        journal.close()
    return said, made


def _work(journal: Journal) -> None:
    """Every kind of writing a journal does."""
    fields = {"type": THEME.type.value, "theme": THEME.code, "phone": "+7 8652 000001", "text": "вопрос " * 20}
    for n in range(5):
        journal.record(Kind.CALL_OFFERED, {"call": str(n)})
        form = new_draft(fields=dict(fields))
        journal.put_draft(form)
        card = journal.save(form)
        change = draft_of(card)
        change.fields["comment"] = f"дополнено {n}"
        journal.save(change)
        journal.move(card.id, Act.FORWARD, {"operator": 8})
    waiting = journal.outbox(100)
    journal.settle([Outcome(operation.n, "applied", q=0) for operation in waiting[:7]], durable=3)
    journal.settle([Outcome(waiting[7].n, "rejected", w="stale")], durable=5)
    journal.rewind(3, "another")


def replay(disk: Disk, statements: Sequence[Statement], *, synchronous: str = "") -> int:
    """Give the statements; how many COMMITs were answered before the power went."""
    finished = 0
    connection = apsw.Connection("journal.db", vfs=disk.name)
    try:
        connection.pragma("locking_mode", "exclusive")
        connection.pragma("wal_autocheckpoint", 25)
        connection.pragma("journal_mode", "wal")
        for sql, parameters in statements:
            if synchronous and sql.startswith("PRAGMA synchronous"):
                sql = f"PRAGMA synchronous={synchronous}"
            for _ in connection.execute(sql, parameters):
                pass
            finished += sql == "COMMIT"
    except (apsw.Error, Cut):
        pass
    finally:
        with contextlib.suppress(apsw.Error):
            connection.close(True)
    return finished


def state_of(disk: Disk) -> str:
    """A digest of all that is in the journal; empty when it is not whole."""
    connection = apsw.Connection("journal.db", vfs=disk.name)
    connection.pragma("locking_mode", "exclusive")
    try:
        if connection.pragma("integrity_check") != "ok":
            return ""
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        digest = hashlib.sha256()
        for table in TABLES:
            if table in tables:
                digest.update(repr(connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").get).encode())
        return digest.hexdigest()
    except apsw.Error:
        return ""
    finally:
        connection.close(True)


class Trials:
    """The work written down, and its states after each COMMIT."""

    def __init__(self, folder: Path) -> None:
        said, made = written_down(folder)
        self._pragmas = [each for each in said[:made] if each[0].startswith("PRAGMA synchronous")]
        self._disk = Disk("power")
        replay(self._disk, said[:made])
        self._empty = self._disk.image()
        self._work = said[made:]
        self._states = [state_of(self._disk)]
        for index, (sql, _) in enumerate(self._work):
            if sql == "COMMIT":
                self._disk.load(self._empty)
                replay(self._disk, [*self._pragmas, *self._work[: index + 1]])
                self._states.append(state_of(self._disk))
        self._disk.load(self._empty)
        self._disk.left = 1 << 30
        replay(self._disk, [*self._pragmas, *self._work])
        self._steps = (1 << 30) - (self._disk.left or 0)

    @property
    def commits(self) -> int:
        """Transactions of the work."""
        return len(self._states) - 1

    def cut(self, seed: int, *, synchronous: str = "") -> tuple[bool, bool]:
        """One power cut: whether something finished is lost, whether something is torn."""
        dice = random.Random(seed)
        self._disk.load(self._empty)
        self._disk.left = dice.randrange(1, self._steps)
        finished = replay(self._disk, [*self._pragmas, *self._work], synchronous=synchronous)
        self._disk.cut(dice)
        found = state_of(self._disk)
        if found not in self._states:
            return False, True
        # The last transaction may be there without having been answered; equal states count as the later one.
        last = len(self._states) - 1 - self._states[::-1].index(found)
        return last < finished, False

    def close(self) -> None:
        """Give the disk back."""
        self._disk.unregister()


@click.command()
@click.option("--cuts", type=int, default=1000, show_default=True)
@click.option("--from", "start", type=int, default=0, show_default=True)
def main(cuts: int, start: int) -> None:
    """Print what was lost; exit 1 unless nothing was."""
    with tempfile.TemporaryDirectory(prefix="ot-power-") as folder:
        trials = Trials(Path(folder))
        found = [trials.cut(seed) for seed in range(start, start + cuts)]
        normal = [trials.cut(seed, synchronous="NORMAL") for seed in range(start, start + min(cuts, 200))]
    lost, torn = sum(one for one, _ in found), sum(one for _, one in found)
    print(f"cuts {cuts}\ncommits {trials.commits}\nlost {lost}\ntorn {torn}")
    print(f"normal_lost {sum(one for one, _ in normal)} of {len(normal)}")
    sys.exit(1 if lost or torn else 0)


if __name__ == "__main__":
    main()
