"""The PBX's queue through a real Asterisk's manager interface."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from operator_tui.phone.line import CallState, RegistrationState
from operator_tui.phone.remote import RemotePhone
from operator_tui.profiles import open_profile
from tests.peers.asterisk import Asterisk
from tests.peers.phones import Phones
from tests.peers.sipp import SippCalls
from tests.phone.conftest import Desk, until
from tests.phone.test_pbx import in_state, ringing
from tests.phone.test_routing import apply, ruled

pytestmark = [pytest.mark.needs("asterisk", "sipp", "sound")]


@pytest.fixture
async def desk(asterisk: Asterisk) -> AsyncIterator[Desk]:
    profile = open_profile("work")
    profile.make_folders()
    made = Desk(RemotePhone(profile))
    await made.phone.attach()
    config = asterisk.line("2001", ami_server=f"127.0.0.1:{asterisk.ami_port}")
    await made.phone.begin_work(config, asterisk.secret("2001"), ami_secret=asterisk.ami_secret)
    await until(lambda: made.snapshot.registration.state is RegistrationState.OK)
    await until(lambda: made.snapshot.queue.name == "oms-1")
    yield made
    if not made.phone.attached:
        await made.phone.attach()
    await made.phone.end_work()
    await made.phone.shut_down()
    await made.close()
    await until(lambda: not profile.phone_socket.exists())


async def test_pausing_follows_the_operator_and_the_figures_are_the_pbxs(
    desk: Desk, asterisk: Asterisk, sipp_call: SippCalls
) -> None:
    await desk.phone.set_ready(False)
    await asterisk.until("queue show oms-1", "paused")
    await until(lambda: desk.snapshot.queue.paused)
    began = time.time() * 1000
    first = sipp_call("+78652010001", "Первый", 0)
    await until(lambda: desk.snapshot.queue.waiting == 1)
    sipp_call("+78652010002", "Второй", 0)
    await until(lambda: desk.snapshot.queue.waiting == 2)
    longest = desk.snapshot.queue.longest_since_ms
    assert longest is not None
    assert 0 <= longest - began < 10_000, "since the first came"
    assert not desk.snapshot.calls, "a paused operator is not even asked"
    first.hang_up()
    await until(lambda: desk.snapshot.queue.waiting == 1)
    await desk.phone.set_ready(True)
    call = await ringing(desk)
    assert call.number == "+78652010002"
    assert call.queued_ms is not None
    await desk.phone.answer(call.id)
    await in_state(desk, call, CallState.TALKING)
    await until(lambda: desk.snapshot.queue.waiting == 0 and desk.snapshot.queue.longest_since_ms is None)
    assert not desk.snapshot.queue.paused


async def test_several_queues_of_one_operator_are_told_together(
    desk: Desk, asterisk: Asterisk, sipp_call: SippCalls
) -> None:
    usual = {"code": "oms-1", "title": "Линия", "order": "rrmemory"}
    kazakh = {"code": "oms-kk", "title": "Қазақ тілі", "order": "rrmemory", "language": "kk", "number": "1412"}
    apply(asterisk, ruled(usual, kazakh, directory={"2001": {"languages": "ru kk"}, "2002": {"languages": "ru kk"}}))
    await desk.phone.set_ready(False)
    for queue in ("oms-1", "oms-kk"):
        await asterisk.until(f"queue show {queue}", "(paused")
    sipp_call("+78652010001", "Первый", 0)
    sipp_call("+78652010002", "Екінші", 0, to="1412")
    await until(lambda: desk.snapshot.queue.waiting == 2)
    assert not desk.snapshot.calls
    await desk.phone.set_ready(True)
    assert (await ringing(desk)).queue in ("oms-1", "oms-kk")


async def test_a_pbx_that_goes_away_takes_the_figures_along_and_brings_them_back(
    desk: Desk, asterisk: Asterisk
) -> None:
    await desk.phone.set_ready(False)
    await until(lambda: desk.snapshot.queue.paused)
    await asyncio.to_thread(asterisk.stop)
    await until(lambda: not desk.snapshot.queue.name)
    await asyncio.to_thread(asterisk.start)
    await until(lambda: desk.snapshot.queue.name == "oms-1")
    await until(lambda: desk.snapshot.queue.paused)


@pytest.mark.function("K-3.8")
async def test_colleagues_are_seen_free_ringing_talking_and_away(
    desk: Desk, asterisk: Asterisk, phones: Phones
) -> None:
    colleague = await phones.register("2003")
    await until(lambda: desk.snapshot.colleagues.get("2003") == "free")
    dialled = await desk.phone.dial("2003")
    there = await colleague.rings()
    await until(lambda: desk.snapshot.colleagues["2003"] == "ringing")
    await there.answer(700)
    await until(lambda: desk.snapshot.colleagues["2003"] == "talking")
    await desk.phone.hang_up(dialled)
    await until(lambda: desk.snapshot.colleagues["2003"] == "free")
    assert desk.snapshot.colleagues["2005"] == "offline"
