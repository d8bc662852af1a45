"""The registry's search beside its peers, on the same queries in the same run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.figures import Row, percentile
from bench.registry_keys import Loaded, forget, timed
from bench.registry_peers import Peer, TextIndexes, parsed
from bench.registry_queries import Typed

_STEPS = 20  # of the virtual machine, between two looks at how many they are


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
