"""The central server's search in PostgreSQL."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from bench.figures import Row, percentile, say
from bench.registry_keys import Loaded, timed
from bench.registry_queries import Typed, keys
from operator_tui.registry.records import Change

T = TypeVar("T")


@contextmanager
def postgres() -> Iterator[Any]:
    """The server of the tests; None where there is none."""
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


def server_rows(
    loaded: Loaded, typed: list[Typed], server: Any, people: int, changes: Sequence[Change] = ()
) -> Iterator[Row]:
    """The central server's search, its queries through the driver as in a request; and one line of its growth table.
    ``changes``: a day's, brought in at the end, to see what the next search costs.
    """
    from central.registry.delta import apply
    from central.registry.people import find
    from central.registry.publish import publish
    from central.store.database import Database
    from operator_tui.registry.asked import Asked

    say("the region goes to PostgreSQL")
    database = Database.postgres(server.fresh())
    started = time.perf_counter()
    publish(database.engine, "26", loaded.file, loaded.key)
    seconds = time.perf_counter() - started
    first, asked = _first(lambda: find(database.engine, "26", Asked(1, line="иванов")))
    found = [
        timed(lambda text=text: find(database.engine, "26", Asked(1, line=text)))  # type: ignore[misc]
        for text in islice(keys(typed), 0, None, 7)
        if text.strip()
    ]
    yield Row("server_p99_ms", percentile(found, 0.99), "ms", 10)
    for share in (0.5, 0.95, 0.99):
        yield Row(f"at_{people}_server_p{share * 100:.0f}_ms", percentile(found, share), "ms")
    yield Row(f"at_{people}_server_publish_s", seconds, "s")
    yield Row("server_first_search_ms", first, "ms")
    if changes:
        started = time.perf_counter()
        apply(database.engine, "26", changes, date.fromisoformat(asked.as_of))
        yield Row("server_delta_s", time.perf_counter() - started, "s")
        after, _ = _first(lambda: find(database.engine, "26", Asked(1, line="иванов")))
        yield Row("server_after_delta_ms", after, "ms")
    database.close()


def _first(work: Callable[[], T]) -> tuple[float, T]:
    """Milliseconds of one run, and what came of it."""
    started = time.perf_counter()
    made = work()
    return (time.perf_counter() - started) * 1000, made
