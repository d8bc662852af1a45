"""Which operator of level 1 gets a call is the administration's rule, in its lists and so in the PBX (K-2.4, K-2.5)."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from central import routing
from operator_tui.appeals.reference import Reference, Row
from operator_tui.appeals.reference_change import decide_change
from operator_tui.phone.line import CallState, RegistrationState
from operator_tui.reference import packaged_catalogue
from tests.peers.asterisk import GREETING_HERTZ, LANGUAGE_HERTZ, MUSIC_HERTZ, NIGHT_HERTZ, THEME_HERTZ, Asterisk
from tests.peers.phones import Phone, Phones
from tests.peers.sipp import SippCall, SippCalls
from tests.phone.conftest import Desk, until
from tests.phone.test_pbx import desk, in_state, ringing

__all__ = ["desk"]

pytestmark = [pytest.mark.needs("asterisk", "sipp", "sound")]

MEMBERS = ("2001", "2002")
USUAL = {"code": "oms-1", "title": "Горячая линия", "order": "rrmemory"}
KAZAKH = {"code": "oms-kk", "title": "Қазақ тілі", "language": "kk", "order": "rrmemory", "number": "1412"}
WIDEN_S = 3


def queue(**row: str) -> dict[str, str]:
    return {"title": "Очередь", "order": "rrmemory", **row}


def ruled(*queues: Row, directory: dict[str, dict[str, str]] | None = None) -> Reference:
    """The lists after the administrator has written these queues, and what these people know."""
    reference = packaged_catalogue().reference
    people = {key: {**reference.all("directory")[key], **said} for key, said in (directory or {}).items()}
    changes = [{"list": "queues", "rows": {row["code"]: dict(row) for row in queues}}]
    changes += [{"list": "directory", "rows": people}] if people else []
    for change in changes:
        decide_change(reference, change, {})
    return reference.changed([(str(change["list"]), change["rows"], "k7q2mx:1") for change in changes])  # type: ignore[misc]  # rows are plain


def apply(asterisk: Asterisk, reference: Reference) -> None:
    """As `operator-tui central routing --reload` does it."""
    assert routing.write(routing.files_of(reference, "tf"), asterisk.etc)
    assert routing.reload(asterisk.console)


async def taken_by(telephones: dict[str, Phone], asterisk: Asterisk, sipp_call: SippCalls, **to: Any) -> list[str]:
    """Who gets each of two calls that come one after another."""
    found = []
    for number in range(2):
        caller = sipp_call(f"+7865201100{number}", "Звонит", 0, **to)
        rings = {asyncio.ensure_future(one.rings()): extension for extension, one in telephones.items()}
        done, waiting = await asyncio.wait(rings, return_when=asyncio.FIRST_COMPLETED)
        for other in waiting:
            other.cancel()
        (first,) = done
        found.append(rings[first])
        call = first.result()
        await call.answer(700)
        await call.hang_up()
        await until(lambda caller=caller: caller.over)  # type: ignore[misc]  # mypy knows no defaults in a lambda
        await asterisk.until("queue show oms-1", "has 0 calls")
    return found


async def registered(asterisk: Asterisk, phones: Phones, *extensions: str) -> dict[str, Phone]:
    telephones = {extension: await phones.register(extension) for extension in extensions}
    await asterisk.until("pjsip show contacts", *(f"{extension}/sip" for extension in extensions))
    return telephones


async def hears(caller: SippCall, hertz: float) -> None:
    await until(lambda: caller.sound.hears(hertz))


@pytest.mark.function("K-2.5")
async def test_the_administrations_rule_says_who_gets_the_call(
    asterisk: Asterisk, phones: Phones, sipp_call: SippCalls
) -> None:
    telephones = await registered(asterisk, phones, *MEMBERS)
    assert sorted(await taken_by(telephones, asterisk, sipp_call)) == list(MEMBERS), "as shipped they take turns"
    # «Очереди вызовов»: this line is of one theme; 2001 is asked only while 2002, who knows it, can not.
    apply(asterisk, ruled({**USUAL, "theme": "money", "widen_s": "60"}))
    await asterisk.until("queue show oms-1", "penalty 2")
    assert await taken_by(telephones, asterisk, sipp_call) == ["2002", "2002"]


@pytest.mark.function("K-2.4", "K-2.5")
async def test_a_caller_gets_who_speaks_his_language(
    desk: Desk, asterisk: Asterisk, phones: Phones, sipp_call: SippCalls
) -> None:
    apply(asterisk, ruled(USUAL, {**KAZAKH, "number": ""}, queue(code="oms-kk-direct", language="kk", number="1412")))
    others = await registered(asterisk, phones, "2001", "2003")
    await desk.phone.begin_work(asterisk.line("2002"), asterisk.secret("2002"))
    await until(lambda: desk.snapshot.registration.state is RegistrationState.OK)
    await asterisk.until("queue show oms-kk", "2002 (PJSIP/2002)", "Not in use")
    caller = sipp_call("+78652010001", "Қазақ", 1000)
    await hears(caller, GREETING_HERTZ)
    await hears(caller, LANGUAGE_HERTZ)
    caller.sound.press("2")
    call = await ringing(desk)
    assert (call.queue, call.language) == ("oms-kk", "kk"), "the desk is told both before anybody answers"
    await desk.phone.answer(call.id)
    await in_state(desk, call, CallState.TALKING)
    # A second one of the same language: nobody else speaks it, so he waits, though 2001 is free.
    second = sipp_call("+78652010002", "Қазақ", 1000, to="1412")
    await hears(second, MUSIC_HERTZ)
    await desk.phone.hang_up(call.id)
    following = await ringing(desk)
    assert (following.number, following.queue, following.language) == ("+78652010002", "oms-kk-direct", "kk")
    await desk.phone.answer(following.id)
    # Who says nothing is greeted and served in Russian, by whoever is free; 2003 is of level 2 and asked by no queue.
    third = sipp_call("+78652010003", "Русский", 1000)
    taken = await others["2001"].rings()
    await desk.phone.hang_up(following.id)
    await taken.answer(700)
    await until(lambda: third.sound.hears(700))
    assert not others["2003"].calls


@pytest.mark.function("K-2.5")
async def test_a_theme_goes_to_who_knows_it_and_to_the_others_when_the_wait_is_long(
    asterisk: Asterisk, phones: Phones, sipp_call: SippCalls
) -> None:
    apply(asterisk, ruled(USUAL, queue(code="oms-policy", theme="policy", key="1", widen_s=str(WIDEN_S))))
    telephones = await registered(asterisk, phones, "2002")  # who knows no policies; 2001 does, and is away
    caller = sipp_call("+78652010001", "", 1000)
    await hears(caller, THEME_HERTZ)
    caller.sound.press("1")
    await asterisk.until("queue show oms-policy", "has 1 calls")
    since = time.monotonic()
    rung = await telephones["2002"].rings(4 * WIDEN_S)
    assert time.monotonic() - since >= WIDEN_S - 1.5, "not before the rule widened"
    await rung.answer(700)
    await until(lambda: caller.sound.hears(700))
    await rung.hang_up()
    # A rule that never widens: nobody there may take it, so a message is taken instead of his waiting for nobody.
    apply(asterisk, ruled(USUAL, queue(code="oms-policy", theme="policy", key="1")))
    await asterisk.until("queue show oms-policy", "has 0 calls")
    strict = sipp_call("+78652010002", "", 1000)
    await hears(strict, THEME_HERTZ)
    strict.sound.press("1")
    await hears(strict, NIGHT_HERTZ)
