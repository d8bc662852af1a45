"""A day's changes while a desk searches."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from itertools import cycle
from multiprocessing import get_context
from pathlib import Path

from msgspec import structs

from bench.figures import Row, percentile
from bench.registry_keys import Loaded
from bench.registry_queries import Typed, keys
from operator_tui.registry.delta import apply
from operator_tui.registry.index import Registry
from operator_tui.registry.people import Person
from operator_tui.registry.records import Change


def days_changes(people: list[Person]) -> list[Change]:
    """A day: 3,000 people changed, every tenth with a surname never seen, and 300 new ones."""
    changed = [
        structs.replace(one, address=f"{one.address} стр. 1", surname=one.surname if place % 10 else f"{one.surname}а")
        for place, one in enumerate(people[:3000])
    ]
    fresh = [structs.replace(one, enp=f"00{one.enp[2:]}") for one in people[:300]]
    return [Change(one.enp, one) for one in (*changed, *fresh)]


def delta_rows(loaded: Loaded, people: list[Person], typed: list[Typed]) -> Iterator[Row]:
    """On a copy: a delta that has come once would find nothing to do the next time."""
    changes = days_changes(people)
    registry = loaded.open()
    as_of = registry.as_of
    registry.close()
    with tempfile.TemporaryDirectory(prefix="ot-bench-delta-", dir=loaded.file.parent) as scratch:
        copy = Path(scratch, "registry.db")
        shutil.copyfile(loaded.file.resolve(), copy)
        seconds, seen = _applied(copy, loaded.key, changes, as_of, [query.text for query in typed])
    yield Row("delta_s", seconds, "s", 10)
    yield Row("delta_key_p99_ms", percentile(seen, 0.99), "ms")


def _applied(file: Path, key: bytes, changes: list[Change], as_of: date, texts: list[str]) -> tuple[float, list[float]]:
    """Seconds of the delta, and milliseconds of each key meanwhile."""
    # The desk is a process of its own, as in life: in one process the two would wait for the same interpreter lock.
    with (
        tempfile.TemporaryDirectory(prefix="ot-bench-signs-") as signs,
        ProcessPoolExecutor(1, get_context("spawn")) as process,
    ):
        asking = process.submit(_asking, file, key, texts, Path(signs))
        _wait_for(Path(signs, "begun"))
        started = time.perf_counter()
        apply(file, key, changes, as_of)
        seconds = time.perf_counter() - started
        Path(signs, "done").touch()
        return seconds, asking.result()


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
