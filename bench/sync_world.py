"""The world of the fault simulator: the real journal, sender and server; only line, disk and clock are made up.

Nothing here waits for real time and nothing runs on a thread: one event loop, driven step by step by a seed.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from bench.sync_wire import Flight, OpenStream, Wire
from central import backup as copies
from central.auth.sessions import authenticated
from central.devices import enrol, enrolment_code, epoch
from central.exchange import asked, exchange_all
from central.feed import Feed
from central.forks import fork
from central.store import tables as t
from central.store.database import Database
from operator_tui.appeals.catalogue import AppealType
from operator_tui.appeals.clock import ManualClock
from operator_tui.appeals.draft import draft_of, new_draft
from operator_tui.appeals.errors import Refusal
from operator_tui.appeals.lifecycle import Act
from operator_tui.appeals.operations import Kind
from operator_tui.appeals.people import Operator, Role
from operator_tui.journal.device import DeviceIdentity
from operator_tui.journal.journal import Journal
from operator_tui.reference import packaged_catalogue
from operator_tui.sync.dictionary import dictionary_of
from operator_tui.sync.events import frames_event, read_cursors
from operator_tui.sync.listening import Buffered
from operator_tui.sync.protocol import FORK_PATH, canonical, write_answer
from operator_tui.sync.sender import Sender

KEY = bytes(32)
CATALOGUE = packaged_catalogue()
THEME = CATALOGUE.themes_of(AppealType.CONSULTATION)[0]
START_MS = 1_790_000_000_000


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
        self._next = self.path
        self.copy = folder / "none"
        self._open()

    def _copy(self) -> None:
        self._next = self.folder / f"central-{next(self._files)}.db"
        copy_files(self.path, self._next)

    def _open(self) -> None:
        self.database = Database.sqlite(self.path, KEY)
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
        with self.database.engine.connect() as connection:
            raw = connection.connection.driver_connection  # past the fuse
            assert raw is not None
            pages = raw.execute("PRAGMA page_count").fetchone()[0] if full else 4_294_967_294
            raw.execute(f"PRAGMA max_page_count = {pages}")

    def back_up(self) -> None:
        target = self.folder / f"backup-{next(self._files)}.db"
        copies.backup(self.database, target)
        self.copy = target

    def restore(self) -> None:
        """The machine is lost; the newest copy goes on elsewhere."""
        self.database.close()
        self.path = self._next = self.folder / f"central-{next(self._files)}.db"
        copies.restore_sqlite(self.copy, KEY, self.path)
        self._open()

    def answer(self, flights: Sequence[Flight]) -> list[bytes | Exception]:
        """Answer requests that came at once: those of one device code after another, the others in one transaction
        where the server puts them together."""
        now = self.clock.now_ms()
        forks = {place: self._forked(each.token, now) for place, each in enumerate(flights) if each.path == FORK_PATH}
        rest = [each for each in flights if each.path != FORK_PATH]
        asking = [asked(each.token, each.body, packed=True) for each in rest]
        told = iter(exchange_all(self.database, asking, now, CATALOGUE))
        bodies: list[bytes | Exception] = []
        for place, flight in enumerate(flights):
            if place in forks:
                bodies.append(forks[place])
            elif isinstance(what := next(told), Exception):
                bodies.append(what)
            else:
                answer, dictionary = what[1], dictionary_of(flight.body)
                frames = write_answer(answer.head, answer.outcomes, answer.events, answer.end, dictionary)
                bodies.append(b"".join(frames))
        return bodies

    def _forked(self, token: str, now: int) -> bytes | Exception:
        try:
            return msgspec.json.encode(fork(self.database, authenticated(self.database, token, now), now))
        except Exception as error:
            return error

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

    def heads(self) -> dict[str, int]:
        """Where each stream stands."""
        return {row.id: row.seq for row in self.rows(t.stream)}

    def rows(self, table: sa.Table) -> list[sa.Row[Any]]:
        with self.database.read() as connection:
            return list(connection.execute(sa.select(table).order_by(*table.primary_key.columns)))


async def at_once(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Runs a journal's method where the loop runs, but lets others come between."""
    await asyncio.sleep(0)
    return function(*args, **kwargs)


