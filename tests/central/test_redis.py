"""Several server processes tell each other by Redis; without it the counter row is the truth, and nothing is lost."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from central.app import create_app
from central.carriers import RedisAddress
from central.store.database import Database
from operator_tui.appeals.draft import new_draft
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.journal.journal import Journal
from operator_tui.sync.enrol import enrol
from operator_tui.sync.link import Link
from operator_tui.sync.settings import CentralSettings
from tests.peers.central import CentralServer
from tests.peers.postgres import Postgres
from tests.peers.redis import RedisServer
from tests.peers.serving import serving
from tests.sync.conftest import open_journal, until
from tests.sync.test_end_to_end import FIELDS, sending
from tests.sync.test_listening import House

__all__ = ["open_journal"]

OpenJournal = Callable[[str], Journal]
both = pytest.mark.needs("postgresql", "redis")


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path / "redis") as server:
        yield server


async def hints(socket: Path) -> dict[str, Any]:
    """What health says of them."""
    async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(uds=str(socket)), timeout=60) as client:
        answer = await client.get("http://central/v1/health")
    assert answer.status_code == 200, "the server takes work in any case"
    return dict(answer.json()["hints"])


@both
async def test_what_one_process_takes_the_desks_of_the_other_hear_by_redis(
    postgres: Postgres, redis: RedisServer, open_journal: OpenJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("central.bus.LOOK_S", 600)  # nobody looks: what is heard came by Redis
    url = postgres.fresh()
    address = RedisAddress(redis.url, redis.password)
    apps = [create_app(Database.postgres(url), redis=address) for _ in range(2)]
    database = Database.postgres(url)
    seen: list[str] = []
    async with (
        serving(apps[0], tmp_path / "1", hub=apps[0].state.hub),
        serving(apps[1], tmp_path / "2", hub=apps[1].state.hub),
    ):
        houses = [House(database, open_journal, tmp_path / name) for name in "12"]
        async with (
            houses[0].desk("one") as (one, sender, _),
            houses[1].desk("two", on_cards=seen.extend) as (_, two, _),
        ):
            await until(lambda: two.presence._leased)
            card = one.save(new_draft(fields=FIELDS))
            sender.kick()
            await until(lambda: seen == [card.id])
    database.close()


@contextlib.asynccontextmanager
async def two_processes(
    postgres: Postgres, redis: RedisServer, tmp_path: Path
) -> AsyncIterator[tuple[CentralServer, list[Path], list[Link]]]:
    url = postgres.fresh()
    given = ("--redis", redis.url, "--redis-password-file", str(redis.password_file))
    sockets = [tmp_path / "1.sock", tmp_path / "2.sock"]
    with (
        CentralServer(sockets[0], database=url, arguments=given) as first,
        CentralServer(sockets[1], database=url, arguments=given),
    ):
        links = [Link(CentralSettings(), socket=socket) for socket in sockets]
        yield first, sockets, links
        for link in links:
            await link.close()


@both
async def test_redis_is_killed_in_the_middle(
    postgres: Postgres, redis: RedisServer, open_journal: OpenJournal, tmp_path: Path
) -> None:
    seen: list[str] = []
    cards: list[str] = []
    async with two_processes(postgres, redis, tmp_path) as (first, sockets, links):
        one, two = open_journal("one"), open_journal("two")
        one.enrol(await enrol(links[0], first.enrolment_code("Петрова Анна")))
        two.enrol(await enrol(links[0], first.enrolment_code("Сидорова Вера", extension="2002")))

        async def all_say(up: bool) -> bool:
            return [await hints(socket) for socket in sockets] == [{"by": "redis", "up": up}] * 2

        async with (
            sending(one, links[0], poll_s=600) as sender,
            sending(two, links[1], cards=seen, poll_s=600) as listener,
        ):

            async def one_more() -> None:
                cards.append(one.save(new_draft(fields=FIELDS)).id)
                sender.kick()
                await until(lambda: seen == cards)

            await until(lambda: listener.presence._leased)
            await until(lambda: all_say(True))
            await one_more()
            listener.presence.watch(["2001"])
            sender.presence.tell("talking")
            await until(lambda: listener.presence.states == {"2001": "talking"})

            redis.kill()
            for _ in range(3):
                await one_more()
            await until(lambda: all_say(False))
            sender.presence.tell("ringing")

            redis.start()
            await until(lambda: all_say(True))
            await one_more()
            await until(lambda: listener.presence.states == {"2001": "ringing"})


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/", "redis://:secret@127.0.0.1/0", "redis://127.0.0.1/0?password=secret", "127.0.0.1:6379"]
)
def test_another_address_is_refused_and_a_password_stands_in_none(url: str) -> None:
    with pytest.raises(Refusal) as refused:
        RedisAddress(url)
    assert refused.value.code is Code.SETTING_WRONG
    assert "secret" not in str(refused.value.params)


def test_what_is_told_of_an_address_has_no_password() -> None:
    assert "secret-word" not in repr(RedisAddress("redis://cache:6379/0", "secret-word"))
