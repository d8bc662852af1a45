"""A journal, its sender and a server process, which is killed and comes back."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from central.store import tables as t
from central.store.database import Database
from operator_tui.appeals.catalogue import AppealType
from operator_tui.appeals.clock import SystemClock
from operator_tui.appeals.draft import new_draft
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.number import REGISTER
from operator_tui.appeals.operations import Kind
from operator_tui.journal.journal import Journal
from operator_tui.profiles import Profile
from operator_tui.reference import packaged_catalogue
from operator_tui.secrets import profile_secrets
from operator_tui.sync import embedded as embedded_room
from operator_tui.sync.embedded import DEMO_OPERATOR, EmbeddedServer
from operator_tui.sync.enrol import enrol
from operator_tui.sync.link import Link
from operator_tui.sync.sender import Sender, SenderState, ServerLight
from operator_tui.sync.settings import CentralSettings
from tests.peers.central import CentralServer
from tests.peers.programs import program
from tests.sync.conftest import run, until

THEME = packaged_catalogue().themes_of(AppealType.CONSULTATION)[0]
FIELDS = {"type": THEME.type.value, "theme": THEME.code, "phone": "+7 8652 000001"}
MOST_UNSENT = 100


@pytest.fixture(autouse=True)
def _no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A desk does not wait long for its own server, on the way up or at its end; a busy machine is given its time."""
    monkeypatch.setattr(embedded_room, "_READY_S", 300.0)
    monkeypatch.setattr(embedded_room, "_STOP_S", 120.0)


def stored(profile: Profile, url: str, table: sa.Table) -> list[sa.Row[tuple[object, ...]]]:
    """Rows of the server's database by their primary key, looked at beside it."""
    key = b"" if url else profile_secrets(profile).key("central", create=False)
    database = Database.postgres(url) if url else Database.sqlite(profile.central_file, key)
    try:
        with database.read() as connection:
            return list(connection.execute(sa.select(table).order_by(*table.primary_key.columns)))
    finally:
        database.close()


@asynccontextmanager
async def sending(
    journal: Journal,
    link: Link,
    told: list[SenderState] | None = None,
    cards: list[str] | None = None,
    poll_s: float = 0.1,
) -> AsyncIterator[Sender]:
    sender = Sender(
        journal,
        link,
        run=run,
        clock=SystemClock(),
        poll_s=poll_s,
        on_state=(told if told is not None else []).append,
        on_cards=(cards if cards is not None else []).extend,
    )
    task = asyncio.create_task(sender.run())
    try:
        yield sender
    finally:
        await sender.stop()
        assert task.cancelled()
        await link.close()


async def test_killed_between_answer_and_close_the_row_is_there_once(
    profile: Profile, url: str, server: CentralServer, open_journal: Callable[[str], Journal]
) -> None:
    journal = open_journal("one")
    link = Link(CentralSettings(), socket=profile.central_socket)
    journal.enrol(await enrol(link, server.enrolment_code("Петрова Анна")))
    told: list[SenderState] = []
    async with sending(journal, link, told) as sender:
        journal.record(Kind.CALL_ANSWERED, {"call": "c1"})
        sender.kick()
        await until(lambda: sender.state.light is ServerLight.ON and journal.unsent() == 0)
        server.kill()
        card = journal.save(new_draft(call="c1", fields=FIELDS))
        journal.record(Kind.CALL_ENDED, {"call": "c1", "by": "caller"})
        sender.kick()
        await until(lambda: sender.state.light is ServerLight.AWAY and sender.state.unsent == 2)
        assert sender.state.refusal is not None
        assert sender.state.refusal.code is Code.SERVER_AWAY
        shown = journal.card(card.id)
        assert shown is not None, "the operator sees his card all the time"
        server.start()
        sender.kick()
        await until(lambda: sender.state.light is ServerLight.ON and journal.unsent() == 0)
        server.kill()
        server.start()
        await until(lambda: sender.state.light is ServerLight.ON)
    server.stop()
    assert [row.id for row in stored(profile, url, t.card)] == [card.id]
    assert [row.n for row in stored(profile, url, t.op_log)] == [1, 2, 3]
    assert [state.light for state in told][:1] == [ServerLight.ON]
    assert told[-1].unsent == 0


