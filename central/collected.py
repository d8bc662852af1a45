"""What a federal collector has of a region: every event, each chain computed anew, in one encrypted file.

Events are not folded into cards: a witness that can tell a changed chain is worth more. Each once, whatever is killed:
an event and the place of its stream are one transaction, and what is asked for next is what stands on the disk.

A region that was restored from a copy is another lineage (design/sync-and-security.md 1.5, rule 7): it is read again
from its beginning. What it no longer has, or has differently now, stays here under the former epoch.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from sqlite_utils import Database

from central.streams import EMPTY_HEAD, chain, region_of
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.hlc import stamp_ms
from operator_tui.appeals.operations import Event, reference_stream
from operator_tui.secrets.cipher import DatabaseError, open_encrypted
from operator_tui.sync.protocol import End, EnrolAnswer, canonical

FILE = "collected.db"
_TABLES = (
    "CREATE TABLE IF NOT EXISTS meta(k TEXT PRIMARY KEY, v TEXT NOT NULL)",
    # Where the present lineage stands here.
    "CREATE TABLE IF NOT EXISTS stream(id TEXT PRIMARY KEY, seq INTEGER NOT NULL, head BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS event(stream TEXT, seq INTEGER, epoch TEXT, kind TEXT NOT NULL, op TEXT NOT NULL, "
    'card TEXT NOT NULL, "by" INTEGER NOT NULL, stamp TEXT NOT NULL, zone TEXT NOT NULL, received_at INTEGER NOT NULL, '
    "body_digest BLOB NOT NULL, hash BLOB NOT NULL, body TEXT NOT NULL, PRIMARY KEY(stream, seq, epoch))",
)


class Collection:
    """What was collected of one region, in one folder; one process at a time."""

    def __init__(self, db: Database, path: Path) -> None:
        self._db = db
        self._path = path

    @classmethod
    @contextmanager
    def opened(cls, folder: Path, key: bytes) -> Iterator[Collection]:
        """That of the folder, made at the first time. Refusals: COLLECTOR_TAKEN, DATABASE_KEY_WRONG, DISK_FAILED."""
        path = folder / FILE
        with _alone(folder):
            db = open_encrypted(path, key)
            try:
                try:
                    db.execute("SELECT count(*) FROM sqlite_master").fetchone()
                except DatabaseError:
                    raise Refusal(Code.DATABASE_KEY_WRONG, path=str(path)) from None
                with _telling(path):
                    path.chmod(0o600)
                    db.execute("PRAGMA journal_mode=WAL")
                    db.execute("PRAGMA synchronous=FULL")
                    for table in _TABLES:
                        db.execute(table)
                yield cls(db, path)
            finally:
                db.close()

    @property
    def identity(self) -> EnrolAnswer | None:
        """Who this collector is to the region's server, None before it was enrolled."""
        said = self._meta("identity")
        return msgspec.json.decode(said, type=EnrolAnswer) if said else None

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

    def begin(self, epoch: str) -> None:
        """The server is another lineage now: all of it is read again."""
        with self._writing():
            self._set("epoch", epoch)
            self._db.execute("DELETE FROM stream")

    def cursors(self) -> dict[str, int]:
        """The last event that is here, by stream."""
        return {stream: seq for stream, (seq, _) in self._places().items()}

    def keep(self, events: Sequence[Event]) -> None:
        """Events as they were told, all or none of them. Refusals: CHAIN_BROKEN for one that does not follow from what
        is here, DISK_FAILED."""
        with self._writing():
            places, epoch = self._places(), self.epoch
            for event in events:
                seq, head = places.get(event.s, (0, EMPTY_HEAD))
                if event.q != seq + 1:
                    raise Refusal(Code.CHAIN_BROKEN, stream=event.s, seq=seq + 1)
                row = _proven(event, head)
                places[event.s] = event.q, row["hash"]
                # The same as in the lineage before: it is kept once.
                self._db.execute(
                    "DELETE FROM event WHERE stream = :stream AND seq = :seq AND hash = :hash AND epoch <> :epoch",
                    {**row, "epoch": epoch},
                )
                self._db.execute(_INSERT, {**row, "epoch": epoch})
            for stream in {event.s for event in events}:
                self._db.execute("INSERT OR REPLACE INTO stream VALUES (?, ?, ?)", [stream, *places[stream]])

    def demand_same(self, end: End, came: int) -> None:
        """That the streams as the server ends them are not behind what is here, nor other; nor ahead, when it had no
        more to tell than the ``came`` events: it lacks some then. Refusal(CHAIN_BROKEN)."""
        cursors = self.cursors()
        for stream, stands in end.end.items():
            if not came and stands.head > cursors.get(stream, 0):
                raise Refusal(Code.CHAIN_BROKEN, stream=stream, seq=cursors.get(stream, 0) + 1)
        for stream, (seq, head) in self._places().items():
            told = end.end.get(stream)
            if told is None:
                if stream == reference_stream(stream):
                    continue  # of it nothing is told while there is nothing new (central/api/sync.py)
                raise Refusal(Code.CHAIN_BROKEN, stream=stream, seq=1)
            if told.head < seq:
                raise Refusal(Code.CHAIN_BROKEN, stream=stream, seq=told.head + 1)
            if told.head == seq and told.hash != head.hex():
                raise Refusal(Code.CHAIN_BROKEN, stream=stream, seq=seq)

    def events(self, stream: str) -> list[tuple[int, str, str, dict[str, Any]]]:
        """Place, kind, operation and body of what the present lineage has of a stream, in order."""
        chosen = "SELECT seq, kind, op, body FROM event WHERE stream = ? AND epoch = ? ORDER BY seq"
        rows = self._db.execute(chosen, [stream, self.epoch]).fetchall()
        return [(seq, kind, op, msgspec.json.decode(body)) for seq, kind, op, body in rows]

    def gone(self) -> int:
        """How many events of former lineages the present one does not have, or has differently."""
        return int(self._db.execute("SELECT count(*) FROM event WHERE epoch <> ?", [self.epoch]).fetchone()[0])

    def _places(self) -> dict[str, tuple[int, bytes]]:
        return {id_: (seq, head) for id_, seq, head in self._db.execute("SELECT id, seq, head FROM stream").fetchall()}

    def _meta(self, name: str) -> str:
        found = self._db.execute("SELECT v FROM meta WHERE k = ?", [name]).fetchone()
        return str(found[0]) if found else ""

    def _set(self, name: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", [name, value])

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with _telling(self._path), self._db.atomic():
            yield


# In the order of the table.
_COLUMNS = (
    *("stream", "seq", "epoch", "kind", "op", "card", "by", "stamp", "zone", "received_at"),
    *("body_digest", "hash", "body"),
)
_INSERT = f"INSERT INTO event VALUES ({', '.join(f':{name}' for name in _COLUMNS)})"


def _proven(event: Event, head: bytes) -> dict[str, Any]:
    """The event's row, its hash computed here from the one before it. Refusals: CHAIN_BROKEN, SERVER_REFUSED for a
    server that tells events without their proof."""
    proof, body = event.p, canonical(event.x)
    if proof is None:
        raise Refusal(Code.SERVER_REFUSED, reason="proof")
    broken = Refusal(Code.CHAIN_BROKEN, stream=event.s, seq=event.q)
    # A purged body leaves its digest, and the chain holds.
    digest = hashlib.sha256(body).hexdigest()
    if event.x and digest != proof.digest:
        raise broken
    try:
        linked = {
            "region": region_of(event.s),
            "stream": event.s,
            "seq": event.q,
            "kind": event.k,
            "op": event.op,
            "card": event.c,
            "by": event.by,
            "stamp": event.at,
            "at": stamp_ms(event.at),
            "zone": proof.zone,
            "received_at": proof.received,
            "body_digest": bytes.fromhex(proof.digest),
        }
    except ValueError:
        raise broken from None
    hash_ = chain(head, linked)
    if hash_.hex() != proof.hash:
        raise broken
    return {name: linked[name] for name in _COLUMNS if name in linked} | {"hash": hash_, "body": body.decode()}


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
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
def _telling(path: Path) -> Iterator[None]:
    try:
        yield
    except (DatabaseError, OSError) as error:
        reason = str(getattr(error, "sqlite_errorname", "") or getattr(error, "strerror", "") or "")
        raise Refusal(Code.DISK_FAILED, path=str(path), reason=reason) from None
