"""What a desk feels of the registry: each key, the first keys after a start, the ring, who is found."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from random import Random

from bench.figures import Row, percentile, resident_mb, say
from bench.registry_queries import SEED, Typed, keys, named
from operator_tui.letters import RUSSIAN_ALPHABET
from operator_tui.registry.index import Registry
from operator_tui.registry.people import Person

_BEST_OF, _SLOW_S = 5, 0.1
_FRAGMENTS = 2000


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
    csv, file = _places(folder, people)
    command = [str(Path(sys.executable).with_name("operator-tui")), "registry"]
    if not csv.exists():
        say(f"{people} people are made")
        making = [*command, "generate", "--people", str(people), "--csv", str(csv)]
        subprocess.run(making, check=True, stdout=sys.stderr)
    say(f"{people} people are loaded")
    started = time.perf_counter()
    subprocess.run([*command, "load", "--csv", str(csv), "--db", str(file)], check=True, stdout=sys.stderr)
    seconds = time.perf_counter() - started
    return _loaded(csv, file, seconds)


def loaded_before(folder: Path, people: int) -> Loaded | None:
    """What an earlier run left in the folder, if it did."""
    csv, file = _places(folder, people)
    return _loaded(csv, file, 0.0) if csv.exists() and file.exists() else None


def _places(folder: Path, people: int) -> tuple[Path, Path]:
    return folder / f"people-{people}.csv", folder / f"registry-{people}.db"


def _loaded(csv: Path, file: Path, seconds: float) -> Loaded:
    key = bytes.fromhex(file.with_name(file.name + ".key").read_text())
    return Loaded(csv, file, key, seconds, file.stat().st_size / 1e6)


def forget(registry: Registry) -> None:
    """Nothing remembered from the last search: caches of typos, prefixes and people would flatter the second run."""
    registry._vocabulary.forget()
    registry._people.forget_people()


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


def fragment_rows(loaded: Loaded) -> Iterator[Row]:
    """Two or three fragments of one to three letters, with the deadline that the desk has."""
    random = Random(SEED)
    registry = Registry.open(loaded.file, loaded.key)
    found: list[float] = []
    stopped = 0
    for _ in range(_FRAGMENTS):
        words = ("".join(random.choices(RUSSIAN_ALPHABET, k=random.randint(1, 3))) for _ in range(random.randint(2, 3)))
        forget(registry)
        started = time.perf_counter()
        stopped += registry.search(" ".join(words)).partial
        found.append((time.perf_counter() - started) * 1000)
    registry.close()
    yield Row("fragments_p99_ms", percentile(found, 0.99), "ms")
    yield Row("fragments_max_ms", max(found), "ms", 50)
    yield Row("fragments_stopped", 100 * stopped / _FRAGMENTS, "%")


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


def ring_row(loaded: Loaded, people: list[Person]) -> Row:
    """The candidates of a ring: everybody who has the number, as the desk asks for them before it paints."""
    registry = loaded.open()
    numbers = [one.phone for one in people if one.phone][:500]
    found = [timed(lambda number=number: registry.by_phone(number)) for number in numbers]  # type: ignore[misc]
    registry.close()
    return Row("ring_p99_ms", percentile(found, 0.99), "ms", 100)
