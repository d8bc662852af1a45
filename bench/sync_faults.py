"""Faults of line, disk, clock and machine against the real sync: nothing lost, nothing doubled.

`python -m bench.sync_faults [--schedules N] [--seed S] [--from N] [--mutants]`: each schedule is a seed. The real
Journal and Sender, the real server code over SQLCipher files; messages are lost, doubled, late, reordered and cut,
desk and server are killed at any statement (the files as they stood are opened again), disks fill up, clocks jump,
the server comes back from its last copy, a journal is copied. Prints `lost`, `doubled`, `diverged`, `stalled` and
`schedules`, one a line; exit 1 unless the first four are 0. Power cuts are another matter: synchronous=FULL and the
crash of SQLite itself are not simulated here.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import click
import msgspec

from bench.sync_mutants import MUTANTS
from bench.sync_world import KEY, START_MS, Desk, Flight, Killed, OpenStream, Server, Wire, copy_files, mark_of
from central import devices
from central.store import tables as t
from central.store.database import Database
from central.verify import verify
from operator_tui.appeals.card import Card
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.people import Role
from operator_tui.sync.sender import ServerLight

STEPS = 90
DESKS = {"one": Role.OPERATOR_2, "two": Role.ADMINISTRATOR}
RESULTS = Path(__file__).with_name("results") / "sync_faults.tsv"
_CALM_ROUNDS = 12
_DAY_S = 86_400.0
KINDS = ("lost", "doubled", "diverged", "stalled")


@dataclass(frozen=True)
class Found:
    """What is wrong at the end of a schedule; ``operations`` were made in it."""

    operations: int
    wrong: Counter[str]


class _Codes:
    """Stands where ``secrets`` stands in central.devices, so that a seed gives the same codes."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice

    def choice(self, alphabet: str) -> str:
        return self._dice.choice(alphabet)

    def token_urlsafe(self, size: int) -> str:
        return self._dice.randbytes(size).hex()


@dataclass(frozen=True)
class Mood:
    """How often what happens in a schedule, and how the line is: shares of messages that are ``lost`` and that arrive
    late or twice (``ghosts``); ``copies`` of journals at most; ``first`` what happens at given steps."""

    acts: Mapping[str, float]
    lost: float = 0.08
    ghosts: float = 0.14
    copies: int = 1

    @property
    def weights(self) -> list[float]:
        return [self.acts.get(act, 0.0) for act in ACTS]


_PLAIN: dict[str, float] = {
    "act": 30, "start": 20, "line": 36, "desk_fuse": 3, "server_fuse": 3, "desk_kill": 1, "server_kill": 1,
    "backup": 1, "restore": 1, "copy": 1, "clock": 1, "desk_disk": 1, "server_disk": 1,
}  # fmt: skip
ACTS = [*_PLAIN, "week"]
# Each leads somewhere that chance alone seldom goes: a copied journal whose answers are lost; a journal that forgets
# what is durable; a server that comes back while answers of another time are on the line.
MOODS = (
    Mood(_PLAIN),
    Mood(
        {**_PLAIN, "copy": 6, "act": 34, "restore": 1, "backup": 2, "server_fuse": 1, "desk_fuse": 1},
        lost=0.2,
        copies=3,
    ),
    Mood({**_PLAIN, "week": 6, "backup": 4, "restore": 3, "copy": 0, "act": 24}, lost=0.03, ghosts=0.05),
    Mood({**_PLAIN, "start": 30, "restore": 5, "backup": 3, "copy": 0, "desk_kill": 0, "desk_disk": 0}, lost=0.03),
)


