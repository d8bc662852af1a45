"""Hearing of what others do: an open stream, a held request behind a proxy that buffers, a look where both fail."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from litestar import Litestar

from central.app import create_app
from central.backup import new_epoch
from central.devices import enrol as enrol_device
from central.devices import enrolment_code
from central.store import tables as t
from central.store.database import Database
from operator_tui.appeals.clock import ManualClock, SystemClock
from operator_tui.appeals.draft import new_draft
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.lifecycle import Act
from operator_tui.appeals.operations import Event
from operator_tui.appeals.people import Operator, Role
from operator_tui.journal.device import DeviceIdentity
from operator_tui.journal.journal import Journal
from operator_tui.sync import sender as sender_room
from operator_tui.sync.events import cursors_text, frames_event, read_cursors, read_frames, read_presence
from operator_tui.sync.link import Link
from operator_tui.sync.listening import Buffered, Listening, Way
from operator_tui.sync.presence import PresenceTeller
from operator_tui.sync.protocol import EVENTS_PATH, PRESENCE_PATH, SYNC_PATH, Head, PresenceRequest
from operator_tui.sync.sender import Sender, ServerLight
from operator_tui.sync.settings import CentralSettings
from tests.central.conftest import KEY
from tests.peers.serving import Asgi, buffering, serving
from tests.sync.conftest import run, until
from tests.sync.test_schedules import THEME

FIELDS = {"type": THEME.type.value, "theme": THEME.code, "phone": "+7 8652 000001"}
OpenJournal = Callable[[str], Journal]


class Counting(Link):
    """A link that counts what is asked."""

    def __init__(self, socket: Path) -> None:
        super().__init__(CentralSettings(), socket=socket)
        self.asked: list[str] = []

    @asynccontextmanager
    async def post(
        self, path: str, body: bytes, *, token: str = "", packed: bool = True
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        self.asked.append(path)
        async with super().post(path, body, token=token, packed=packed) as chunks:
            yield chunks


class House:
    """The server and its desks."""

    def __init__(self, database: Database, open_journal: OpenJournal, socket: Path) -> None:
        self.database = database
        self.socket = socket
        self._open_journal = open_journal

    def identity(self, name: str, role: Role = Role.OPERATOR_1, extension: str = "2001") -> DeviceIdentity:
        operator = Operator(user=0, name=name, role=role, extension=extension, organisation="26/tf")
        now = SystemClock().now_ms()
        answer = enrol_device(self.database, enrolment_code(self.database, operator, now), now)
        return DeviceIdentity(answer.device, answer.number, answer.token, answer.epoch, answer.operator)

    @asynccontextmanager
    async def desk(
        self, name: str, role: Role = Role.OPERATOR_1, extension: str = "2001", **more: Any
    ) -> AsyncIterator[tuple[Journal, Sender, Counting]]:
        journal = self._open_journal(name)
        journal.enrol(self.identity(name, role, extension))
        link = Counting(self.socket)
        sender = Sender(journal, link, run=run, clock=SystemClock(), **more)
        task = asyncio.create_task(sender.run())
        try:
            await until(lambda: sender.state.light is ServerLight.ON)
            yield journal, sender, link
        finally:
            await sender.stop()
            await asyncio.wait({task})
            await link.close()


@pytest.fixture
def made(tmp_path: Path) -> tuple[Litestar, Database]:
    database = Database.sqlite(tmp_path / "central.db", KEY)
    return create_app(database), database


@asynccontextmanager
async def open_house(
    made: tuple[Litestar, Database], open_journal: OpenJournal, tmp_path: Path, around: Callable[[Asgi], Asgi]
) -> AsyncIterator[House]:
    app, database = made
    async with serving(around(app), tmp_path / "s", hub=app.state.hub):
        yield House(database, open_journal, tmp_path / "s")


def plain(app: Asgi) -> Asgi:
    return app


async def test_a_forwarded_appeal_is_there_without_being_asked_for(
    made: tuple[Litestar, Database], open_journal: OpenJournal, tmp_path: Path
) -> None:
    seen: list[str] = []
    async with (
        open_house(made, open_journal, tmp_path, plain) as house,
        house.desk("one") as (one, sender, _),
        house.desk("two", Role.ADMINISTRATOR, on_cards=seen.extend) as (two, listener, link),
    ):
        await until(lambda: listener.presence._leased)
        before = list(link.asked)
        card = one.save(new_draft(fields=FIELDS))
        sender.kick()
        await until(lambda: seen == [card.id])
        assert two.device is not None
        forwarded = one.move(card.id, Act.FORWARD, {"operator": two.device.operator.user})
        sender.kick()
        await until(lambda: seen == [card.id, card.id])
        there = two.card(card.id)
        assert there is not None
        assert (there.rev, there.status, there.worker) == (forwarded.rev, forwarded.status, forwarded.worker)
        assert link.asked == before, "not one request of its own"
        assert listener._listening.way is Way.STREAM
        await until(lambda: one.cursors() == two.cursors())
        assert one.unsent() == 0


async def test_behind_a_proxy_that_buffers_requests_are_held(
    made: tuple[Litestar, Database], open_journal: OpenJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender_room, "_FIRST_S", 0.2)
    seen: list[str] = []
    async with (
        open_house(made, open_journal, tmp_path, lambda app: buffering(app, EVENTS_PATH)) as house,
        house.desk("one") as (one, sender, _),
        house.desk("two", poll_s=600, on_cards=seen.extend) as (_, listener, link),
    ):
        await until(lambda: listener._listening.way is Way.HELD)
        await until(lambda: link.asked.count(SYNC_PATH) >= 2)
        card = one.save(new_draft(fields=FIELDS))
        sender.kick()
        await until(lambda: seen == [card.id], within=20)  # by itself it would be answered after 25 s


async def test_ways_that_do_not_work_are_left_and_tried_again() -> None:
    clock = ManualClock()
    tried: list[str] = []

    async def streamed() -> int:
        tried.append("stream")
        raise Buffered

    async def held() -> int:
        tried.append("held")
        raise Refusal(Code.SERVER_AWAY)

    listening = Listening(streamed, held, best=Way.STREAM, wait_s=25, clock=clock)
    for _ in range(5):
        await listening.listen(0.0, asyncio.Event())
    assert tried == ["stream", "held", "held", "held"]
    assert listening.way is Way.LOOK
    clock.advance(601)
    await listening.listen(0.0, asyncio.Event())
    assert tried[-1] == "stream"


async def test_a_line_that_breaks_now_and_then_keeps_its_stream() -> None:
    clock = ManualClock()

    async def streamed() -> int:
        clock.advance(60)
        raise Refusal(Code.SERVER_AWAY)

    listening = Listening(streamed, streamed, best=Way.STREAM, wait_s=25, clock=clock)
    for _ in range(20):
        await listening.listen(0.0, asyncio.Event())
    assert listening.way is Way.STREAM


async def test_a_request_cancelled_from_inside_is_a_broken_line_and_no_end() -> None:
    async def streamed() -> int:
        raise asyncio.CancelledError

    listening = Listening(streamed, streamed, best=Way.STREAM, wait_s=25, clock=ManualClock())
    await listening.listen(0.0, asyncio.Event())
    assert listening.way is Way.STREAM


async def test_a_stream_that_ended_while_nobody_looked_lasted_as_long_as_it_did() -> None:
    """A minute's stream that breaks with the line is not one that works no more."""
    clock = ManualClock()
    ended = asyncio.Event()

    async def streamed() -> int:
        await ended.wait()
        clock.advance(60)
        raise Refusal(Code.SERVER_AWAY)

    listening = Listening(streamed, streamed, best=Way.STREAM, wait_s=25, clock=clock)
    for _ in range(5):
        ended.clear()
        kicked = asyncio.Event()
        asyncio.get_running_loop().call_soon(kicked.set)
        await listening.listen(0.0, kicked)
        ended.set()
        assert listening._task is not None
        await asyncio.wait({listening._task})
        await listening.listen(0.0, asyncio.Event())
    assert listening.way is Way.STREAM


