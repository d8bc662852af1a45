"""The telephone against a real Asterisk 22: engine process, SIP line, queue, callers by SIPp."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from operator_tui.phone.line import Call, CallState, RegistrationState
from operator_tui.phone.remote import RemotePhone
from operator_tui.profiles import open_profile
from tests.peers.asterisk import GREETING_HERTZ, MUSIC_HERTZ, Asterisk
from tests.peers.phones import Phones
from tests.peers.pipewire import SoundCard
from tests.peers.sipp import SippCalls
from tests.phone.conftest import Desk, engines, until
from tests.timing import tell_if_slow

pytestmark = [pytest.mark.needs("asterisk", "sipp", "sound")]

NUMBER, NAME = "+78652012345", "Иванов Иван"
OPERATOR_HERTZ, CALLER_HERTZ, COLLEAGUE_HERTZ = 440, 1000, 700


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    """A desk with an engine process of its own."""
    profile = open_profile("work")
    profile.make_folders()
    made = Desk(RemotePhone(profile))
    await made.phone.attach()
    yield made
    if not made.phone.attached:
        await made.phone.attach()
    await made.phone.end_work()
    await made.phone.shut_down()
    await made.close()
    await until(lambda: not profile.phone_socket.exists())


Begin = Callable[..., Awaitable[None]]


@pytest.fixture
def begin(desk: Desk, asterisk: Asterisk) -> Begin:
    async def begin_work(extension: str = "2001", **changes: object) -> None:
        await desk.phone.begin_work(asterisk.line(extension, **changes), asterisk.secret(extension))
        await until(lambda: desk.snapshot.registration.state is RegistrationState.OK)
        await asterisk.until("queue show oms-1", f"{extension} (PJSIP/{extension})", "Not in use")

    return begin_work


async def ringing(desk: Desk) -> Call:
    return await until(lambda: next((c for c in desk.snapshot.calls if c.state is CallState.RINGING), None))


async def in_state(desk: Desk, call: Call, *states: CallState) -> Call:
    def now() -> Call | None:
        known = desk.snapshot.call(call.id)
        return known if known and known.state in states else None

    return await until(now)


async def test_a_queue_call_rings_with_number_name_and_queue(desk: Desk, begin: Begin, sipp_call: SippCalls) -> None:
    await begin()
    caller = sipp_call(NUMBER, NAME, CALLER_HERTZ)
    call = await ringing(desk)
    assert (call.number, call.name, call.queue) == (NUMBER, NAME, "oms-1")
    assert call.dialog
    assert call.headers["X-Queue-Entered"].isdigit()
    await desk.phone.answer(call.id)
    talking = await in_state(desk, call, CallState.TALKING)
    assert talking.answered_ms is not None
    await until(lambda: not caller.sound.hears(MUSIC_HERTZ))
    await desk.phone.hang_up(call.id)
    ended = await in_state(desk, call, CallState.ENDED)
    assert ended.ended_by == "here"
    await until(lambda: caller.over)


@pytest.mark.function("K-2.2")
async def test_the_caller_hears_the_greeting_waits_and_hangs_up(desk: Desk, begin: Begin, sipp_call: SippCalls) -> None:
    caller = sipp_call(NUMBER, NAME, CALLER_HERTZ)
    await until(lambda: caller.sound.hears(GREETING_HERTZ))
    await begin()
    call = await ringing(desk)
    await until(lambda: caller.sound.hears(MUSIC_HERTZ))
    caller.hang_up()
    ended = await in_state(desk, call, CallState.ENDED)
    assert ended.abandoned


@pytest.mark.function("K-2.3", "K-2.4")
async def test_the_queue_is_first_in_first_out_and_asks_level_1_alone(
    desk: Desk, begin: Begin, sipp_call: SippCalls, phones: Phones, asterisk: Asterisk
) -> None:
    level_2 = await phones.register("2003")
    await begin()
    await desk.phone.set_ready(False)
    numbers = [f"+7865201000{n}" for n in range(3)]
    for waiting, number in enumerate(numbers, 1):
        sipp_call(number, f"Ждёт {waiting}", 0)
        await asterisk.until("queue show oms-1", f"has {waiting} calls")
    await desk.phone.set_ready(True)
    served = []
    for _ in numbers:
        call = await ringing(desk)
        served.append(call.number)
        await desk.phone.answer(call.id)
        await in_state(desk, call, CallState.TALKING)
        await desk.phone.hang_up(call.id)
        await in_state(desk, call, CallState.ENDED)
    assert served == numbers
    with pytest.raises(TimeoutError):
        await level_2.rings(0.1)


async def test_the_caller_hangs_up_in_the_talk(desk: Desk, begin: Begin, sipp_call: SippCalls) -> None:
    await begin()
    caller = sipp_call(NUMBER, NAME, CALLER_HERTZ)
    call = await ringing(desk)
    await desk.phone.answer(call.id)
    await in_state(desk, call, CallState.TALKING)
    caller.hang_up()
    ended = await in_state(desk, call, CallState.ENDED)
    assert ended.ended_by == "there"
    assert not ended.abandoned


async def test_a_rejected_call_goes_on_waiting(
    desk: Desk, begin: Begin, sipp_call: SippCalls, asterisk: Asterisk
) -> None:
    await begin()
    caller = sipp_call(NUMBER, NAME, CALLER_HERTZ)
    call = await ringing(desk)
    await desk.phone.reject(call.id, "проверка")
    ended = await in_state(desk, call, CallState.ENDED)
    assert ended.ended_by == "here"
    assert not caller.over
    again = await ringing(desk)
    assert again.id != call.id


@pytest.mark.function("K-1.11")
async def test_no_queue_call_in_wrap_up_but_colleagues_get_through(
    desk: Desk, begin: Begin, sipp_call: SippCalls, phones: Phones
) -> None:
    await begin()
    await desk.phone.set_ready(False)
    colleague = await phones.register("2003")
    caller = sipp_call(NUMBER, NAME, CALLER_HERTZ)
    await until(lambda: caller.sound.hears(MUSIC_HERTZ))
    dialling = asyncio.create_task(colleague.dial("2001", COLLEAGUE_HERTZ))
    call = await ringing(desk)
    assert (call.number, call.queue) == ("2003", "")
    assert call.name == "Специалист 2003"
    await desk.phone.answer(call.id)
    await dialling
    await desk.phone.hang_up(call.id)
    await in_state(desk, call, CallState.ENDED)
    await desk.phone.set_ready(True)
    assert (await ringing(desk)).number == NUMBER


@pytest.mark.needs("pipewire")
@pytest.mark.function("K-5.0.1")
async def test_bell_and_voices_go_through_the_sound_card(
    desk: Desk, begin: Begin, sipp_call: SippCalls, sound_card: SoundCard
) -> None:
    await desk.phone.shut_down()  # an engine that knows the card
    await until(lambda: not open_profile("work").phone_socket.exists())
    await desk.phone.attach()
    await begin(**sound_card.devices)
    assert desk.snapshot.sound.state == "ok"
    assert (desk.snapshot.sound.input, desk.snapshot.sound.output) == ("mic", "speaker")
    sound_card.speak(OPERATOR_HERTZ)
    caller = sipp_call(NUMBER, NAME, CALLER_HERTZ)
    call = await ringing(desk)
    await sound_card.until_heard(425, "bell")
    await desk.phone.answer(call.id)
    await in_state(desk, call, CallState.TALKING)
    await sound_card.until_heard(CALLER_HERTZ)
    await until(lambda: caller.sound.hears(OPERATOR_HERTZ))
    assert sound_card.loudness(device="bell") < 10, "it stops ringing at the answer"

    await desk.phone.mute(call.id, True)
    await until(lambda: caller.sound.loudness() < 20)
    await desk.phone.mute(call.id, False)
    await until(lambda: caller.sound.hears(OPERATOR_HERTZ))

    await desk.phone.hold(call.id, True)
    await in_state(desk, call, CallState.HELD)
    await until(lambda: caller.sound.hears(MUSIC_HERTZ))
    assert sound_card.loudness() < 10
    await desk.phone.hold(call.id, False)
    await until(lambda: caller.sound.hears(OPERATOR_HERTZ))
    await sound_card.until_heard(CALLER_HERTZ)

    await desk.phone.hang_up(call.id)
    await until(lambda: sound_card.loudness(0.2) < 10)


@pytest.mark.needs("pipewire")
@pytest.mark.parametrize("codec", ["pcmu", "g722/16000/1", "opus/48000/2"])
async def test_every_codec_carries_both_voices(
    desk: Desk, begin: Begin, sipp_call: SippCalls, sound_card: SoundCard, codec: str
) -> None:
    await desk.phone.shut_down()
    await until(lambda: not open_profile("work").phone_socket.exists())
    await desk.phone.attach()
    await begin(**sound_card.devices, codecs=(codec,))
    sound_card.speak(OPERATOR_HERTZ)
    caller = sipp_call(NUMBER, NAME, CALLER_HERTZ)
    call = await ringing(desk)
    await desk.phone.answer(call.id)
    await sound_card.until_heard(CALLER_HERTZ)
    await until(lambda: caller.sound.hears(OPERATOR_HERTZ))


async def test_dtmf_is_heard_and_sent(desk: Desk, begin: Begin, phones: Phones) -> None:
    await begin()
    colleague = await phones.register("2003")
    dialled = await desk.phone.dial("2003")
    there = await colleague.rings()
    digits: list[str] = []
    there.native.on_dtmf(lambda digit: digits.append(digit.digit))
    await there.answer(COLLEAGUE_HERTZ)
    await until(lambda: desk.snapshot.call(dialled).state is CallState.TALKING)
    await desk.phone.dtmf(dialled, "5#")
    await until(lambda: digits == ["5", "#"])
    await there.native.send_dtmf("7")
    await until(lambda: any(getattr(e, "digit", "") == "7" for e in desk.events))


async def test_no_answer_and_busy_come_out_in_the_call(desk: Desk, begin: Begin, phones: Phones) -> None:
    await begin()
    colleague = await phones.register("2003")
    dialled = await desk.phone.dial("2003")
    there = await colleague.rings()
    await until(lambda: desk.snapshot.call(dialled).state is CallState.RINGING)
    await there.native.reject()
    ended = await until(lambda: (c := desk.snapshot.call(dialled)) and c.over and c)
    assert ended.ended_by == "there"
    assert ended.cause[:3] in ("486", "603", "600")


async def test_a_killed_desk_keeps_a_real_call(desk: Desk, begin: Begin, sipp_call: SippCalls) -> None:
    await begin()
    caller = sipp_call(NUMBER, NAME, CALLER_HERTZ)
    call = await ringing(desk)
    await desk.phone.answer(call.id)
    talking = await in_state(desk, call, CallState.TALKING)
    await desk.phone.detach()
    began = time.monotonic()
    other = Desk(RemotePhone(open_profile("work")))
    snapshot = await other.phone.attach()
    tell_if_slow("a new desk at a call", time.monotonic() - began, 2)
    assert snapshot.call(call.id) == talking
    assert not caller.over
    await other.phone.hang_up(call.id)
    await until(lambda: caller.over)
    await other.close()


async def test_a_dead_engine_registers_again_by_itself(
    desk: Desk, begin: Begin, sipp_call: SippCalls, phones: Phones
) -> None:
    await begin()
    before = desk.snapshot.engine
    (pid,) = engines(open_profile("work"))
    os.kill(pid, signal.SIGKILL)
    began = time.monotonic()
    await until(lambda: desk.snapshot.engine != before)
    await until(lambda: desk.snapshot.registration.state is RegistrationState.OK)
    tell_if_slow("a new engine and its registration", time.monotonic() - began, 5)
    sipp_call(NUMBER, NAME, CALLER_HERTZ)
    assert (await ringing(desk)).number == NUMBER