class Schedule:
    """One seed."""

    def __init__(self, seed: int, folder: Path, template: Path) -> None:
        self.dice = random.Random(seed)
        self.mood = MOODS[seed % len(MOODS)]
        self.folder = folder
        self.template = template
        self.wire = Wire()
        self.ghosts: list[Flight] = []

    async def run(self) -> Found:
        self.server = Server(self.folder, self.template)
        self.desks = [self._desk(name) for name in DESKS]
        self.server.back_up()
        try:
            for _ in range(STEPS):
                await self._step()
                await self._settle()
            calm = await self._calm()
            return self._judge(calm)
        finally:
            await self._end()

    def _desk(self, name: str) -> Desk:
        desk = Desk(self.folder, name, self.wire)
        copy_files(self.template.with_name(f"{name}-0.db"), desk.path)
        desk.open()
        return desk

    async def _step(self) -> None:
        desk, dice = self.dice.choice(self.desks), self.dice
        match dice.choices(ACTS, self.mood.weights)[0]:
            case "act":
                desk.act(dice)
            case "start":
                if len(desk.tasks) < 3:
                    desk.start(dice.choices(["round", "held", "stream"], [7, 2, 1])[0])
            case "line":
                self._line()
            case "desk_fuse":
                desk.fuse.light(dice.randrange(60))
            case "server_fuse":
                self.server.fuse.light(dice.randrange(40))
            case "desk_kill":
                await desk.kill()
            case "server_kill":
                self._server_killed()
            case "backup":
                self._back_up()
            case "restore":
                self._restore()
            case "copy":
                self._copy_journal(desk)
            case "clock":
                desk.clock.advance(dice.choice([-3600.0, 600.0, 8 * _DAY_S, -2 * _DAY_S]))
            case "week":
                for each in self.desks:
                    each.clock.advance(8 * _DAY_S)
            case "desk_disk":
                desk.fill_disk(dice.random() < 0.6)
            case "server_disk":
                self.server.fill_disk(not self.server.full)

    def _back_up(self) -> None:
        try:
            self.server.back_up()
        except Killed:
            self._server_killed()
        except Exception:  # a full disk: there is no copy, and nothing is durable by it
            return

    def _restore(self) -> None:
        if len(self.desks) > 3:
            return  # more than one copy of a journal besides: see docs/decisions/0025-sync-under-faults.md
        for flight in self.wire.flights:
            if flight.rest is None and self.dice.random() < 0.5:
                flight.fail(Refusal(Code.SERVER_AWAY))
        self._end_streams()
        self.server.fuse.light(1 << 30)
        self.server.restore()
        self.server.full = False

    def _copy_journal(self, desk: Desk) -> None:
        """Of a copy too: both then have what the first one made before."""
        if len(self.desks) < 2 + self.mood.copies and not self.server.full:
            self.server.fuse.light(1 << 30)
            self.desks.append(desk.copy(f"twin{len(self.desks)}"))

    def _server_killed(self) -> None:
        for flight in self.wire.flights:
            if flight.waiting and self.dice.random() < 0.7:
                flight.fail(Refusal(Code.SERVER_AWAY))
        self._end_streams()
        self.server.kill()
        self.server.full = False

    def _line(self) -> None:
        """Something happens on the line: mostly what should."""
        streams = [stream for stream in self.wire.streams if stream.waiting]
        flights = [flight for flight in self.wire.flights if flight.waiting]
        if self.ghosts and self.dice.random() < 0.1:
            self._deliver(self.ghosts.pop(self.dice.randrange(len(self.ghosts))))
        if streams and self.dice.random() < 0.3:
            self._stream(self.dice.choice(streams))
            return
        if not flights:
            return
        flight = self.dice.choice(flights)
        fate, mood = self.dice.random(), self.mood
        if fate < mood.lost:
            flight.fail(Refusal(Code.SERVER_AWAY))  # lost, or cut inside a frame
        elif fate < mood.ghosts and flight.rest is None:
            self.ghosts.append(flight)  # arrives when nobody waits for it any more
            flight.fail(Refusal(Code.SERVER_AWAY))
        elif flight.rest is None:
            self._deliver(flight)
            if fate < mood.ghosts + 0.11:
                self.ghosts.append(flight)  # and once more
        else:
            flight.give(self.dice.choice([1, 40, 300, 100_000]))

    def _stream(self, stream: OpenStream) -> None:
        """An open stream is told something, brings something, or breaks off."""
        fate = self.dice.random()
        if fate < self.mood.lost or (stream.feed is not None and stream.feed.over and not stream.told):
            stream.fail(Refusal(Code.SERVER_AWAY))
        elif fate < 0.5:
            try:
                self.server.tell(stream)
            except Killed:
                self._server_killed()
            except Exception:  # whatever the server has against it ends the stream
                stream.fail(Refusal(Code.SERVER_AWAY))
        else:
            stream.give()

    def _end_streams(self) -> None:
        """They do not outlive their server."""
        for stream in self.wire.streams:
            if stream.waiting:
                stream.fail(Refusal(Code.SERVER_AWAY))

    def _deliver(self, flight: Flight) -> None:
        try:
            answer = self.server.answer(flight.path, flight.body, flight.token)
        except Refusal as refusal:
            if flight.waiting:
                flight.fail(refusal)
            return
        except Killed:
            if flight.waiting:
                flight.fail(Refusal(Code.SERVER_AWAY))
            self._server_killed()
            return
        except Exception as error:  # what the HTTP layer makes of a mistake or a full disk
            if flight.waiting:
                flight.fail(Refusal(Code.SERVER_REFUSED, reason=type(error).__name__))
            return
        if flight.waiting and flight.rest is None:
            flight.rest = answer

    async def _settle(self) -> None:
        """Let everybody go on until all wait for the line."""
        ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]  # who could go on
        await asyncio.sleep(0)
        while ready:  # noqa: ASYNC110  # there is no event for «nobody can go on»
            await asyncio.sleep(0)
        for desk in self.desks:
            desk.tasks = {task for task in desk.tasks if not task.done()}
            if desk.dead:
                await desk.kill()
        self.wire.flights = [flight for flight in self.wire.flights if flight.waiting]
        self.wire.streams = [stream for stream in self.wire.streams if stream.waiting]

    async def _calm(self) -> bool:
        """No more faults: everything must become even by itself."""
        self.server.fuse.light(1 << 30)
        self.server.fill_disk(False)
        self._end_streams()
        for desk in self.desks:
            desk.fuse.light(1 << 30)
            desk.fill_disk(False)
        for flight in self.ghosts:
            self._deliver(flight)
        for _ in range(_CALM_ROUNDS):
            for desk in self.desks:
                if not desk.tasks:
                    desk.start()
            for _ in range(200):
                await self._settle()
                if not any(desk.tasks for desk in self.desks):
                    break
                for flight in list(self.wire.flights):
                    if flight.rest is None:
                        self._deliver(flight)
                    if flight.waiting:
                        flight.give(100_000)
        return all(desk.journal.unsent() == 0 and desk.sender.state.light is ServerLight.ON for desk in self.desks)

    def _judge(self, calm: bool) -> Found:
        wrong: Counter[str] = Counter()
        if not calm:
            wrong["stalled"] += 1
        for desk in self.desks:
            desk.note()
        issued = set().union(*(desk.issued for desk in self.desks))
        taken: dict[str, bytes] = {}
        refused: set[str] = set()
        for row in self.server.rows(t.op_log):
            op = f"{row.device}:{row.n}"
            taken[op] = mark_of(msgspec.json.decode(row.body))
            if msgspec.json.decode(row.result)["s"] == "rejected":
                refused.add(op)
        wrong["lost"] += len(issued - set(taken.values()))
        written = Counter(taken.get(row.op, b"?") for row in self.server.rows(t.event))
        wrong["doubled"] += sum(count - 1 for count in written.values())
        wrong["lost"] += len({mark for op, mark in taken.items() if op not in refused} - set(written))
        wrong["diverged"] += len(verify(self.server.database).faults)
        cards = {row.id: msgspec.convert(row.body, Card) for row in self.server.rows(t.card)}
        for desk in self.desks:
            wrong["diverged"] += sum(desk.journal.card(id_) != card for id_, card in cards.items())
            shown = desk.look("SELECT id FROM shown")
            wrong["diverged"] += sum(id_ not in cards for (id_,) in shown)
            wrong["lost"] += len(self._unasked(desk))
        return Found(len(issued), +wrong)

    def _unasked(self, desk: Desk) -> list[str]:
        """Operations that were refused and the operator was not told."""
        rows = desk.look(
            "SELECT device || ':' || n FROM outbox WHERE state = 'rejected' "
            "AND NOT EXISTS (SELECT 1 FROM attention WHERE op = outbox.device || ':' || outbox.n)"
        )
        return [op for (op,) in rows]

    async def _end(self) -> None:
        for desk in self.desks:
            for task in desk.tasks:
                task.cancel()
            await asyncio.gather(*desk.tasks, return_exceptions=True)
            desk.journal.close()
        self.server.database.close()