async def test_an_exchange_cancelled_from_inside_ends_no_sender(
    made: tuple[Litestar, Database], open_journal: OpenJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_house(made, open_journal, tmp_path, plain) as house, house.desk("one") as (one, sender, _):
        real, broken = sender._asking.exchange, []

        async def once(*args: Any, **kwargs: Any) -> Any:
            if not broken:
                broken.append(True)
                raise asyncio.CancelledError
            return await real(*args, **kwargs)

        monkeypatch.setattr(sender._asking, "exchange", once)
        one.save(new_draft(fields=FIELDS))
        sender.kick()
        await until(lambda: one.unsent() == 0)
        assert broken


@pytest.mark.parametrize("mistake", [Refusal(Code.SERVER_AWAY), RuntimeError("ours"), asyncio.CancelledError()])
async def test_presence_that_did_not_arrive_is_told_again(
    mistake: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("operator_tui.sync.presence._RENEW_S", 0.01)
    told: list[str] = []

    async def send(asked: PresenceRequest) -> None:
        told.append(asked.s)
        if len(told) == 1:
            raise mistake

    teller = PresenceTeller(send, clock=ManualClock())
    teller.tell("talking")
    task = asyncio.create_task(teller.run(lambda: contextlib.nullcontext()))
    await until(lambda: len(told) > 1)
    task.cancel()
    await asyncio.wait({task})
    assert told[:2] == ["talking", "talking"]


async def test_an_older_server_has_no_stream() -> None:
    async def streamed() -> int:
        raise Refusal(Code.BAD_REQUEST, reason="http", status=404)

    listening = Listening(streamed, streamed, best=Way.STREAM, wait_s=25, clock=ManualClock())
    await listening.listen(0.0, asyncio.Event())
    assert listening.way is Way.HELD


async def test_a_stream_is_taken_up_where_it_was_and_any_reader_can_read_it(
    made: tuple[Litestar, Database], open_journal: OpenJournal, tmp_path: Path
) -> None:
    async with (
        open_house(made, open_journal, tmp_path, plain) as house,
        house.desk("one") as (one, sender, _),
        httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=str(house.socket)), base_url="http://localhost", timeout=60
        ) as client,
    ):
        for _ in range(7):
            one.save(new_draft(fields=FIELDS))
        sender.kick()
        await until(lambda: one.unsent() == 0)
        token = {"Authorization": f"Bearer {house.identity('Чтец').token}"}
        first = await _read(client, 2, {}, token)
        assert first[0].startswith('data:{"e":"')
        place = next(line for line in reversed(first) if line.startswith("id:"))
        assert read_cursors(place[3:]) == {"26/tf": 7}
        again = await _read(client, 1, {}, {**token, "Last-Event-ID": "26/tf:6"})
        assert sum('"q":' in line for line in again) == 1
        answer = await client.get(EVENTS_PATH, headers={**token, "Last-Event-ID": "nonsense"})
        assert answer.status_code == 400
        assert (await client.get(EVENTS_PATH)).status_code == 401
        assert (await client.put(PRESENCE_PATH, headers=token, json={"v": 1, "s": "asleep"})).status_code == 400
        assert (await client.get("/v1/dict/26001")).content
        assert (await client.get("/v1/dict/1")).status_code == 404


