"""Several server processes over one PostgreSQL: what one takes, the desks of the others hear at once; a hint that is
lost costs time, never an event."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from central.app import create_app
from central.bus import Bus, Hint, _hints
from central.presence import Told
from central.store.database import Database
from operator_tui.appeals.draft import new_draft
from operator_tui.journal.journal import Journal
from operator_tui.sync.enrol import enrol
from operator_tui.sync.link import Link
from operator_tui.sync.settings import CentralSettings
from tests.peers.central import CentralServer
from tests.peers.postgres import Postgres
from tests.peers.serving import serving
from tests.sync.conftest import open_journal, until
from tests.sync.test_end_to_end import FIELDS, sending
from tests.sync.test_listening import House

__all__ = ["open_journal"]

OpenJournal = Callable[[str], Journal]


@pytest.mark.needs("postgresql")
async def test_two_processes_one_database(postgres: Postgres, open_journal: OpenJournal, tmp_path: Path) -> None:
    url = postgres.fresh()
    sockets = [tmp_path / "1.sock", tmp_path / "2.sock"]
    seen: list[str] = []
    with CentralServer(sockets[0], database=url) as first, CentralServer(sockets[1], database=url):
        links = [Link(CentralSettings(), socket=socket) for socket in sockets]
        one, two = open_journal("one"), open_journal("two")
        one.enrol(await enrol(links[0], first.enrolment_code("Петрова Анна")))
        two.enrol(await enrol(links[0], first.enrolment_code("Сидорова Вера", extension="2002")))
        async with (
            sending(one, links[0], poll_s=600) as sender,
            sending(two, links[1], cards=seen, poll_s=600) as listener,
        ):
            await until(lambda: listener.presence._leased)
            cards = []
            for _ in range(3):
                cards.append(one.save(new_draft(fields=FIELDS)).id)
                sender.kick()
                await until(lambda: seen == cards)
            listener.presence.watch(["2001"])
            sender.presence.tell("talking")
            await until(lambda: listener.presence.states == {"2001": "talking"})
            first.kill()
            first.start()
            cards.append(one.save(new_draft(fields=FIELDS)).id)
            sender.kick()
            await until(lambda: seen == cards)
        for link in links:
            await link.close()


@pytest.mark.needs("postgresql")
async def test_hints_that_are_lost_cost_time_alone(
    postgres: Postgres, open_journal: OpenJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def deaf(self: Bus) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Bus, "_listening", deaf)
    url = postgres.fresh()
    databases = [Database.postgres(url) for _ in range(2)]
    apps = [create_app(database) for database in databases]
    seen: list[str] = []
    async with (
        serving(apps[0], tmp_path / "1", hub=apps[0].state.hub),
        serving(apps[1], tmp_path / "2", hub=apps[1].state.hub),
    ):
        houses = [
            House(database, open_journal, tmp_path / name) for database, name in zip(databases, "12", strict=True)
        ]
        async with (
            houses[0].desk("one") as (one, sender, _),
            houses[1].desk("two", on_cards=seen.extend) as (_, two, _),
        ):
            await until(lambda: two.presence._leased)
            card = one.save(new_draft(fields=FIELDS))
            sender.kick()
            await until(lambda: seen == [card.id])


def test_hints_fit_what_postgresql_takes() -> None:
    told = [Told(f"device{n}", "26", "2001", "talking", "k7q2mx:12345") for n in range(400)]
    hints = list(_hints("me", [f"26/smo-{n}" for n in range(300)], told))
    assert max(len(hint.encode()) for hint in hints) < 8000

    found = [msgspec.json.decode(hint, type=Hint) for hint in hints]
    assert [one for hint in found for one in hint.p] == told
    assert sum(len(hint.g) for hint in found) == 300
