"""The power goes at any write: what was said to be saved is on the disk, nothing is half there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.sync_power import Trials

CUTS = 300


@pytest.fixture
def trials(tmp_path: Path) -> Iterator[Trials]:
    made = Trials(tmp_path)
    yield made
    made.close()


def test_a_finished_transaction_outlives_a_power_cut(trials: Trials) -> None:
    assert trials.commits > 20
    assert {trials.cut(seed) for seed in range(CUTS)} == {(False, False)}


def test_the_simulated_disk_loses_what_was_not_synced(trials: Trials) -> None:
    found = [trials.cut(seed, synchronous="NORMAL") for seed in range(60)]
    assert any(lost for lost, _ in found), "or the test above could not fail"