async def _read(client: httpx.AsyncClient, blocks: int, query: dict[str, str], headers: dict[str, str]) -> list[str]:
    """The lines of the first events."""
    lines: list[str] = []
    async with client.stream("GET", EVENTS_PATH, params=query, headers=headers) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        async for line in response.aiter_lines():
            lines.append(line)
            blocks -= line == ""
            if blocks <= 0:
                break
    return lines


async def test_who_may_no_longer_see_is_told_nothing_more(
    made: tuple[Litestar, Database], open_journal: OpenJournal, tmp_path: Path
) -> None:
    seen: list[str] = []
    async with (
        open_house(made, open_journal, tmp_path, plain) as house,
        house.desk("one") as (one, sender, _),
        house.desk("two", on_cards=seen.extend) as (two, listener, _),
    ):
        await until(lambda: listener.presence._leased)
        assert two.device is not None
        revoked = sa.update(t.device).where(t.device.c.id == two.device.code).values(revoked=True)
        house.database.write(lambda connection: connection.execute(revoked))
        one.save(new_draft(fields=FIELDS))
        sender.kick()
        await until(lambda: listener.state.light is ServerLight.TROUBLE)
        assert listener.state.refusal is not None
        assert listener.state.refusal.code is Code.TOKEN_INVALID
        assert seen == []


