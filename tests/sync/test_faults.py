"""The fault simulator as a test: no schedule loses anything, and a fault seeded into the product is found."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from bench.sync_faults import hunt, play, players, prepared
from bench.sync_judging import Found
from bench.sync_mutants import MUTANTS

# Two thousand where the whole check runs; JOBS processes share them.
SCHEDULES = 2000 if os.environ.get("CI") == "true" else 120
PART = 500
JOBS = min(4, len(os.sched_getaffinity(0)))  # a container may see many more processors than it has
Played = Callable[[Iterable[int]], Iterator[tuple[int, Found]]]


@pytest.fixture(scope="module")
def template() -> Iterator[Path]:
    with prepared() as path:
        yield path


@pytest.fixture(scope="module")
def played(template: Path) -> Iterator[Played]:
    with players(template, JOBS) as processes:
        yield processes


@pytest.mark.timeout(900)  # schedules count, not how busy the machine is
@pytest.mark.parametrize("first", range(0, SCHEDULES, PART))
def test_nothing_is_lost_doubled_diverged_or_stalled(played: Played, first: int) -> None:
    seeds = range(first, first + min(PART, SCHEDULES))
    wrong = {seed: found.wrong for seed, found in played(seeds) if found.wrong}
    assert wrong == {}


def test_a_schedule_is_its_seed(template: Path) -> None:
    assert play(7, template) == play(7, template)


def test_the_simulator_finds_a_fault(template: Path) -> None:
    with MUTANTS[0].alive():
        assert hunt(template, 0, 60)
    assert not hunt(template, 0, 2), "and the product is whole again"
