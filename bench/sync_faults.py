"""Faults of line, disk, clock and machine against the real sync: nothing lost, nothing doubled.

`python -m bench.sync_faults [--schedules N] [--seed S] [--from N] [--mutants]`: each schedule is a seed. The real
Journal and Sender, the real server code over SQLCipher files; messages are lost, doubled, late, reordered and cut,
desk and server are killed at any statement (the files as they stood are opened again), disks fill up, clocks jump,
the server comes back from its last copy, a journal is copied, administrators change the same lists, desks come new or
far back and take a snapshot, recordings go in parts. Prints `lost`, `doubled`, `diverged`, `stalled` and
`schedules`, one a line; exit 1 unless the first four are 0. Power cuts are another matter: synchronous=FULL and the
crash of SQLite itself are not simulated here.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import math
import multiprocessing
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import click

from bench.sync_centre import START_MS, Server
from bench.sync_disk import KEY, without_cipher
from bench.sync_judging import KINDS, Found
from bench.sync_mutants import MUTANTS
from bench.sync_schedule import DESKS, MOODS, NEWCOMERS, Schedule
from bench.sync_wire import Wire
from bench.sync_world import Desk
from central import devices, exchange, reference
from central import snapshot as central_snapshot
from central.store import database
from central.store.database import Database
from operator_tui.sync import files, snapshot

RESULTS = Path(__file__).with_name("results") / "sync_faults.tsv"


class _Codes:
    """Stands where ``secrets`` stands in central.devices, so that a seed gives the same codes."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice

    def choice(self, alphabet: str) -> str:
        return self._dice.choice(alphabet)

    def token_urlsafe(self, size: int) -> str:
        return self._dice.randbytes(size).hex()


def scratch() -> Path | None:
    """Memory, where there is some: a schedule writes thousands of times."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() else None


@contextmanager
def prepared() -> Iterator[Path]:
    """A server's database with two devices, and their journals, to begin from."""
    with tempfile.TemporaryDirectory(prefix="ot-faults-", dir=scratch()) as folder, without_cipher():
        template = Path(folder) / "empty.db"
        Database.sqlite(template, KEY).close()
        with mock.patch.object(devices, "secrets", _Codes(random.Random(START_MS))):
            server = Server(Path(folder), template)
            for name, role in {**DESKS, **NEWCOMERS}.items():
                desk = Desk(Path(folder), name, Wire())
                desk.open()
                desk.journal.enrol(server.device(name, role))
                desk.journal.close()
        server.database.close()
        server.path.replace(template)
        _hush()
        yield template


def _hush() -> None:
    """Mistakes are counted, not told."""
    for name in ("operator_tui.sync", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


@contextmanager
def _uncollected() -> Iterator[None]:
    """A schedule is a tenth of a second and leaves some megabytes: circles are looked for once, behind it."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()
        gc.collect(1)


def play(seed: int, template: Path) -> Found:
    """One schedule."""
    dice, mood = random.Random(seed ^ START_MS), MOODS[seed % len(MOODS)]
    with (
        tempfile.TemporaryDirectory(prefix="ot-faults-", dir=scratch()) as folder,
        mock.patch.object(devices, "secrets", _Codes(dice)),
        mock.patch.object(reference, "_LOOK_S", math.inf),  # real seconds would make another schedule of a seed
        mock.patch.object(snapshot, "FAR_BEHIND", mood.behind),
        mock.patch.object(central_snapshot, "_BEHIND", mood.behind),
        mock.patch.object(exchange, "MAX_PAGE", mood.page),
        mock.patch.multiple(snapshot, _WAIT_S=0.0, _PART=100, _AT_ONCE=2),
        mock.patch.multiple(files, _LEAST=64, _FIRST=64),
        mock.patch.object(database, "migrate"),  # the template is, and all others are its copies
        mock.patch.dict(os.environ),
        without_cipher(),
        _uncollected(),
    ):
        return asyncio.run(Schedule(seed, Path(folder), template).run())


_template: Path


def _begin(template: Path) -> None:
    global _template
    _template = template
    _hush()


def _play(seed: int) -> tuple[int, Found]:
    return seed, play(seed, _template)


@contextmanager
def players(template: Path, jobs: int) -> Iterator[Callable[[Iterable[int]], Iterator[tuple[int, Found]]]]:
    """Who plays the schedules of some seeds in several processes and tells of them in their order."""
    if jobs == 1:
        yield lambda seeds: ((seed, play(seed, template)) for seed in seeds)
        return
    fresh = multiprocessing.get_context("spawn")
    with fresh.Pool(jobs, _begin, (template,)) as pool:
        yield lambda seeds: pool.imap(_play, seeds, chunksize=5)


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
        with players(template, jobs) as played:
            for number, found in played(range(first, first + schedules)):
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
