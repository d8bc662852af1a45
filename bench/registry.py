"""The registry of insured people against its targets, with its peers in the same run.

`python -m bench.registry [--people 3000000] [--folder DIR] [--full] [--no-keep]`: makes a list of people, loads it with
the product's own command, and asks what operators type. Prints `name value unit target peer verdict`, by tabs, and
`N of M targets met`; exit 1 when one is short. Figures of a search are the best of five with nothing remembered from
the last one, ours and the peers' in turn, so that other work on the machine hits all alike; `key_first_p99_ms` is the
first run of each key, as it comes. `--folder` keeps the files for the next run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import click
from msgspec import structs

from bench.registry_peers import Fts5, Peer, TextIndexes, Trigrams, build_sqlite, parsed
from bench.registry_queries import Typed, keys, named, queries, sample
from operator_tui.registry.delta import apply
from operator_tui.registry.index import Registry
from operator_tui.registry.people import Person
from operator_tui.registry.records import Change
from operator_tui.registry.schema import connect

PEOPLE = 3_000_000
GROWTH = (30_000, 300_000)
FULL = 30_000_000
RESULTS = Path(__file__).with_name("results") / "registry.tsv"
_BEST_OF, _SLOW_S = 5, 0.1
_STEPS = 20  # of the virtual machine, between two looks at how many they are


@dataclass(frozen=True)
class Row:
    """One figure. ``least``: the target is a least value, not a greatest; without a target nothing is judged."""

    name: str
    value: float
    unit: str
    target: float | None = None
    peer: float | None = None
    least: bool = False

    @property
    def met(self) -> bool:
        if self.target is None:
            return True
        return self.value >= self.target if self.least else self.value <= self.target

    def __str__(self) -> str:
        target = "-" if self.target is None else f"{'>=' if self.least else '<='}{self.target:g}"
        peer = "-" if self.peer is None else f"{self.peer:g}"
        verdict = "-" if self.target is None else "met" if self.met else "short"
        return "\t".join([self.name, f"{self.value:.4g}", self.unit, target, peer, verdict])


def percentile(values: list[float], share: float) -> float:
    """Nearest rank."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def say(what: str) -> None:
    """Progress, for the person who waits."""
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Loaded:
    """A loaded registry and what it cost."""

    csv: Path
    file: Path
    key: bytes
    seconds: float
    megabytes: float

    def open(self) -> Registry:
        return Registry.open(self.file, self.key, deadline_ms=0)


def load(folder: Path, people: int) -> Loaded:
    """Generate and load with the product's own commands; a list that is already in the folder is taken."""
    csv, file = folder / f"people-{people}.csv", folder / f"registry-{people}.db"
    command = [str(Path(sys.executable).with_name("operator-tui")), "registry"]
    if not csv.exists():
        say(f"{people} people are made")
        making = [*command, "generate", "--people", str(people), "--csv", str(csv)]
        subprocess.run(making, check=True, stdout=sys.stderr)
    say(f"{people} people are loaded")
    started = time.perf_counter()
    subprocess.run([*command, "load", "--csv", str(csv), "--db", str(file)], check=True, stdout=sys.stderr)
    seconds = time.perf_counter() - started
    key = bytes.fromhex(file.with_name(file.name + ".key").read_text())
    return Loaded(csv, file, key, seconds, file.stat().st_size / 1e6)


def forget(registry: Registry) -> None:
    """Nothing remembered from the last search: typo and prefix caches would flatter the second run."""
    registry._vocabulary.forget()


def timed(
    work: Callable[[], object],
    before: Callable[[], None] = lambda: None,
    clock: Callable[[], float] = time.perf_counter,
) -> float:
    """Milliseconds, the best of five; one run is enough for what is slow anyway."""
    best = float("inf")
    for _ in range(_BEST_OF):
        before()
        started = clock()
        work()
        best = min(best, clock() - started)
        if best > _SLOW_S:
            break
    return best * 1000


