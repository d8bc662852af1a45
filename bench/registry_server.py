"""The central server's search in PostgreSQL."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from bench.figures import Row, percentile, say
from bench.registry_keys import Loaded, timed
from bench.registry_queries import Typed, keys


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


def server_rows(loaded: Loaded, typed: list[Typed], server: Any, people: int) -> Iterator[Row]:
    """The central server's search, its queries through the driver as in a request; and one line of its growth table."""
    from central.registry.people import find
    from central.registry.publish import publish
    from central.store.database import Database
    from operator_tui.registry.asked import Asked

    say("the region goes to PostgreSQL")
    database = Database.postgres(server.fresh())
    started = time.perf_counter()
    publish(database.engine, "26", loaded.file, loaded.key)
    seconds = time.perf_counter() - started
    found = [
        timed(lambda text=text: find(database.engine, "26", Asked(1, line=text)))  # type: ignore[misc]
        for text in islice(keys(typed), 0, None, 7)
        if text.strip()
    ]
    database.close()
    yield Row("server_p99_ms", percentile(found, 0.99), "ms", 10)
    for share in (0.5, 0.95, 0.99):
        yield Row(f"at_{people}_server_p{share * 100:.0f}_ms", percentile(found, share), "ms")
    yield Row(f"at_{people}_server_publish_s", seconds, "s")
