"""The central server of the fault simulator: the product's own without its HTTP, with a disk that can be lost."""

from __future__ import annotations

import hashlib
import itertools
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from bench.sync_disk import KEY, Fuse, copy_files
from bench.sync_wire import Flight, OpenStream, Told
from central import backup as copies
from central.auth.sessions import authenticated
from central.devices import Device, enrol, enrolment_code, epoch
from central.exchange import asked, exchange_all
from central.feed import Feed
from central.files import FOLDER_VARIABLE, RESERVE_VARIABLE, Files
from central.forks import fork
from central.reference import references
from central.snapshot import Snapshots, cards_of
from central.store import tables as t
from central.store.database import Database
from operator_tui.appeals.clock import ManualClock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.people import Operator, Role
from operator_tui.appeals.reference import Reference
from operator_tui.journal.device import DeviceIdentity
from operator_tui.reference import packaged_catalogue
from operator_tui.sync.dictionary import dictionary_of
from operator_tui.sync.events import frames_event, read_cursors
from operator_tui.sync.packing import pack, write_answer
from operator_tui.sync.protocol import CARDS_PATH, FORK_PATH, SNAPSHOT_PATH, SYNC_PATH, CardsAnswer, CardsRequest
from operator_tui.sync.tus import FILES_PATH

CATALOGUE = packaged_catalogue()
START_MS = 1_790_000_000_000
_REGION = "26"


_compiled: list[sa.Engine] = []


def one_compiler(engine: sa.Engine) -> sa.Engine:
    """The engine with the compiled statements of the first one: a schedule opens some twenty."""
    if _compiled:
        engine.dialect = _compiled[0].dialect
        engine._compiled_cache = _compiled[0]._compiled_cache
    else:
        _compiled.append(engine)
    return engine