class Desk:
    """A journal, its sender, and an operator who does what comes to his mind."""

    def __init__(self, folder: Path, name: str, wire: Wire) -> None:
        self.folder, self.name, self.wire = folder, name, wire
        self.clock = ManualClock(START_MS)
        self._files = itertools.count(1)
        self.path = self._next = folder / f"{name}-0.db"
        self.fuse = Fuse(self._copy)
        self.tasks: set[asyncio.Task[Any]] = set()
        self.issued: set[bytes] = set()
        self.dead = False

    def _copy(self) -> None:
        self._next = self.folder / f"{self.name}-{next(self._files)}.db"
        copy_files(self.path, self._next)

    def open(self) -> None:
        self.journal = Journal.open(self.path, KEY, catalogue=CATALOGUE, clock=self.clock)
        db = self.journal._store.db
        execute = db.execute

        def burning(*args: Any, **kwargs: Any) -> Any:
            self.fuse.burn()
            return execute(*args, **kwargs)

        db.execute = burning  # type: ignore[method-assign]  # every statement of the journal passes here
        self.sender = Sender(self.journal, self.wire, run=at_once, clock=self.clock)  # type: ignore[arg-type]  # made up
        self.dead = False

    async def kill(self) -> None:
        """kill -9 and a new start."""
        if self._next == self.path:
            self._copy()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.tasks.clear()
        self.journal.close()
        self.path = self._next
        self.open()
        self.note()

    def fill_disk(self, full: bool) -> None:
        """No room for another page, or room again."""
        connection = self.journal._store.db.conn
        pages = connection.execute("PRAGMA page_count").fetchone()[0] if full else 4_294_967_294
        connection.execute(f"PRAGMA max_page_count = {pages}")

    def copy(self, name: str) -> Desk:
        """The same journal on another machine."""
        twin = Desk(self.folder, name, self.wire)
        twin.clock.advance((self.clock.now_ms() - START_MS) / 1000 + 0.5)
        copy_files(self.path, twin.path)
        twin.open()
        twin.issued = set(self.issued)
        return twin

    def start(self, how: str = "round") -> None:
        """Begin a round, or a ``held`` request or a ``stream`` beside it."""
        sender = self.sender
        work = {"round": sender.round, "held": sender._held, "stream": sender._streamed}[how]
        self.tasks.add(asyncio.get_running_loop().create_task(self._guarded(work())))

    async def _guarded(self, work: Any) -> None:
        try:
            await work
        except Killed:
            self.dead = True
        except (Refusal, Buffered):
            pass  # a listener says so to the sender's loop, which is this schedule here

    def act(self, dice: random.Random) -> None:
        self.clock.advance(dice.randint(1, 5000) / 1000)
        try:
            self._act(dice)
        except Refusal:
            pass  # the desk refuses by the same rules, or has no room; nothing was written
        except Killed:
            self.dead = True
            return
        self.note()

    def _act(self, dice: random.Random) -> None:
        cards = self.journal.active()
        choice = dice.randrange(6)
        if choice == 0 or not cards:
            fields = {"type": THEME.type.value, "theme": THEME.code, "text": f"вопрос {dice.random()}"}
            self.journal.save(new_draft(fields=fields))
        elif choice == 1:
            self.journal.record(Kind.CALL_OFFERED, {"call": str(dice.random())})
        elif choice in (2, 3, 4):
            draft = draft_of(dice.choice(cards))
            draft.fields[dice.choice(["phone", "text", "comment"])] = f"{dice.random()}"
            self.journal.save(draft)
        else:
            self.journal.move(dice.choice(cards).id, Act.TAKE, {})

    def note(self) -> None:
        """Everything on this disk was promised to the operator."""
        for (body,) in self.look("SELECT body FROM outbox"):
            self.issued.add(mark_of(msgspec.json.decode(body)))

    def knows(self, epoch: str) -> bool:
        """Whether this is the lineage it follows."""
        return self.journal.device is not None and self.journal.device.epoch == epoch

    def look(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the journal, past the fuse."""
        rows: list[tuple[Any, ...]] = self.journal._store.db.conn.execute(sql).fetchall()
        return rows


def mark_of(plain: dict[str, Any]) -> bytes:
    """What an operation is, whatever number or code it goes under."""
    return canonical([plain.get("k"), plain.get("at"), plain.get("x", {})])