def _sent(sender: Sender, cards: list[str], enough: int) -> bool:
    return sender.state.light is ServerLight.ON and len(cards) > enough


async def test_killed_again_and_again_while_the_desk_sends(
    profile: Profile, url: str, server: CentralServer, open_journal: Callable[[str], Journal]
) -> None:
    journal = open_journal("one")
    link = Link(CentralSettings(), socket=profile.central_socket)
    journal.enrol(await enrol(link, server.enrolment_code("Петрова Анна")))
    cards: list[str] = []
    enough_done = asyncio.Event()

    async def work() -> None:
        while not enough_done.is_set():
            # No more than a server that is long on its way up is done with when it is there.
            if await run(journal.unsent) < MOST_UNSENT:
                cards.append((await run(journal.save, new_draft(fields=FIELDS))).id)
            sender.kick()
            await asyncio.sleep(0.005)

    async with sending(journal, link) as sender:
        working = asyncio.create_task(work())
        for _ in range(4):
            enough = len(cards) + 5
            await until(partial(_sent, sender, cards, enough))
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)
        enough_done.set()
        await working
        sender.kick()
        await until(lambda: sender.state.light is ServerLight.ON and journal.unsent() == 0)
    server.stop()
    assert sorted(row.id for row in stored(profile, url, t.card)) == sorted(cards)
    assert sorted(row.n for row in stored(profile, url, t.op_log)) == list(range(1, len(cards) + 1))


async def test_what_one_desk_saves_the_other_shows(
    profile: Profile, server: CentralServer, open_journal: Callable[[str], Journal]
) -> None:
    one, other = open_journal("one"), open_journal("other")
    links = [Link(CentralSettings(), socket=profile.central_socket) for _ in range(2)]
    one.enrol(await enrol(links[0], server.enrolment_code("Петрова Анна")))
    other.enrol(await enrol(links[1], server.enrolment_code("Сидорова Вера")))
    seen: list[str] = []
    async with sending(one, links[0]) as sender, sending(other, links[1], cards=seen):
        card = one.save(new_draft(fields=FIELDS))
        sender.kick()
        await until(lambda: seen == [card.id])
        # The stream may be faster than the answer to who saved: the fund's number comes to him with his own event.
        await until(lambda: _registered(one, card.id))
        assert other.card(card.id) == one.card(card.id)


def _registered(journal: Journal, card_id: str) -> bool:
    card = journal.card(card_id)
    return card is not None and REGISTER in card.fields


async def test_a_desk_that_listens_hears_at_once_and_sends_meanwhile(
    profile: Profile, server: CentralServer, open_journal: Callable[[str], Journal]
) -> None:
    one, other = open_journal("one"), open_journal("other")
    links = [Link(CentralSettings(), socket=profile.central_socket) for _ in range(2)]
    one.enrol(await enrol(links[0], server.enrolment_code("Петрова Анна")))
    other.enrol(await enrol(links[1], server.enrolment_code("Сидорова Вера")))
    seen: list[str] = []
    async with (
        sending(one, links[0], poll_s=600) as sender,
        sending(other, links[1], cards=seen, poll_s=600) as listener,
    ):
        await until(lambda: listener.state.light is ServerLight.ON)
        card = one.save(new_draft(fields=FIELDS))
        sender.kick()
        await until(lambda: seen == [card.id])
        other.record(Kind.SHIFT_BEGUN, {})
        listener.kick()
        await until(lambda: other.unsent() == 0)
        second = one.save(new_draft(fields=FIELDS))
        sender.kick()
        await until(lambda: seen == [card.id, second.id])
        server.kill()
        await until(lambda: listener.state.light is ServerLight.AWAY)