async def test_an_open_stream_notices_another_lineage(
    made: tuple[Litestar, Database], open_journal: OpenJournal, tmp_path: Path
) -> None:
    seen: list[str] = []
    async with (
        open_house(made, open_journal, tmp_path, plain) as house,
        house.desk("one", on_cards=seen.extend) as (one, sender, _),
    ):
        await until(lambda: sender.presence._leased)
        epoch = new_epoch(house.database)
        one.save(new_draft(fields=FIELDS))
        sender.kick()
        await until(lambda: one.unsent() == 0 and one.device is not None and one.device.epoch == epoch)
        await until(lambda: len(seen) == 1)


async def test_presence_goes_to_those_who_look(
    made: tuple[Litestar, Database], open_journal: OpenJournal, tmp_path: Path
) -> None:
    async with (
        open_house(made, open_journal, tmp_path, plain) as house,
        house.desk("two", extension="2002") as (_, other, _),
        house.desk("one") as (_, sender, _),
    ):
        other.presence.watch(["2001", "2009"])
        other.presence.tell("free", "k7q2mx:1")
        sender.presence.tell("talking", "k7q2mx:1")
        await until(lambda: other.presence.states == {"2001": "talking", "2009": "offline"})
        await until(lambda: other.presence.beside == ["2001"])


@pytest.mark.parametrize("dictionary", [False, True])
def test_frames_survive_the_form_of_the_stream(dictionary: bool) -> None:
    from operator_tui.sync.dictionary import current

    frames = [Head("e", 1, 2), Event(s="26/tf", q=1, k="card.new", op="a:1", by=1, at="0" * 16, x={"text": "строка\n"})]
    raw = frames_event(frames, {"26/tf": 1, "26/ref": 0}, current() if dictionary else None).decode()
    lines = [line for line in raw.splitlines() if line]
    data = "\n".join(line[5:] for line in lines if line.startswith("data:"))
    event = next((line[6:] for line in lines if line.startswith("event:")), "message")
    assert read_frames(event, data) == frames
    assert read_cursors(next(line[3:] for line in lines if line.startswith("id:"))) == {"26/tf": 1, "26/ref": 0}
    assert cursors_text({"26/tf": 1}) == "26/tf:1"
    assert read_frames("a newer kind", "?") == []


@pytest.mark.parametrize(("event", "data"), [("z", "%"), ("z", base64.b64encode(b"x").decode()), ("message", "{")])
def test_what_is_no_frame_is_refused(event: str, data: str) -> None:
    with pytest.raises(Refusal) as refused:
        read_frames(event, data)
    assert refused.value.code is Code.BAD_REQUEST
    with pytest.raises(Refusal) as refused:
        read_presence("[")
    assert refused.value.code is Code.BAD_REQUEST