def resident_mb() -> float:
    """Resident memory of this process."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024


def key_rows(loaded: Loaded, typed: list[Typed]) -> Iterator[Row]:
    """Every key of the queries as they are typed."""
    registry = loaded.open()
    first: list[float] = []
    warm: list[float] = []
    for query in typed:
        runs = [_typing(registry, query) for _ in range(_BEST_OF)]
        first += runs[0]
        warm += [min(same) for same in zip(*runs, strict=True)]
    registry.close()
    yield Row("key_p50_ms", percentile(warm, 0.5), "ms", 0.5)
    yield Row("key_p95_ms", percentile(warm, 0.95), "ms", 2)
    yield Row("key_p99_ms", percentile(warm, 0.99), "ms", 5)
    yield Row("key_first_p50_ms", percentile(first, 0.5), "ms")
    yield Row("key_first_p99_ms", percentile(first, 0.99), "ms")


def _typing(registry: Registry, query: Typed) -> list[float]:
    """Milliseconds of each key while one query is typed; what an earlier key taught the search may be used."""
    forget(registry)
    found: list[float] = []
    for text in keys([query]):
        started = time.perf_counter()
        registry.search(text)
        found.append((time.perf_counter() - started) * 1000)
    return found


def cold_rows(loaded: Loaded, typed: list[Typed]) -> Iterator[Row]:
    """A desk that has just started, in a process of its own, with the file in no cache."""
    with loaded.file.open("rb") as stream:
        os.fsync(stream.fileno())
        os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        found, added = process.submit(_cold, loaded.file, loaded.key, [query.text for query in typed]).result()
    yield Row("cold_p99_ms", percentile(found[:600], 0.99), "ms", 50)
    yield Row("rss_added_mb", added, "MB", 40)


def _cold(file: Path, key: bytes, texts: list[str]) -> tuple[list[float], float]:
    """Milliseconds of each key, and the resident memory that opening and searching added."""
    import sqlcipher3  # noqa: F401 - its code is the journal's as well

    before = resident_mb()
    registry = Registry.open(file, key, deadline_ms=0)
    found = [time_of for text in texts for time_of in _typing(registry, Typed(text, ""))]
    added = resident_mb() - before
    registry.close()
    return found, added


def recall(registry: Registry, asked: list[Typed]) -> float:
    """Share of the queries whose person is among the ten, in per cent."""
    hit = sum(one.enp in [hit.person.enp for hit in registry.search(one.text).hits] for one in asked)
    return 100 * hit / len(asked)


def recall_rows(loaded: Loaded, people: list[Person]) -> Iterator[Row]:
    """Queries that name surname, name and birth year."""
    registry = loaded.open()
    yield Row("recall_exact", recall(registry, named(people, slip=False)), "%", 99, least=True)
    yield Row("recall_slipped", recall(registry, named(people, slip=True)), "%", 95, least=True)
    registry.close()


def steps(connection: Any, work: Callable[[], object]) -> int:
    """How many steps of SQLite's virtual machine the work took: the rows and index entries it went through, whatever
    else the machine does."""
    taken = 0

    def count() -> int:
        nonlocal taken
        taken += _STEPS
        return 0

    connection.set_progress_handler(count, _STEPS)
    try:
        work()
    finally:
        connection.set_progress_handler(None, 0)
    return taken


def ratio_rows(
    loaded: Loaded,
    typed: list[Typed],
    peers: dict[str, tuple[Peer, float]],
    clock: Callable[[], float] = time.perf_counter,
) -> Iterator[Row]:
    """All engines on the same queries, in turn; ``clock`` in seconds."""
    registry = loaded.open()
    ours: list[float] = []
    theirs: dict[str, list[float]] = {name: [] for name in peers}
    for query in typed:
        ours.append(timed(lambda query=query: registry.search(query.text), lambda: forget(registry), clock=clock))  # type: ignore[misc]
        ready = parsed(query.text)
        for name, (peer, _) in peers.items():
            theirs[name].append(timed(lambda peer=peer, ready=ready: peer.search(ready), clock=clock))  # type: ignore[misc]
    registry.close()
    for name, (_, target) in peers.items():
        p99 = percentile(theirs[name], 0.99)
        yield Row(f"p99_ratio_{name}", p99 / percentile(ours, 0.99), "x", target, p99, least=True)


def like_row(loaded: Loaded, typed: list[Typed], file: Path) -> Row:
    """A scan is slow enough for a few queries to tell."""
    scan, registry = TextIndexes(file, like=True), loaded.open()
    theirs = [timed(lambda query=query: scan.search(parsed(query.text))) for query in typed]  # type: ignore[misc]
    ours = [timed(lambda query=query: registry.search(query.text)) for query in typed]  # type: ignore[misc]
    registry.close()
    peer = percentile(theirs, 0.5)
    return Row("p50_ratio_like", peer / percentile(ours, 0.5), "x", peer=peer)


def delta_rows(loaded: Loaded, people: list[Person], typed: list[Typed]) -> Iterator[Row]:
    """A day's changes while a desk searches: 3,000 people, every tenth with a surname never seen, and 300 new ones."""
    changed = [
        structs.replace(one, address=f"{one.address} стр. 1", surname=one.surname if place % 10 else f"{one.surname}а")
        for place, one in enumerate(people[:3000])
    ]
    fresh = [structs.replace(one, enp=f"00{one.enp[2:]}") for one in people[:300]]
    changes = [Change(one.enp, one) for one in (*changed, *fresh)]
    registry = loaded.open()
    as_of = registry.as_of
    registry.close()
    # The desk is a process of its own, as in life: in one process the two would wait for the same interpreter lock.
    with (
        tempfile.TemporaryDirectory(prefix="ot-bench-signs-") as signs,
        ProcessPoolExecutor(1, get_context("spawn")) as process,
    ):
        asking = process.submit(_asking, loaded.file, loaded.key, [query.text for query in typed], Path(signs))
        _wait_for(Path(signs, "begun"))
        started = time.perf_counter()
        apply(loaded.file, loaded.key, changes, as_of)
        seconds = time.perf_counter() - started
        Path(signs, "done").touch()
        seen = asking.result()
    yield Row("delta_s", seconds, "s", 10)
    yield Row("delta_key_p99_ms", percentile(seen, 0.99), "ms")


