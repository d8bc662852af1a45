"""What an operator may get wrong, and what may break under him: a sentence, and the call goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.phone.line import Call, CallState, RecordingTrouble, RegistrationState, TransferEnded, told
from operator_tui.profiles import open_profile
from operator_tui.secrets.running import public_key
from operator_tui.sentences import sentence
from tests.peers.asterisk import Asterisk
from tests.peers.pipewire import SoundCard
from tests.peers.sipp import SippCalls
from tests.phone.conftest import Desk, until
from tests.phone.test_pbx import desk, in_state, ringing

__all__ = ["desk"]

pytestmark = [pytest.mark.needs("asterisk", "sipp", "pipewire", "sound")]

OPERATOR_HERTZ, CALLER_HERTZ = 440, 1000


async def refused(act: Awaitable[object]) -> str:
    """What the operator reads."""
    with pytest.raises(Refusal) as refusal:
        await act
    return sentence(refusal.value)


async def transfer_failed(desk: Desk, call: Call, target: str) -> str:
    known = len(desk.events)
    await desk.phone.blind_transfer(call.id, target)
    ended = await until(lambda: next((e for e in desk.events[known:] if isinstance(e, TransferEnded)), None))
    refusal = told(ended.refusal)
    assert refusal is not None
    return sentence(refusal)


async def test_whatever_is_asked_wrongly_is_a_sentence_and_the_call_goes_on(
    sound_card: SoundCard, desk: Desk, asterisk: Asterisk, sipp_call: SippCalls
) -> None:
    folder = open_profile("work").recordings
    folder.write_text("no folder")  # root writes into any folder, but into no file as one
    phone, card = desk.phone, sound_card.devices
    key = public_key(bytes(32)).hex()
    await phone.begin_work(asterisk.line("2001", **card), asterisk.secret("2001"), record_key=key)
    await until(lambda: desk.snapshot.registration.state is RegistrationState.OK)
    assert await refused(phone.dtmf("", "5")) == sentence(Refusal(Code.NO_SUCH_CALL))
    assert await refused(phone.dial("8652 АБВ")) == sentence(Refusal(Code.NUMBER_INVALID))

    sound_card.speak(OPERATOR_HERTZ)
    await asterisk.until("queue show oms-1", "2001 (PJSIP/2001)", "Not in use")
    caller = sipp_call("+78652012345", "", CALLER_HERTZ)
    call = await ringing(desk)
    await phone.answer(call.id)
    await in_state(desk, call, CallState.TALKING)
    trouble = await until(lambda: next((e for e in desk.events if isinstance(e, RecordingTrouble)), None))
    assert Refusal.from_wire(trouble.refusal).code is Code.RECORD_FOLDER
    assert desk.snapshot.call(call.id).recording == ""  # type: ignore[union-attr]  # and the screen says so

    assert await refused(phone.dtmf(call.id, "12a!")) == sentence(Refusal(Code.NUMBER_INVALID))
    assert await refused(phone.blind_transfer(call.id, "двести")) == sentence(Refusal(Code.NUMBER_INVALID))
    assert await refused(phone.blind_transfer(call.id, "2001")) == sentence(Refusal(Code.TRANSFER_SELF))
    assert "такого номера нет" in await transfer_failed(desk, call, "9999")
    assert await refused(phone.pause_record(call.id)) == sentence(Refusal(Code.RECORD_OFF))
    dialled = await phone.dial("9998")  # an unknown extension: the caller waits, then is taken back
    unknown = await until(lambda: (c := desk.snapshot.call(dialled)) and c.over and c)
    assert unknown.cause[:3] in ("404", "484"), "it may be the beginning of a longer one"
    await phone.hold(call.id, False)
    await until(lambda: caller.sound.hears(OPERATOR_HERTZ))

    sound_card.stop()  # the headset, and everything else
    await until(lambda: desk.snapshot.sound.refusal is not None)
    assert desk.snapshot.call(call.id).state is CallState.TALKING  # type: ignore[union-attr]  # it goes on
    assert not caller.over
    await asyncio.to_thread(sound_card.start)
    await until(lambda: desk.snapshot.sound.refusal is None)
    sound_card.speak(OPERATOR_HERTZ)
    caller.sound.forget()
    await until(lambda: caller.sound.hears(OPERATOR_HERTZ))
    await asyncio.to_thread(sound_card.let_pass, 0.2)
    await phone.hang_up(call.id)
    await in_state(desk, call, CallState.ENDED)
