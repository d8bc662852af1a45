"""A whole queue approved by one key: by hundreds, so that what else is asked of the journal comes between them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from operator_tui.appeals.card import Status
from operator_tui.appeals.lifecycle import Act
from operator_tui.appeals.people import Role
from operator_tui.desk.appeals import AppealDesk
from operator_tui.journal.journal import Journal
from operator_tui.journal.sieve import Order, Sieve
from tests.journal.making import Server, appeal, enrolled, identity

QUEUE = Sieve(statuses=(Status.IN_REVIEW,), order=Order.DUE)
MANY = 250


class Place:
    """As much of a desk as approving takes: a journal on a thread of its own."""

    def __init__(self, journal: Journal) -> None:
        self.said: list[str] = []
        self.parts = SimpleNamespace(kick=lambda: None)
        self._journal = journal
        self._thread = ThreadPoolExecutor(1)

    async def on_journal(self, work: Callable[[Journal], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, self._journal)

    def notice(self, text: str) -> None:
        self.said.append(text)

    async def refresh_journal(self) -> None:
        pass


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Journal]:
    """Appeals that somebody else has closed; one of them the administrator himself."""
    journal, server = enrolled(tmp_path), Server()
    for _ in range(MANY - 1):
        journal.save_and_close(appeal(comment="Дан ответ"), {"result": "R02", "comment": "Дан ответ"})
    while journal.outbox(1):
        server.answer(journal)
    journal.enrol(identity(user=3001, role=Role.ADMINISTRATOR))
    own = journal.save(appeal(comment="Дан ответ"))
    journal.move(own.id, Act.CLOSE, {"result": "R02", "comment": "Дан ответ"})
    yield journal
    journal.close()


async def test_another_job_of_the_journal_has_its_turn_between_two_hundreds(queue: Journal) -> None:
    place = Place(queue)
    appeals = AppealDesk(place)  # type: ignore[arg-type]  # made up
    seen = [card.id for card in queue.page(QUEUE, MANY + 1, 0)]
    assert len(seen) == MANY
    approving = asyncio.create_task(appeals.approve_all(QUEUE, seen))
    await asyncio.sleep(0)  # the first hundred is with the journal, and this comes behind it
    between = await place.on_journal(lambda journal: journal.counts()[Status.CLOSED])
    assert 0 < between <= 100
    assert await approving == (MANY - 1, 1), "one's own is not approved"
    assert queue.counts()[Status.CLOSED] == MANY - 1
    assert queue.counts()[Status.IN_REVIEW] == 1
    assert [text.split()[1] for text in place.said] == ["100", "200", "250"]