class Server:
    """The central server without its HTTP. ``clock`` is its own."""

    def __init__(self, folder: Path, template: Path) -> None:
        self.folder = folder
        self.clock = ManualClock(START_MS)
        self._files = itertools.count(1)
        self.path = folder / "central-0.db"
        shutil.copyfile(template, self.path)
        self.fuse = Fuse(self._copy)
        self.full = False
        self.files = folder / "files"
        self.had_files: set[str] = set()  # digests of what was whole here once
        self._kept_files = folder / "files-0"
        os.environ[FOLDER_VARIABLE] = str(self.files)
        self._next = self.path
        self.copy = folder / "none"
        self._open()

    def _copy(self) -> None:
        self._next = self.folder / f"central-{next(self._files)}.db"
        copy_files(self.path, self._next)

    def _open(self) -> None:
        self.database = Database.sqlite(self.path, KEY)
        self._snapshots = Snapshots()
        os.environ[RESERVE_VARIABLE] = "0"
        one_compiler(self.database.engine)
        sa.event.listen(self.database.engine, "before_cursor_execute", lambda *_: self.fuse.burn())
        sa.event.listen(self.database.engine, "commit", lambda _: self.fuse.burn())

    def kill(self) -> None:
        """kill -9: what was committed is there at the next start, nothing else."""
        if self._next == self.path:
            self._copy()
        self.database.close()
        self.path = self._next
        self._open()

    def fill_disk(self, full: bool) -> None:
        """No room for another page, or room again."""
        self.full = full
        os.environ[RESERVE_VARIABLE] = str(1 << 60) if full else "0"
        with self.database.engine.connect() as connection:
            raw = connection.connection.driver_connection  # past the fuse
            assert raw is not None
            pages = raw.execute("PRAGMA page_count").fetchone()[0] if full else 4_294_967_294
            raw.execute(f"PRAGMA max_page_count = {pages}")

    def back_up(self) -> None:
        target = self.folder / f"backup-{next(self._files)}.db"
        copies.backup(self.database, target)
        self.copy = target
        if self.files.exists():
            self._kept_files = self.folder / f"files-{next(self._files)}"
            shutil.copytree(self.files, self._kept_files)

    def restore(self, *, files_too: bool) -> None:
        """The machine is lost; the newest copy goes on elsewhere. ``files_too``: they lay on the same disk."""
        self.database.close()
        if files_too:
            shutil.rmtree(self.files, ignore_errors=True)
            if self._kept_files.exists():
                shutil.copytree(self._kept_files, self.files)
        self.path = self._next = self.folder / f"central-{next(self._files)}.db"
        copies.restore_sqlite(self.copy, KEY, self.path)
        self._open()

    def answer(self, flights: Sequence[Flight]) -> list[Told | Exception]:
        """Answer requests that came at once: those for operations and events in one transaction where the server puts
        them together, the others one after another."""
        now = self.clock.now_ms()
        alone = {place: self._one(each, now) for place, each in enumerate(flights) if each.path != SYNC_PATH}
        rest = [each for each in flights if each.path == SYNC_PATH]
        told = iter(exchange_all(self.database, [asked(e.token, e.body, packed=True) for e in rest], now, CATALOGUE))
        answers: list[Told | Exception] = []
        for place, flight in enumerate(flights):
            if place in alone:
                answers.append(alone[place])
            elif isinstance(what := next(told), Exception):
                answers.append(what)
            else:
                answer, dictionary = what[1], dictionary_of(flight.body)
                frames = write_answer(answer.head, answer.outcomes, answer.events, answer.end, dictionary)
                answers.append(Told(b"".join(frames)))
        return answers

    def _one(self, flight: Flight, now: int) -> Told | Exception:
        try:
            who = authenticated(self.database, flight.token, now)
            if flight.path == FORK_PATH:
                return Told(msgspec.json.encode(fork(self.database, who, now)))
            if flight.path == CARDS_PATH:
                ids = msgspec.json.decode(flight.body, type=CardsRequest).ids
                return Told(pack(CardsAnswer(*cards_of(self.database, who.operator.organisation, ids))))
            if flight.path.startswith(SNAPSHOT_PATH):
                return self._snapshot(flight, who, now)
            return self._file(flight)
        except Refusal as refusal:
            # A refusal of HEAD has no body.
            return Refusal(Code.SERVER_REFUSED, reason="404") if flight.method == "HEAD" else refusal
        except Exception as error:
            return error

    def _snapshot(self, flight: Flight, who: Device, now: int) -> Told:
        made = self._snapshots.of(self.database, who.operator.organisation, now)
        start = flight.start if flight.tag == made.tag and flight.start < len(made.content) else 0
        return Told(made.content[start:], start, made.tag)

    def _file(self, flight: Flight) -> Told:
        files = Files(_REGION)
        if flight.path == FILES_PATH:
            at = files.begin(flight.name, int(flight.headers["Upload-Length"]))
        elif flight.method == "HEAD":
            at = files.standing(flight.name)
        else:
            at = files.append(flight.name, int(flight.headers["Upload-Offset"]), flight.body)
        if at.offset == at.length:
            self.had_files.add(flight.name)
        return Told(b"", headers={"upload-offset": str(at.offset), "upload-length": str(at.length)})

    def tell(self, stream: OpenStream) -> None:
        """What an open stream is told next."""
        now = self.clock.now_ms()
        if stream.feed is None:
            device = authenticated(self.database, stream.token, now)
            stream.feed = Feed(device, read_cursors(stream.query["c"]), stream.query["e"])
        frames = stream.feed.look(self.database, now)
        for place in range(0, len(frames), 2):
            raw = frames_event(frames[place : place + 2], {}, None).decode()
            lines = [line[5:] for line in raw.splitlines() if line.startswith("data:")]
            stream.told.append(("message", "\n".join(lines)))

    def device(self, name: str, role: Role) -> DeviceIdentity:
        operator = Operator(user=0, name=name, role=role, extension="1", organisation="26/tf")
        code = enrolment_code(self.database, operator, self.clock.now_ms())
        answer = enrol(self.database, code, self.clock.now_ms())
        return DeviceIdentity(answer.device, answer.number, answer.token, answer.epoch, answer.operator)

    @property
    def epoch(self) -> str:
        with self.database.read() as connection:
            return epoch(connection)

    def reference(self) -> Reference:
        """The reference data of its region as they stand."""
        with self.database.read() as connection:
            return references(self.database, CATALOGUE).now(connection, _REGION).reference

    def has_file(self, name: str) -> bool:
        """Whether that file is there, whole and what its name says."""
        whole = self.files / _REGION / name
        return whole.exists() and hashlib.sha256(whole.read_bytes()).hexdigest() == name

    def heads(self) -> dict[str, int]:
        """Where each stream stands."""
        return {row.id: row.seq for row in self.rows(t.stream)}

    def rows(self, table: sa.Table) -> list[sa.Row[Any]]:
        with self.database.read() as connection:
            return list(connection.execute(sa.select(table).order_by(*table.primary_key.columns)))