async def test_a_used_code_and_an_unknown_token(
    profile: Profile, server: CentralServer, open_journal: Callable[[str], Journal]
) -> None:
    journal = open_journal("one")
    link = Link(CentralSettings(), socket=profile.central_socket)
    code = server.enrolment_code("Петрова Анна")
    identity = await enrol(link, code)
    with pytest.raises(Refusal) as refused:
        await enrol(link, code)
    assert refused.value.code is Code.ENROLMENT_CODE
    journal.enrol(type(identity)(identity.code, identity.number, "wrong", identity.epoch, identity.operator))
    async with sending(journal, link) as sender:
        await until(lambda: sender.state.light is ServerLight.TROUBLE)
        assert sender.state.refusal is not None
        assert sender.state.refusal.code is Code.TOKEN_INVALID


async def test_the_embedded_server_comes_with_the_desk_and_goes_with_it(
    profile: Profile, open_journal: Callable[[str], Journal]
) -> None:
    embedded = await EmbeddedServer.start(profile, bytes(32))
    journal = open_journal("one")
    link = Link(CentralSettings(), socket=embedded.socket)
    journal.enrol(await enrol(link, embedded.enrolment_code))
    assert journal.device is not None
    assert journal.device.operator.name == DEMO_OPERATOR.name
    assert profile.central_socket.stat().st_mode & 0o777 == 0o600
    assert profile.central_file.stat().st_mode & 0o777 == 0o600
    async with sending(journal, link) as sender:
        journal.save(new_draft(fields=FIELDS))
        sender.kick()
        await until(lambda: sender.state.light is ServerLight.ON and journal.unsent() == 0)
        first = embedded.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        journal.save(new_draft(fields=FIELDS))
        sender.kick()
        await until(lambda: embedded.pid not in (None, first))
        await until(lambda: sender.state.light is ServerLight.ON and journal.unsent() == 0)
    process = embedded._process
    assert process is not None
    await embedded.stop()
    assert process.returncode == 0, "by itself, not killed"
    assert embedded.pid is None


async def test_an_embedded_server_on_its_way_up_is_not_waited_for(
    profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: asyncio.Queue[asyncio.subprocess.Process] = asyncio.Queue()
    begin = asyncio.create_subprocess_exec

    async def stopped(*command: str, **how: Any) -> asyncio.subprocess.Process:
        process = await begin(*command, **how)
        process.send_signal(signal.SIGSTOP)  # for good on its way up
        begun.put_nowait(process)
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", stopped)
    starting = asyncio.create_task(EmbeddedServer.start(profile, bytes(32)))
    process = await begun.get()
    starting.cancel()
    for _ in range(10):  # what the cancelling does to the process is done
        await asyncio.sleep(0)
    process.send_signal(signal.SIGCONT)
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert process.returncode == -signal.SIGTERM


async def test_the_embedded_server_dies_with_a_killed_desk(profile: Profile) -> None:
    async with program(sys.executable, "-c", _A_DESK, stdout=asyncio.subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(await parent.stdout.readline())
    await until(lambda: _ended(pid))
    again = await EmbeddedServer.start(profile, bytes(32))
    assert again.enrolment_code
    await again.stop()


async def test_an_embedded_server_that_cannot_start_says_why(profile: Profile) -> None:
    first = await EmbeddedServer.start(profile, bytes(32))
    await first.stop()
    with pytest.raises(Refusal) as refused:
        await EmbeddedServer.start(profile, bytes(31) + b"x")
    assert refused.value.code is Code.DATABASE_KEY_WRONG
    with pytest.raises(Refusal) as refused:
        await EmbeddedServer.start(profile, b"short")
    assert refused.value.code is Code.CENTRAL_FAILED
    again = await EmbeddedServer.start(profile, bytes(32))
    await again.stop()


_A_DESK = """
import asyncio
from operator_tui.profiles import open_profile
from operator_tui.sync.embedded import EmbeddedServer

async def main():
    server = await EmbeddedServer.start(open_profile("demo"), bytes(32))
    print(server.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def _ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True