def scratch() -> Path | None:
    """Memory, where there is some: a schedule writes thousands of times."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() else None


@contextmanager
def prepared() -> Iterator[Path]:
    """A server's database with two devices, and their journals, to begin from."""
    with tempfile.TemporaryDirectory(prefix="ot-faults-", dir=scratch()) as folder:
        template = Path(folder) / "empty.db"
        Database.sqlite(template, KEY).close()
        with mock.patch.object(devices, "secrets", _Codes(random.Random(START_MS))):
            server = Server(Path(folder), template)
            for name, role in DESKS.items():
                desk = Desk(Path(folder), name, Wire())
                desk.open()
                desk.journal.enrol(server.device(name, role))
                desk.journal.close()
        server.database.close()
        server.path.replace(template)
        logging.getLogger("operator_tui.sync.sender").setLevel(logging.CRITICAL)  # mistakes are counted, not told
        yield template


def play(seed: int, template: Path) -> Found:
    """One schedule."""
    dice = random.Random(seed ^ START_MS)
    with (
        tempfile.TemporaryDirectory(prefix="ot-faults-", dir=scratch()) as folder,
        mock.patch.object(devices, "secrets", _Codes(dice)),
    ):
        return asyncio.run(Schedule(seed, Path(folder), template).run())


_template: Path


