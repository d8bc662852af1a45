"""A journal of its own for every test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from operator_tui.appeals.clock import ManualClock
from operator_tui.journal.journal import Journal
from tests.journal.making import Server, enrolled


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def journal(tmp_path: Path, clock: ManualClock) -> Iterator[Journal]:
    """An enrolled journal of an operator of level 1."""
    opened = enrolled(tmp_path, clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def colleague(tmp_path: Path, clock: ManualClock) -> Iterator[Journal]:
    """Another operator's journal of the same organisation."""
    folder = tmp_path / "colleague"
    folder.mkdir()
    opened = enrolled(folder, clock=clock, code="zzzzzz", user=1945, number=13)
    yield opened
    opened.close()


@pytest.fixture
def server() -> Server:
    return Server()
