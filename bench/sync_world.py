"""The desks of the fault simulator: the real journal, sender and lane of files; line, disk and clock are made up.

Nothing here waits for real time and nothing runs on a thread: one event loop, driven step by step by a seed.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import random
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec

from bench.sync_centre import CATALOGUE, START_MS
from bench.sync_disk import KEY, Fuse, Killed, copy_files
from bench.sync_wire import Wire
from operator_tui.appeals.catalogue import AppealType
from operator_tui.appeals.clock import ManualClock
from operator_tui.appeals.draft import draft_of, new_draft
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.lifecycle import Act
from operator_tui.appeals.operations import Kind
from operator_tui.journal.journal import Journal
from operator_tui.sync.files import FileLane
from operator_tui.sync.listening import Buffered
from operator_tui.sync.protocol import canonical
from operator_tui.sync.sender import Sender

THEME = CATALOGUE.themes_of(AppealType.CONSULTATION)[0]
_BREAKS = ("lunch", "rest", "study")  # rows that administrators change, at the same time too


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
        self.recordings = folder / f"{name}-recordings"
        self.recorded: set[str] = set()  # digests of all that was ever put on this disk
        self.dead = False

    def _copy(self) -> None:
        self.dead = True  # who does the statement may be a task that nobody asks
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
        self.sender._catching._run = self._slowly
        self.lane = FileLane(
            self.journal, self.wire, run=at_once, signed_in=self._signed_in, folder=lambda kind: self.recordings,  # type: ignore[arg-type]  # made up
            free=lambda kind: True, clock=self.clock, beside=at_once,
        )  # fmt: skip
        self.dead = False

    async def _slowly(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """A snapshot goes into the journal in many transactions: each when the schedule says so."""
        if function.__name__ in ("put_snapshot", "end_snapshot"):
            turn = asyncio.get_running_loop().create_future()
            self.wire.turns.append(turn)
            await turn
        return await at_once(function, *args, **kwargs)

    async def _signed_in(self, work: Callable[[str], Awaitable[int]]) -> int:
        device = self.journal.device
        if device is None:
            raise Refusal(Code.NOT_ENROLLED)
        return await work(device.token)

    @property
    def busy(self) -> bool:
        """Whether something of it still goes on."""
        return bool(self.tasks) or self.sender.catching_up

    async def kill(self) -> None:
        """kill -9 and a new start."""
        if self._next == self.path:
            self._copy()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.tasks.clear()
        await self.sender.let_go()
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
        if self.recordings.exists():
            shutil.copytree(self.recordings, twin.recordings)
        twin.open()
        twin.issued = set(self.issued)
        return twin

    def start(self, how: str = "round") -> None:
        """Begin a round, or a ``held`` request, a ``stream`` or ``files`` beside it."""
        sender = self.sender
        ways: dict[str, Callable[[], Awaitable[Any]]] = {
            "round": sender.round, "held": sender._held, "stream": sender._streamed, "files": self.lane.round
        }  # fmt: skip
        work = ways[how]
        self.tasks.add(asyncio.get_running_loop().create_task(self._guarded(work())))

    async def _guarded(self, work: Any) -> None:
        try:
            await work
        except Killed:
            self.dead = True
        except (Refusal, Buffered):
            pass  # a listener says so to the sender's loop, which is this schedule here

    def act(self, dice: random.Random) -> None:
        """The operator does something."""
        self._do(dice, self._act)

    def change_reference(self, dice: random.Random) -> None:
        """The administrator changes a list; who is none is refused."""
        self._do(dice, self._change_reference)

    def record(self, dice: random.Random) -> None:
        """A call was recorded."""
        self._do(dice, self._record)

    def _do(self, dice: random.Random, what: Callable[[random.Random], None]) -> None:
        if self.dead:
            return  # what is done now is on no disk
        self.clock.advance(dice.randint(1, 5000) / 1000)
        try:
            what(dice)
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

    def _change_reference(self, dice: random.Random) -> None:
        if dice.random() < 0.15 and (versions := self.journal.reference_versions("breaks")):
            self.journal.reference_back("breaks", dice.randrange(len(versions)))
            return
        codes = dice.sample(_BREAKS, dice.randint(1, 2))
        rows = {code: {"code": code, "title": f"Перерыв {code}", "minutes": str(dice.randrange(60))} for code in codes}
        self.journal.change_reference("breaks", rows)

    def _record(self, dice: random.Random) -> None:
        content, call = dice.randbytes(dice.randint(1, 900)), f"{self.name}-{dice.getrandbits(40)}"
        name, file = hashlib.sha256(content).hexdigest(), f"{call}.otr"
        self.recordings.mkdir(exist_ok=True)
        (self.recordings / file).write_bytes(content)
        self.recorded.add(name)
        self.journal.record(Kind.CALL_RECORDED, {"call": call, "file": file, "sha256": name, "size": len(content)})

    def note(self) -> None:
        """Everything on this disk was promised to the operator."""
        for (body,) in self.look("SELECT body FROM outbox"):
            self.issued.add(mark_of(msgspec.json.decode(body)))

    def unqueued(self) -> int:
        """How many recordings lie on its disk that its journal has not heard of: the next round of files finds them."""
        queued = {name for (name,) in self.look("SELECT name FROM file")}
        return sum(
            hashlib.sha256(path.read_bytes()).hexdigest() not in queued for path in self.recordings.glob("*.otr")
        )

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
