"""Who was looked at is written once each, also when the disk was full the first time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import Kind
from operator_tui.desk.insured import InsuredDesk
from operator_tui.desk.state import DeskState
from operator_tui.journal.journal import Journal
from tests.journal.making import enrolled

FIRST, SECOND, LATER = "2656240885900014", "2647999718900051", "2667940818900034"


class FullOnce:
    """A journal whose disk has no room for one of the views, and has some again afterwards."""

    def __init__(self, journal: Journal, full_at: int) -> None:
        self._journal = journal
        self._left = full_at

    def record(self, *given: Any, **named: Any) -> Any:
        self._left -= 1
        if self._left == 0:
            raise Refusal(Code.DISK_FULL)
        return self._journal.record(*given, **named)


class Place:
    """As much of a desk as views are noted on."""

    def __init__(self, journal: FullOnce) -> None:
        self.state = DeskState()
        self.loop = asyncio.get_running_loop()
        self.parts = SimpleNamespace(journal=journal)

    async def on_journal(self, work: Callable[[Any], Any]) -> Any:
        return work(self.parts.journal)


def on_call(call: str) -> DeskState:
    return DeskState(call=SimpleNamespace(id=call))  # type: ignore[arg-type]  # as much of a call as is asked for


def views(journal: Journal) -> list[tuple[str, list[str]]]:
    """What was written: (call, people), in the order of writing."""
    found = [operation for operation in journal.outbox(100) if operation.k == Kind.PERSON_VIEWED]
    return [(operation.x["call"], operation.x["people"]) for operation in found]


@pytest.mark.parametrize("full_at", [1, 2])
async def test_views_that_found_no_room_are_written_with_the_next_and_each_once(tmp_path: Path, full_at: int) -> None:
    journal = enrolled(tmp_path)
    place = Place(FullOnce(journal, full_at))
    insured = InsuredDesk(place)  # type: ignore[arg-type]  # made up
    place.state = on_call("a")
    insured._note_views([FIRST])
    place.state = on_call("b")
    insured._note_views([SECOND])
    with pytest.raises(Refusal, match=Code.DISK_FULL.value):
        await insured.flush()
    assert len(views(journal)) == full_at - 1
    insured._note_views([LATER])
    await insured.flush()
    assert sorted(views(journal)) == [("a", [FIRST]), ("b", [SECOND, LATER])]
    await insured.flush()
    assert len(views(journal)) == 2, "nothing waits any more"
    journal.close()