def _begin(template: Path) -> None:
    global _template
    _template = template
    logging.getLogger("operator_tui.sync.sender").setLevel(logging.CRITICAL)


def _play(seed: int) -> tuple[int, Found]:
    return seed, play(seed, _template)


def play_all(template: Path, first: int, count: int, jobs: int) -> Iterator[tuple[int, Found]]:
    """Schedules in several processes, in their order."""
    seeds = range(first, first + count)
    if jobs == 1:
        yield from ((seed, play(seed, template)) for seed in seeds)
        return
    fresh = multiprocessing.get_context("spawn")
    with fresh.Pool(jobs, _begin, (template,)) as pool:
        yield from pool.imap(_play, seeds, chunksize=5)


def hunt(template: Path, first: int, most: int) -> tuple[int, Counter[str]] | None:
    """The first seed that finds something."""
    for seed in range(first, first + most):
        try:
            found = play(seed, template).wrong
        except Exception as error:  # a mutant may break anything; that is found too
            found = Counter({type(error).__name__: 1})
        if found:
            return seed - first + 1, found
    return None


def mutants(template: Path, first: int, most: int = 500) -> int:
    """Each seeded fault must be found; prints in which schedule."""
    missed = 0
    for mutant in MUTANTS:
        with mutant.alive():
            found = hunt(template, first, most)
        where = f"{found[0]}\t{','.join(found[1])}" if found else "-\tnot found"
        missed += found is None
        print(f"mutant {mutant.name}\t{where}", flush=True)
    print(f"mutants_found {len(MUTANTS) - missed}")
    return missed


def append_result(rows: dict[str, Any], seed: int) -> None:
    """One line in the file of results, with the commit."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=RESULTS.parent.parent, capture_output=True, text=True, check=False
    ).stdout.strip()
    RESULTS.parent.mkdir(exist_ok=True)
    fresh = not RESULTS.exists()
    with RESULTS.open("a", encoding="utf-8") as file:
        if fresh:
            file.write("\t".join(["commit", "from", *rows]) + "\n")
        file.write("\t".join([commit or "-", str(seed), *map(str, rows.values())]) + "\n")


@click.command()
@click.option("--schedules", type=int, default=2000, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True, help="Beginning of all seeds.")
@click.option("--from", "start", type=int, default=0, show_default=True, help="Begin with this schedule.")
@click.option("--mutants", "seeded", is_flag=True, help="Seed faults into the product and find them.")
@click.option("--keep/--no-keep", default=True, help="Append the result to bench/results/sync_faults.tsv.")
@click.option("--jobs", type=int, default=os.cpu_count() or 1, show_default=True, help="Processes.")
def main(schedules: int, seed: int, start: int, seeded: bool, keep: bool, jobs: int) -> None:
    """Print all rows; exit 1 when something was lost, doubled, diverged or stalled, or a mutant lives."""
    first = seed * 1_000_000 + start
    with prepared() as template:
        if seeded:
            sys.exit(1 if mutants(template, first) else 0)
        wrong: Counter[str] = Counter()
        operations, began = 0, time.monotonic()
        for number, found in play_all(template, first, schedules, jobs):
            operations += found.operations
            if found.wrong:
                print(f"seed {number}: {dict(found.wrong)}", file=sys.stderr, flush=True)
            wrong += found.wrong
    rows = {kind: wrong[kind] for kind in KINDS}
    for name, value in {**rows, "schedules": schedules, "operations": operations}.items():
        print(f"{name} {value}")
    if keep:
        append_result({"schedules": schedules, "operations": operations, **rows}, first)
    print(f"seconds {time.monotonic() - began:.0f}", file=sys.stderr)
    sys.exit(1 if any(rows.values()) else 0)


if __name__ == "__main__":
    main()
