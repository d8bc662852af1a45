"""Full collections wait for a pause of typing; a desk that ends leaves nothing of itself behind."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from operator_tui.tidying import Tidying


class Ring:
    """Dead only for the collector: it holds itself."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def collections() -> Iterator[list[int]]:
    """Which generations were collected."""
    seen: list[int] = []

    def note(phase: str, info: dict[str, Any]) -> None:
        if phase == "start":
            seen.append(int(info["generation"]))

    gc.callbacks.append(note)
    yield seen
    gc.callbacks.remove(note)


def work(objects: int) -> None:
    """As many objects as some keys leave behind, each alive until the collector has looked at it."""
    kept: list[list[Any]] = []
    for _ in range(objects):
        kept.append([kept[-1] if kept else None])


def test_no_full_collection_comes_while_he_types(collections: list[int]) -> None:
    with Tidying() as tidying:
        tidying.pause()
        collections.clear()
        work(200_000)
        assert collections.count(2) == 0
        assert collections.count(1) > 5


def test_in_a_pause_what_died_meanwhile_is_let_go(collections: list[int]) -> None:
    with Tidying() as tidying:
        tidying.pause()
        dead = weakref.ref(Ring())
        gc.collect(1)
        work(100_000)
        collections.clear()
        tidying.pause()
        assert collections == [2]
        assert dead() is None
        tidying.pause()
        assert collections == [2]  # nothing came since: nothing is looked through


def test_the_next_desk_finds_nothing_of_this_one() -> None:
    before = gc.get_threshold()
    with Tidying() as tidying:
        old = Ring()
        there = weakref.ref(old)
        tidying.pause()
        assert gc.get_freeze_count() > 0
        del old
    assert gc.get_threshold() == before
    gc.collect()
    assert there() is None
