"""Attended transfer on a real Asterisk, driven by keys alone."""

from __future__ import annotations

import asyncio

import pytest

from tests.peers.asterisk import Asterisk
from tests.peers.phones import Phones
from tests.peers.pty import PtyDesk
from tests.peers.sipp import SippCall, SippCalls
from tests.whole.conftest import Until, Workplace

EXTENSION = "2001"
CALLER_HERTZ, COLLEAGUE_HERTZ = 1000, 700

pytestmark = pytest.mark.needs("asterisk", "sipp", "sound")


def set_up(place: Workplace, pbx: Asterisk) -> PtyDesk:
    line = pbx.line(EXTENSION)
    names = ("line", "server", "extension", "net_interface", "sip_port", "rtp_ports", "codecs", "sound")
    place.configure(phone={name: getattr(line, name) for name in names}, registry={"demo_people": 500})
    place.keep_secret("sip", pbx.secret(EXTENSION))
    desk = place.desk()
    desk.wait_text("Телефон: на связи")
    return desk


async def talking(place: Workplace, pbx: Asterisk, call: SippCalls) -> tuple[PtyDesk, SippCall]:
    desk = await asyncio.to_thread(set_up, place, pbx)
    await pbx.until("queue show oms-1", "Not in use")
    caller = call("+78652012345", "Иванов Иван", tone=CALLER_HERTZ)
    await asyncio.to_thread(desk.wait_text, "ВХОДЯЩИЙ ВЫЗОВ")
    desk.press("f2")
    await asyncio.to_thread(desk.wait_text, "РАЗГОВОР")
    return desk, caller


@pytest.mark.function("K-4.10", "K-5.1.8.2")
async def test_consult_and_join(
    workplace: Workplace, asterisk: Asterisk, sipp_call: SippCalls, phones: Phones, until: Until
) -> None:
    colleague = await phones.register("2003")
    desk, caller = await talking(workplace, asterisk, sipp_call)
    desk.press("alt+c")
    await asyncio.to_thread(desk.wait_text, "Посоветоваться с коллегой")
    desk.type("2003")
    desk.press("enter")
    await asyncio.to_thread(desk.wait_text, "НА УДЕРЖАНИИ")
    there = await colleague.rings()
    await there.answer(COLLEAGUE_HERTZ)
    await asyncio.to_thread(desk.wait_text, "РАЗГОВОР")
    desk.press("alt+j")
    await asyncio.to_thread(desk.wait_text, "Вызов переведён")
    assert await there.until_hears(CALLER_HERTZ)
    await asyncio.to_thread(until, lambda: caller.sound.hears(COLLEAGUE_HERTZ), "the colleague's tone at the caller")


async def test_a_colleague_who_refuses_leaves_the_caller_with_the_operator(
    workplace: Workplace, asterisk: Asterisk, sipp_call: SippCalls, phones: Phones
) -> None:
    colleague = await phones.register("2003")
    desk, caller = await talking(workplace, asterisk, sipp_call)
    desk.press("alt+c")
    await asyncio.to_thread(desk.wait_text, "Посоветоваться с коллегой")
    desk.type("2003")
    desk.press("enter")
    there = await colleague.rings()
    await asyncio.to_thread(desk.wait_text, "НА УДЕРЖАНИИ")
    await there.native.reject()
    await asyncio.to_thread(desk.wait_gone, "НА УДЕРЖАНИИ")
    await asyncio.to_thread(desk.wait_text, "РАЗГОВОР")
    assert not caller.over
