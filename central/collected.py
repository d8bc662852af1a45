"""What a federal collector has of a region: every event, each chain computed anew, in one encrypted file.

Events are not folded into cards: a witness that can tell a changed chain is worth more. Each once, whatever is killed:
an event and the place of its stream are one transaction, and what is asked for next is what stands on the disk.

A stream whose chain broke is frozen where it was and said until it has ended (central/broken.py); the others go on.

A region that was restored from a copy is another lineage (design/sync-and-security.md 1.5, rule 7): it is read again
from its beginning. What it no longer has, or has differently now, stays here under the former epoch, as does what a
person has let be taken anew: nothing that was collected is ever written over.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from sqlite_utils import Database

from central import broken
from central.broken import ANEW, HEALED, Breaks
from central.collected_file import alone, encrypted, telling
from central.streams import Place
from central.witness import BEGINNING, Break, proven, standing
from operator_tui.appeals.clock import Clock, SystemClock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import Event
from operator_tui.sync.protocol import End, EnrolAnswer

FILE = "collected.db"
NOTHING = 1 << 53  # a cursor behind which no stream has anything: where it stands is told, and no event of it
_TABLES = (
    "CREATE TABLE IF NOT EXISTS meta(k TEXT PRIMARY KEY, v TEXT NOT NULL)",
    # Where the present lineage stands here.
    "CREATE TABLE IF NOT EXISTS stream(id TEXT PRIMARY KEY, seq INTEGER NOT NULL, head BLOB NOT NULL)",
    # ``epoch`` is the lineage, or a former version of it (``_put_aside``).
    "CREATE TABLE IF NOT EXISTS event(stream TEXT, seq INTEGER, epoch TEXT, kind TEXT NOT NULL, op TEXT NOT NULL, "
    'card TEXT NOT NULL, "by" INTEGER NOT NULL, stamp TEXT NOT NULL, zone TEXT NOT NULL, received_at INTEGER NOT NULL, '
    "body_digest BLOB NOT NULL, hash BLOB NOT NULL, body TEXT NOT NULL, PRIMARY KEY(stream, seq, epoch))",
    *broken.TABLES,
)


class Collection:
    """What was collected of one region, in one folder; one process at a time."""

    def __init__(self, db: Database, path: Path, clock: Clock) -> None:
        self._db = db
        self._path = path
        self._clock = clock
        self._breaks = Breaks(db)

    @classmethod
    @contextmanager
    def opened(cls, folder: Path, key: bytes, clock: Clock | None = None) -> Iterator[Collection]:
        """That of the folder, made at the first time. Refusals: COLLECTOR_TAKEN, DATABASE_KEY_WRONG, DISK_FAILED."""
        path = folder / FILE
        with alone(folder), encrypted(path, key, read_only=False) as db:
            with telling(path):
                path.chmod(0o600)
                db.execute("PRAGMA journal_mode=WAL")
                db.execute("PRAGMA synchronous=FULL")
                for table in _TABLES:
                    db.execute(table)
            yield cls(db, path, clock or SystemClock())

    @classmethod
    @contextmanager
    def looked_into(cls, folder: Path, key: bytes) -> Iterator[Collection]:
        """The same to read only, while another process may collect into it. Refusals: DATABASE_KEY_WRONG, DISK_FAILED
        (also when there is none)."""
        path = folder / FILE
        if not path.exists():
            raise Refusal(Code.DISK_FAILED, path=str(path), reason=os.strerror(errno.ENOENT))
        with encrypted(path, key, read_only=True) as db:
            yield cls(db, path, SystemClock())

    @property
    def identity(self) -> EnrolAnswer | None:
        """Who this collector is to the region's server, None before it was enrolled."""
        said = self._meta("identity")
        return msgspec.json.decode(said, type=EnrolAnswer) if said else None

    @property
    def region(self) -> str:
        """``26``; empty before it was enrolled."""
        return self.identity.operator.organisation if self.identity else ""

    @property
    def epoch(self) -> str:
        """The lineage that is followed now."""
        return self._meta("epoch")

    def enrolled(self, identity: EnrolAnswer) -> None:
        """Be this one from now on."""
        with self._writing():
            self._set("identity", msgspec.json.encode(identity).decode())
            if not self.epoch:
                self._set("epoch", identity.epoch)

    @property
    def versions(self) -> int:
        """How often something was put aside; with ``epoch`` it names what is followed."""
        return int(self._meta("versions") or 0)

    def begin(self, epoch: str) -> None:
        """The server is another lineage now: all of it is read again, also one that was here before."""
        with self._writing():
            self._put_aside(epoch)
            self._set("epoch", epoch)
            self._db.execute("DELETE FROM stream")

    def take_anew(self, stream: str) -> None:
        """Somebody has looked at the stream's break: it is read from its beginning, and what is here stays as a former
        version. Refusal(STREAM_SOUND) for one that is not broken, DISK_FAILED."""
        with self._writing():
            if stream not in {each.stream for each in self._breaks.open()}:
                raise Refusal(Code.STREAM_SOUND, stream=stream)
            if stream in self.frozen():
                self._put_aside(self.epoch, stream)
                self._db.execute("DELETE FROM stream WHERE id = ?", [stream])
            self._breaks.end(stream, ANEW, self._clock.now_ms())

    def cursors(self) -> dict[str, int]:
        """The last event that is here, by stream."""
        return {stream: place.seq for stream, place in self._places().items()}

    def asked(self, look: str | None = None) -> dict[str, int]:
        """The cursors to ask by: nothing of a frozen stream. ``look`` asks for the next event of that one, and where
        all streams stand; empty for that alone."""
        cursors = self.cursors()
        closed = self.frozen() if look is None else self.frozen() | cursors.keys()
        return cursors | dict.fromkeys(closed, NOTHING) | ({look: cursors.get(look, 0)} if look else {})

    def keep(self, events: Sequence[Event], look: str | None = None) -> int:
        """Events as they were told, in one transaction; how many were taken. The first of a stream that does not follow
        from what is here freezes the stream, and of a frozen one nothing is taken; but when the next event of ``look``
        fits after all, that one goes on. Refusals: DISK_FAILED, SERVER_REFUSED."""
        with self._writing():
            places, epoch, frozen, now_ms = self._places(), self.epoch, self.frozen(), self._clock.now_ms()
            taken: dict[str, int] = {}
            for event in events:
                if event.s in frozen and event.s != look:
                    continue
                row = proven(event, places.get(event.s, BEGINNING))
                if isinstance(row, Break):
                    self._breaks.remember(row, epoch, now_ms)
                    frozen.add(event.s)
                    look = None if event.s == look else look
                    continue
                if event.s in frozen:
                    if not self._frozen_by(event.s).healed_by(event.q, row["hash"].hex()):
                        look = None
                        continue
                    self._breaks.end(event.s, HEALED, now_ms, epoch)
                    frozen.remove(event.s)
                places[event.s] = Place(event.q, row["hash"])
                # The same as in the lineage before: it is kept once. A text that is gone since (a purged body) is not
                # the same: this deletes no text that the new row does not have.
                self._db.execute(_FORGET_SAME, {**row, "epoch": epoch})
                self._db.execute(_INSERT, {**row, "epoch": epoch})
                taken[event.s] = taken.get(event.s, 0) + 1
            for stream in taken:
                place = places[stream]
                self._db.execute("INSERT OR REPLACE INTO stream VALUES (?, ?, ?)", [stream, place.seq, place.head])
            return sum(taken.values())

    def compare(self, end: End, *, told_all: bool) -> None:
        """Freeze the streams that end before what is here, or otherwise; and, when the answer ``told_all`` that there
        is, those that end behind it: the server lacks some then. Refusal(DISK_FAILED)."""
        places, frozen = self._places(), self.frozen()
        found = [
            standing(stream, place, end.end.get(stream), partial(self._hash_at, stream))
            for stream, place in places.items()
        ]
        if told_all:
            here = ((stream, places.get(stream, BEGINNING).seq, stands) for stream, stands in end.end.items())
            found += [Break(stream, seq + 1, "gap") for stream, seq, stands in here if stands.head > seq]
        for each in found:
            if each is not None and each.stream not in frozen:
                with self._writing():
                    self._breaks.remember(each, self.epoch, self._clock.now_ms())

    def settle(self, look: str, end: End) -> None:
        """Let a frozen stream go on that ends just where it ends here and as it does here. One that broke behind that
        waits for the entry it broke at."""
        place, told = self._places().get(look, BEGINNING), end.end.get(look)
        if told is None or (told.head, told.hash) != (place.seq, place.head.hex()):
            return
        if look in self.frozen() and self._frozen_by(look).seq <= place.seq:
            with self._writing():
                self._breaks.end(look, HEALED, self._clock.now_ms(), self.epoch)

    def settle_former(self) -> None:
        """To be called when all of the present lineage is here: a break of a former one has healed when everything that
        was collected of its stream then is in the present one, and so is the entry it broke at."""
        for each in self.broken():
            if each.epoch == self.epoch or self._count("stream = ? AND epoch = ?", [each.stream, each.epoch]):
                continue
            if each.healed_by(each.seq, self._hash_at(each.stream, each.seq)):
                with self._writing():
                    self._breaks.end(each.stream, HEALED, self._clock.now_ms(), each.epoch)

    def broken(self) -> list[Break]:
        """What somebody has to look at, by stream: the breaks of the present lineage, whose streams are frozen, and
        those of former ones that did not heal by it."""
        return self._breaks.open()

    def breaks(self) -> list[Break]:
        """Every break there ever was, in their order."""
        return self._breaks.all()

    def frozen(self) -> set[str]:
        """The streams that do not go on."""
        return {each.stream for each in self.broken() if each.epoch == self.epoch}

    def events(self, stream: str) -> list[tuple[int, str, str, dict[str, Any]]]:
        """Place, kind, operation and body of what the present lineage has of a stream, in order."""
        chosen = "SELECT seq, kind, op, body FROM event WHERE stream = ? AND epoch = ? ORDER BY seq"
        rows = self._db.execute(chosen, [stream, self.epoch]).fetchall()
        return [(seq, kind, op, msgspec.json.decode(body)) for seq, kind, op, body in rows]

    def gone(self, stream: str | None = None) -> int:
        """How many events of former lineages and versions the present one does not have, or has differently; of one
        stream, or of all."""
        if stream is None:
            return self._count("epoch <> ?", [self.epoch])
        return self._count("stream = ? AND epoch <> ?", [stream, self.epoch])

    def _frozen_by(self, stream: str) -> Break:
        return next(each for each in self.broken() if (each.stream, each.epoch) == (stream, self.epoch))

    def _count(self, which: str, values: list[Any]) -> int:
        return int(self._db.execute(f"SELECT count(*) FROM event WHERE {which}", values).fetchone()[0])

    def _put_aside(self, epoch: str, stream: str | None = None) -> None:
        """What is here of a lineage, or of one stream of it, is a former version from now on, whose name no other ever
        has."""
        version = self.versions + 1
        self._set("versions", str(version))
        of, values = ("", []) if stream is None else (" AND stream = ?", [stream])
        for table in ("event", "broken"):
            self._db.execute(
                f"UPDATE {table} SET epoch = ? WHERE epoch = ?{of}", [f"{epoch}.{version}", epoch, *values]
            )

    def _hash_at(self, stream: str, seq: int) -> str:
        chosen = "SELECT hash FROM event WHERE stream = ? AND seq = ? AND epoch = ?"
        found = self._db.execute(chosen, [stream, seq, self.epoch]).fetchone()
        return bytes(found[0]).hex() if found else ""

    def _places(self) -> dict[str, Place]:
        rows = self._db.execute("SELECT id, seq, head FROM stream ORDER BY id").fetchall()
        return {stream: Place(seq, head) for stream, seq, head in rows}

    def _meta(self, name: str) -> str:
        found = self._db.execute("SELECT v FROM meta WHERE k = ?", [name]).fetchone()
        return str(found[0]) if found else ""

    def _set(self, name: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", [name, value])

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with telling(self._path), self._db.atomic():
            yield


# In the order of the table.
_COLUMNS = (
    *("stream", "seq", "epoch", "kind", "op", "card", "by", "stamp", "zone", "received_at"),
    *("body_digest", "hash", "body"),
)
_INSERT = f"INSERT INTO event VALUES ({', '.join(f':{name}' for name in _COLUMNS)})"
_FORGET_SAME = (
    "DELETE FROM event WHERE stream = :stream AND seq = :seq AND hash = :hash AND body = :body AND epoch <> :epoch"
)