def _asking(file: Path, key: bytes, texts: list[str], signs: Path) -> list[float]:
    """Milliseconds of each key of a desk that searches until it is told that the delta is done."""
    registry = Registry.open(file, key, deadline_ms=0)
    found: list[float] = []
    for text in cycle(list(keys([Typed(text, "") for text in texts]))):
        started = time.perf_counter()
        registry.search(text)
        found.append((time.perf_counter() - started) * 1000)
        if len(found) == 1:
            Path(signs, "begun").touch()
        if Path(signs, "done").exists():
            break
    registry.close()
    return found


def _wait_for(sign: Path) -> None:
    while not sign.exists():
        time.sleep(0.01)


def ring_row(loaded: Loaded, people: list[Person]) -> Row:
    """The candidates of a ring: everybody who has the number, as the desk asks for them before it paints."""
    registry = loaded.open()
    numbers = [one.phone for one in people if one.phone][:500]
    found = [timed(lambda number=number: registry.by_phone(number)) for number in numbers]  # type: ignore[misc]
    registry.close()
    return Row("ring_p99_ms", percentile(found, 0.99), "ms", 100)


@contextmanager
def postgres() -> Iterator[Any]:
    """The server of the tests, with memory for millions; None where there is none."""
    from tests.peers.postgres import Postgres
    from tests.plugins.peers import postgresql_bin

    if postgresql_bin() is None:
        say("PostgreSQL is not here: its rows are left out")
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="ot-bench-pg-") as folder:
        server = Postgres(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()


def server_row(loaded: Loaded, typed: list[Typed], server: Any) -> Row:
    """The central server's search, its queries through the driver as in a request."""
    from central.registry.people import find
    from central.registry.publish import publish
    from central.store.database import Database
    from operator_tui.registry.asked import Asked

    say("the region goes to PostgreSQL")
    database = Database.postgres(server.fresh())
    publish(database.engine, "26", loaded.file, loaded.key)
    found = [
        timed(lambda text=text: find(database.engine, "26", Asked(1, line=text)))  # type: ignore[misc]
        for text in islice(keys(typed), 0, None, 7)
        if text.strip()
    ]
    database.close()
    return Row("server_p99_ms", percentile(found, 0.99), "ms", 10)


def growth_rows(folder: Path, sizes: Iterable[int], server: Any) -> Iterator[Row]:
    """How the figures grow with the number of people: the desk's own, and the central server's."""
    for people in sizes:
        loaded = load(folder, people)
        yield from grown_rows(loaded, people, queries(sample(loaded.csv, people, 160)), server)


def grown_rows(loaded: Loaded, people: int, typed: list[Typed], server: Any) -> Iterator[Row]:
    """One step of the table."""
    for row in key_rows(loaded, typed):
        if row.name.startswith("key_p"):
            yield Row(f"at_{people}_{row.name}", row.value, row.unit)
    yield Row(f"at_{people}_size_gb", loaded.megabytes / 1000, "GB")
    yield Row(f"at_{people}_load_s", loaded.seconds, "s")
    if server:
        yield Row(f"at_{people}_server_p99_ms", server_row(loaded, typed, server).value, "ms")


def cost_rows(loaded: Loaded) -> Iterator[Row]:
    """What each table, index and column costs in bytes a person: which to give up when the whole does not fit.

    SQLCipher's build has no dbstat: each is dropped from a copy, and the pages that come free are counted.
    """
    with tempfile.TemporaryDirectory(prefix="ot-bench-cost-") as scratch:
        copy = Path(scratch, "copy.db")
        shutil.copyfile(loaded.file.resolve(), copy)
        connection = connect(copy, loaded.key, read_only=False)
        run = connection.execute
        (people,) = run("SELECT count(*) FROM p").fetchone()
        (page,) = run("PRAGMA page_size").fetchone()
        columns = [name for _, name, *_ in run("PRAGMA table_info(p)").fetchall() if name != "id"]
        wide = ", ".join(f"total({_WIDTH.format(name)})" for name in columns)
        for name, size in zip(columns, run(f"SELECT {wide} FROM p").fetchone(), strict=True):
            yield Row(f"cost_column_{name}_bytes", size / people, "B/person")
        made = "SELECT type, name FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name"  # indexes first
        for kind, name in run(made).fetchall():
            (before,) = run("PRAGMA freelist_count").fetchone()
            run(f"DROP {kind} {name}")
            (after,) = run("PRAGMA freelist_count").fetchone()
            yield Row(f"cost_{kind}_{name}_bytes", (int(after) - int(before)) * int(page) / people, "B/person")
        connection.close()


# Bytes of an integer in a row (sqlite.org/fileformat2.html, section 2.1), without the byte that says how many.
_WIDTH = (
    "CASE WHEN {0} IS NULL OR {0} IN (0, 1) THEN 0 WHEN abs({0}) < 128 THEN 1 WHEN abs({0}) < 32768 THEN 2"
    " WHEN abs({0}) < 8388608 THEN 3 WHEN abs({0}) < 2147483648 THEN 4 WHEN abs({0}) < 140737488355328 THEN 6"
    " ELSE 8 END"
)


def measure(folder: Path, people: int, growth: Sequence[int]) -> Iterator[Row]:
    """All rows of one run."""
    loaded = load(folder, people)
    yield Row("load_s", loaded.seconds, "s", 180)
    yield Row("size_gb", loaded.megabytes / 1000, "GB", 1)
    chosen = sample(loaded.csv, people, 3300)
    typed = queries(chosen[::11])
    say("cold")
    yield from cold_rows(loaded, typed)
    say("keys")
    yield from key_rows(loaded, typed)
    yield ring_row(loaded, chosen)
    yield from recall_rows(loaded, chosen[:1000])
    say("the peers are built")
    base = folder / f"peers-{people}.db"
    if not base.exists():
        build_sqlite(loaded.csv, base)
    peers: dict[str, tuple[Peer, float]] = {"fts5": (Fts5(base), 10), "btree": (TextIndexes(base), 15)}
    with postgres() as server:
        if server:
            trigrams = Trigrams(server.fresh().replace("postgresql+psycopg", "postgresql"))
            trigrams.build(loaded.csv)
            peers["pg_trgm"] = (trigrams, 40)
        say("the peers are asked")
        yield from ratio_rows(loaded, typed, peers)
        yield like_row(loaded, typed[:12], base)
        if server:
            row = server_row(loaded, typed, server)
            yield row
            yield Row(f"at_{people}_server_p99_ms", row.value, "ms")
        say("a delta comes")
        yield from delta_rows(loaded, chosen, typed)
        yield from growth_rows(folder, growth, server)
    say("what costs what")
    yield from cost_rows(load(folder, growth[-1]) if growth and growth[-1] < people else loaded)


def keep(rows: list[Row], people: int) -> None:
    """Append the run to the file of results, with its commit."""
    commit = subprocess.run(
        ["git", "-C", str(RESULTS.parent.parent), "describe", "--always", "--dirty"], capture_output=True, text=True
    ).stdout.strip()
    RESULTS.parent.mkdir(exist_ok=True)
    fresh = not RESULTS.exists()
    day = time.strftime("%Y-%m-%d", time.gmtime())
    with RESULTS.open("a", encoding="utf-8") as stream:
        if fresh:
            stream.write("commit\tday\tpeople\tname\tvalue\tunit\ttarget\tpeer\tverdict\n")
        for row in rows:
            stream.write(f"{commit}\t{day}\t{people}\t{row}\n")


@click.command()
@click.option("--people", type=int, default=PEOPLE, show_default=True)
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), help="Keep the files here.")
@click.option("--growth", type=int, multiple=True, default=GROWTH, show_default=True, help="Sizes of the growth table.")
@click.option("--full", is_flag=True, help="Also at thirty million (some forty minutes more, 12 GB of memory).")
@click.option("--keep/--no-keep", "kept", default=True, help="Append the rows to bench/results/registry.tsv.")
def main(people: int, folder: Path | None, growth: tuple[int, ...], full: bool, kept: bool) -> None:
    """Print all rows; exit 1 when a target is not met."""
    with tempfile.TemporaryDirectory(prefix="ot-bench-") as scratch:
        place = folder or Path(scratch)
        place.mkdir(parents=True, exist_ok=True)
        rows: list[Row] = []
        print("name\tvalue\tunit\ttarget\tpeer\tverdict")
        for row in measure(place, people, (*growth, FULL) if full else growth):
            rows.append(row)
            print(row, flush=True)
    if kept:
        keep(rows, people)
    judged = [row for row in rows if row.target is not None]
    met = sum(row.met for row in judged)
    print(f"{met} of {len(judged)} targets met")
    sys.exit(0 if met == len(judged) else 1)


if __name__ == "__main__":
    main()
