"""The registry of insured people against its targets, with its peers in the same run.

`python -m bench.registry [--people N] [--folder DIR] [--only PART]… [--full] [--no-keep]`: makes a list of people,
loads it with the product's own command, and asks what operators type. Prints `name value unit target peer verdict`, by
tabs, and `N of M targets met`; exit 1 when one is short. Figures of a search are the best of five with nothing
remembered from the last one, ours and the peers' in turn, so that other work on the machine hits all alike;
`key_first_p99_ms` is the first run of each key, as it comes. `--folder` keeps the files for the next run; `--only`
measures single parts (a list that is loaded in the folder is taken as it is, unless the part is `load`).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import Any

import click

from bench.figures import Row, say
from bench.registry_cost import cost_rows
from bench.registry_delta import days_changes, delta_rows
from bench.registry_keys import Loaded, cold_rows, fragment_rows, key_rows, load, loaded_before, recall_rows, ring_row
from bench.registry_painted import painted_row
from bench.registry_peers import Fts5, Peer, TextIndexes, Trigrams, build_sqlite
from bench.registry_queries import Typed, queries, sample
from bench.registry_ratios import like_row, ratio_rows
from bench.registry_server import postgres, server_rows
from bench.registry_transfer import transfer_rows
from operator_tui.registry.people import Person

PEOPLE = 3_000_000
GROWTH = (30_000, 300_000)
FULL = 30_000_000
RESULTS = Path(__file__).with_name("results") / "registry.tsv"
_ON_SERVER = frozenset({"peers", "server", "growth"})
PARTS = ("load", "cold", "keys", "ring", "recall", "peers", "server", "delta", "transfer", "growth", "cost")


class Run:
    """One run: the list, what is asked of it, and the server of the tests; each made when a part wants it."""

    def __init__(self, folder: Path, people: int, growth: Sequence[int], server: Any) -> None:
        self.folder = folder
        self.people = people
        self.growth = growth
        self.server = server

    @cached_property
    def loaded(self) -> Loaded:
        return loaded_before(self.folder, self.people) or load(self.folder, self.people)

    @cached_property
    def chosen(self) -> list[Person]:
        return sample(self.loaded.csv, self.people, 3300)

    @cached_property
    def typed(self) -> list[Typed]:
        return queries(self.chosen[::11])

    def load(self) -> Iterator[Row]:
        self.loaded = load(self.folder, self.people)
        yield Row("load_s", self.loaded.seconds, "s", 180)
        yield Row("size_gb", self.loaded.megabytes / 1000, "GB", 1)

    def cold(self) -> Iterator[Row]:
        yield from cold_rows(self.loaded, self.typed)

    def keys(self) -> Iterator[Row]:
        yield from key_rows(self.loaded, self.typed)
        yield from fragment_rows(self.loaded)

    def ring(self) -> Iterator[Row]:
        yield ring_row(self.loaded, self.chosen)
        yield painted_row()

    def recall(self) -> Iterator[Row]:
        yield from recall_rows(self.loaded, self.chosen[:1000])

    def peers(self) -> Iterator[Row]:
        base = self.folder / f"peers-{self.people}.db"
        if not base.exists():
            build_sqlite(self.loaded.csv, base)
        peers: dict[str, tuple[Peer, float]] = {"fts5": (Fts5(base), 10), "btree": (TextIndexes(base), 15)}
        if self.server:
            trigrams = Trigrams(self.server.fresh().replace("postgresql+psycopg", "postgresql"))
            trigrams.build(self.loaded.csv)
            peers["pg_trgm"] = (trigrams, 40)
        say("the peers are asked")
        yield from ratio_rows(self.loaded, self.typed, peers)
        yield like_row(self.loaded, self.typed[:12], base)

    def server_search(self) -> Iterator[Row]:
        if self.server:
            yield from server_rows(self.loaded, self.typed, self.server, self.people, days_changes(self.chosen))

    def delta(self) -> Iterator[Row]:
        yield from delta_rows(self.loaded, self.chosen, self.typed)

    def transfer(self) -> Iterator[Row]:
        yield from transfer_rows(self.loaded, self.chosen, self.people)

    def grown(self) -> Iterator[Row]:
        yield from growth_rows(self.folder, self.growth, self.server)

    def cost(self) -> Iterator[Row]:
        smaller = self.growth[-1] if self.growth and self.growth[-1] < self.people else 0
        yield from cost_rows(
            loaded_before(self.folder, smaller) or load(self.folder, smaller) if smaller else self.loaded
        )

    def rows(self, parts: Collection[str]) -> Iterator[Row]:
        """The rows of these parts, in the order of PARTS."""
        made = dict(zip(PARTS, (
            self.load, self.cold, self.keys, self.ring, self.recall, self.peers, self.server_search, self.delta,
            self.transfer, self.grown, self.cost,
        ), strict=True))  # fmt: skip
        for part in PARTS:
            if part in parts:
                say(part)
                yield from made[part]()


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
        yield from (row for row in server_rows(loaded, typed, server, people) if row.name.startswith("at_"))


@contextmanager
def place(folder: Path | None) -> Iterator[Path]:
    """The folder of the files: the one given, or one that goes with the run."""
    with tempfile.TemporaryDirectory(prefix="ot-bench-") as scratch:
        chosen = folder or Path(scratch)
        chosen.mkdir(parents=True, exist_ok=True)
        yield chosen


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
@click.option("--only", type=click.Choice(PARTS), multiple=True, help="Only these parts.")
@click.option("--growth", type=int, multiple=True, default=GROWTH, show_default=True, help="Sizes of the growth table.")
@click.option("--full", is_flag=True, help="Also at thirty million (some forty minutes more, 12 GB of memory).")
@click.option("--keep/--no-keep", "kept", default=True, help="Append the rows to bench/results/registry.tsv.")
def main(
    people: int, folder: Path | None, only: tuple[str, ...], growth: tuple[int, ...], full: bool, kept: bool
) -> None:
    """Print all rows; exit 1 when a target is not met."""
    rows: list[Row] = []
    print("name\tvalue\tunit\ttarget\tpeer\tverdict")
    parts = only or PARTS
    with place(folder) as files, nullcontext() if _ON_SERVER.isdisjoint(parts) else postgres() as server:
        for row in Run(files, people, (*growth, FULL) if full else growth, server).rows(parts):
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
