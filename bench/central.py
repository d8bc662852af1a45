"""The central server on PostgreSQL with fsync, under desks that send as fast as they are answered.

`python -m bench.central [--calls 15000] [--streams 1000]`: PostgreSQL in a scratch folder, the server as the product
starts it, and this process as the desks, one connection each; all of them share the machine. Prints `name value unit
target peer verdict`, tab-separated; exit 1 when one is short. The peer of single operations is a plain REST server
(`bench/central_peer.py`) under the same desks: one insert of one record for each request, no rules, no order, no
exactly-once.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import sqlalchemy as sa

from bench.central_desks import Desk, calls_of_a_day, enrolled, events_open, new_cards
from bench.central_peer import rest_server
from bench.figures import Row, say
from central.store.database import Database
from operator_tui.appeals.people import Operator, Role
from operator_tui.sync.protocol import EnrolAnswer
from tests.peers.central import CentralServer
from tests.peers.postgres import Postgres

DESKS = 8
SINGLE, BATCHES, BATCH = 1_600, 160, 100
DAY_CALLS, DAY_DESKS = 15_000, 75
STREAMS = 1_000


@dataclass(frozen=True)
class Server:
    """The running server: where it listens, its process, its database."""

    port: int
    pid: int
    database: Database


@contextmanager
def served() -> Iterator[tuple[Postgres, Callable[[], Server]]]:
    """PostgreSQL that keeps what it says it kept, and the way to a fresh server on it."""
    folder = Path(tempfile.mkdtemp(prefix="ot-bench-"))
    home = Path(tempfile.mkdtemp(prefix="ot-home-"))
    os.environ.update({f"XDG_{name}_HOME": str(home / name.lower()) for name in ("DATA", "CONFIG", "STATE", "CACHE")})
    os.environ["XDG_RUNTIME_DIR"] = str(home)
    postgres = Postgres(folder, durable=True)
    running: list[CentralServer] = []
    databases: list[Database] = []

    def fresh() -> Server:
        while running:
            running.pop().stop()
        url = postgres.fresh()
        server = CentralServer(None, database=url, arguments=("--port", "0"))
        server.start()
        running.append(server)
        databases.append(Database.postgres(url))
        return Server(int(server.address.rpartition(":")[2]), server.pid, databases[-1])

    try:
        postgres.start()
        yield postgres, fresh
    finally:
        while running:
            running.pop().stop()
        for database in databases:
            database.close()
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(home, ignore_errors=True)


async def rate(desks: Sequence[Desk], operations: int) -> float:
    """Operations a second while every desk sends all it has."""
    begin = time.perf_counter()
    await asyncio.gather(*(desk.send_all() for desk in desks))
    return operations / (time.perf_counter() - begin)


def plain_rest(port: int) -> float:
    made = new_cards(EnrolAnswer("peer", 0, "", "", Operator(0, "", Role.OPERATOR_1, "", "")), SINGLE // DESKS, 1)
    return asyncio.run(rate([Desk.plain(port, made) for _ in range(DESKS)], SINGLE))


def single(server: Server) -> float:
    desks = [Desk(server.port, one, new_cards(one, SINGLE // DESKS, 1)) for one in enrolled(server.database, DESKS)]
    return asyncio.run(rate(desks, SINGLE))


def batched(server: Server) -> float:
    each = BATCHES // DESKS * BATCH
    desks = [Desk(server.port, one, new_cards(one, each, BATCH)) for one in enrolled(server.database, DESKS)]
    return asyncio.run(rate(desks, BATCHES * BATCH))


def day(server: Server, calls: int) -> tuple[float, int, int]:
    """Seconds for a day's calls, operations in it, refused ones."""
    people = enrolled(server.database, DAY_DESKS)
    desks = [Desk(server.port, one, calls_of_a_day(one, calls // DAY_DESKS)) for one in people]
    total = sum(desk.operations for desk in desks)
    begin = time.perf_counter()
    asyncio.run(rate(desks, total))
    return time.perf_counter() - begin, total, sum(desk.refused for desk in desks)


def resident_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError(pid)


def stored_mb(server: Server) -> float:
    """What PostgreSQL keeps on disk, indexes included."""
    with server.database.read() as connection:
        return float(connection.execute(sa.text("SELECT pg_database_size(current_database())")).scalar_one()) / 1e6


def streams_mb(server: Server, count: int) -> float:
    """What the server's memory grows by for that many open event streams."""
    people = enrolled(server.database, count)

    async def hold() -> float:
        async with events_open(server.port, people[:1]):
            before = resident_mb(server.pid)
        async with events_open(server.port, people):
            return resident_mb(server.pid) - before

    return asyncio.run(hold())


@click.command(help=__doc__)
@click.option("--calls", default=DAY_CALLS, show_default=True)
@click.option("--streams", default=STREAMS, show_default=True)
def main(calls: int, streams: int) -> None:
    """Measure everything there is, the peer between our own runs."""
    rows: list[Row] = []

    def found(row: Row) -> None:
        rows.append(row)
        print(row, flush=True)

    with served() as (postgres, fresh):
        say("single operations")
        with rest_server(postgres.fresh()) as port:
            plain = plain_rest(port)
        found(Row("single_ops_s", single(fresh()), "1/s", 200, plain, least=True))
        say("batched operations")
        found(Row("batched_ops_s", batched(fresh()), "1/s", 2_000, plain, least=True))
        say(f"{streams} event streams")
        found(Row(f"sse_{streams}_mb", streams_mb(fresh(), streams), "MB", 64))
        say(f"a day of {calls} calls")
        server = fresh()
        empty = stored_mb(server)
        seconds, operations, refused = day(server, calls)
        found(Row(f"day_{calls}_s", seconds, "s", 600, operations / plain))
        found(Row("day_operations", operations, "operations"))
        found(Row("day_refused", refused, "operations", 0))
        found(Row("day_stored_mb", stored_mb(server) - empty, "MB"))
    met = sum(row.met for row in rows)
    print(f"{met} of {len(rows)} targets met")
    sys.exit(met < len(rows))


if __name__ == "__main__":
    main()
