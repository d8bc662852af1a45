"""The bench of the registry on a small list: what it counts gates here, what it times is read on a quiet machine."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

import pytest

import bench.registry
from bench.figures import Row, percentile
from bench.registry import Run, growth_rows, keep
from bench.registry_cost import cost_rows
from bench.registry_delta import delta_rows
from bench.registry_keys import Loaded, cold_rows, forget, key_rows, load, recall_rows, ring_row
from bench.registry_painted import painted_row
from bench.registry_peers import Fts5, Peer, TextIndexes, build_sqlite, parsed
from bench.registry_queries import Typed, keys, queries, sample
from bench.registry_ratios import ratio_rows, steps
from bench.registry_transfer import transfer_rows
from operator_tui.registry.people import Person

PEOPLE = 60_000


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    return load(tmp_path_factory.mktemp("bench"), PEOPLE)


@pytest.fixture(scope="module")
def chosen(loaded: Loaded) -> list[Person]:
    return sample(loaded.csv, PEOPLE, 1000)


@pytest.fixture(scope="module")
def typed(chosen: list[Person]) -> list[Typed]:
    return queries(chosen[::9])


@pytest.fixture(scope="module")
def peers(loaded: Loaded) -> Path:
    file = loaded.file.with_name("peers.db")
    build_sqlite(loaded.csv, file)
    return file


def test_size_and_memory(loaded: Loaded, typed: list[Typed]) -> None:
    """350 bytes a person, so that three million fit one gigabyte."""
    assert loaded.megabytes * 1e6 / PEOPLE < 350
    rows = {row.name: row for row in cold_rows(loaded, typed)}
    assert rows["rss_added_mb"].met


def test_recall_of_the_issue(loaded: Loaded, chosen: list[Person]) -> None:
    rows = list(recall_rows(loaded, chosen))
    assert [row.name for row in rows] == ["recall_exact", "recall_slipped"]
    assert all(row.met for row in rows), rows


def test_a_key_costs_a_bounded_number_of_statements(loaded: Loaded, typed: list[Typed]) -> None:
    """Times depend on the machine; the work behind a key does not."""
    registry = loaded.open()
    statements: list[str] = []
    registry._connection.set_trace_callback(statements.append)
    counts: list[int] = []
    for text in keys(typed):
        statements.clear()
        registry.search(text)
        counts.append(len(statements))
    registry.close()
    counts.sort()
    assert counts[len(counts) // 2] <= 10
    assert counts[int(len(counts) * 0.99)] <= 30


def test_the_peers_find_what_they_should(loaded: Loaded, peers: Path, chosen: list[Person]) -> None:
    """A peer that finds nobody would be fast for nothing."""
    for engine in (TextIndexes(peers), Fts5(peers), TextIndexes(peers, like=True)):
        for one in chosen[:20]:
            found = engine.search(parsed(f"{one.surname} {one.name} {one.birth_date[:4]}"))
            numbers = {
                row[0] for row in TextIndexes(peers)._base.execute("SELECT id FROM people WHERE enp = ?", [one.enp])
            }
            assert numbers & set(found), type(engine)


def test_ours_goes_through_less_than_plain_peers(loaded: Loaded, peers: Path, typed: list[Typed]) -> None:
    """The gap grows with the people; what a search goes through is the same on a busy machine."""
    registry, indexes, scan = loaded.open(), TextIndexes(peers), TextIndexes(peers, like=True)
    ours: list[float] = []
    theirs: list[float] = []
    for query in typed:
        forget(registry)
        ready = parsed(query.text)
        ours.append(steps(registry._connection, lambda query=query: registry.search(query.text)))  # type: ignore[misc]
        theirs.append(steps(indexes._base, lambda ready=ready: indexes.search(ready)))  # type: ignore[misc]
    scanned = steps(scan._base, lambda: scan.search(parsed(typed[0].text)))
    registry.close()
    assert 0 < percentile(ours, 0.99) <= 6_000, "4,380 when this was written: no search looks at many people"
    assert percentile(theirs, 0.99) >= 10 * percentile(ours, 0.99), "13 times"
    assert scanned >= 500 * percentile(ours, 0.5), "774 times: a scan is counted, and is what it is"


def test_ours_costs_no_more_than_it_should_beside_full_text(loaded: Loaded, peers: Path, typed: list[Typed]) -> None:
    """FTS5 works inside one step of the machine, so it is the processor's time of this thread. At so few people it is
    the quicker one, by 0.65 when this was written."""
    asked: dict[str, tuple[Peer, float]] = {"fts5": (Fts5(peers), 10)}
    (row,) = ratio_rows(loaded, typed, asked, time.thread_time)
    assert row.value > 0.4


def test_a_days_delta_while_searching(loaded: Loaded, chosen: list[Person], typed: list[Typed]) -> None:
    rows = {row.name: row for row in delta_rows(loaded, chosen, typed)}
    assert rows["delta_s"].value > 0
    assert {row.name for row in key_rows(loaded, typed[:9])} >= {"key_p50_ms", "key_p95_ms", "key_p99_ms"}


def test_the_growth_table_says_what_each_size_costs(loaded: Loaded, tmp_path: Path, typed: list[Typed]) -> None:
    """``--full`` is this at thirty million."""
    names = [row.name for row in growth_rows(tmp_path, (2000, 4000), None)]
    assert names[:4] == ["at_2000_key_p50_ms", "at_2000_key_p95_ms", "at_2000_key_p99_ms", "at_2000_size_gb"]
    assert {"at_4000_key_p99_ms", "at_4000_load_s"} <= set(names)
    assert ring_row(loaded, sample(loaded.csv, PEOPLE, 300)).value > 0


def test_what_costs_what_adds_up(loaded: Loaded) -> None:
    people = loaded.open().size  # a delta before this may have brought some
    costs = {row.name: row.value for row in cost_rows(loaded)}
    whole = loaded.file.stat().st_size / PEOPLE
    parts = sum(value for name, value in costs.items() if not name.startswith("cost_column_"))
    assert 0.9 * whole < parts <= whole
    columns = sum(value for name, value in costs.items() if name.startswith("cost_column_"))
    assert 0.5 * costs["cost_table_p_bytes"] < columns < costs["cost_table_p_bytes"]
    assert loaded.open().size == people, "only a copy was taken apart"


def test_packages_go_over_a_line_that_drops(loaded: Loaded, chosen: list[Person]) -> None:
    """Quicker than in the bench; that a desk started anew goes on where it was is asserted within."""
    rows = {row.name: row.value for row in transfer_rows(loaded, chosen, PEOPLE, bits=4_000_000)}
    assert 0 < rows["transfer_delta_kb"] < 0.1 * rows["transfer_whole_mb"] * 1000
    assert rows["transfer_delta_resent_kb"] < 4_000 * 0.6 / 8, "what was on its way when the line dropped"
    assert rows["transfer_whole_mb"] < 0.3 * loaded.megabytes, "rows weigh less than an index"


def test_a_single_part_is_measured_alone(loaded: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench.registry, "painted_row", partial(painted_row, 2))
    run = Run(loaded.csv.parent, PEOPLE, (), None)
    assert [row.name for row in run.rows(("ring",))] == ["ring_p99_ms", "ring_painted_p99_ms"]
    assert run.loaded.seconds == 0, "what is loaded is taken as it is"


def test_a_run_is_kept_with_its_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench.registry, "RESULTS", tmp_path / "results" / "registry.tsv")
    for _ in range(2):
        keep([Row("load_s", 3, "s", 180)], 100)
    lines = (tmp_path / "results" / "registry.tsv").read_text(encoding="utf-8").splitlines()
    assert [line.split("\t")[2:5] for line in lines] == [["people", "name", "value"], *[["100", "load_s", "3"]] * 2]


def test_a_short_target_is_told() -> None:
    assert not Row("x", 3, "ms", 2).met
    assert not Row("x", 1, "%", 2, least=True).met
    assert str(Row("x", 3, "ms", 2)).split("\t") == ["x", "3", "ms", "<=2", "-", "short"]
