"""Which operator of level 1 gets a call is the administration's rule, kept in the PBX's queue (K-2.5)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.peers.asterisk import Asterisk
from tests.peers.phones import Phone, Phones
from tests.peers.sipp import SippCalls
from tests.phone.conftest import until

pytestmark = [pytest.mark.needs("asterisk", "sipp", "sound")]

MEMBERS = ("2001", "2002")


def rule(asterisk: Asterisk, *, strategy: str, penalties: dict[str, int]) -> None:
    """Write another rule into the queue's file, as deploy/asterisk/README.md tells the administration to."""
    file = Path(asterisk.folder) / "etc" / "queues.conf"
    text = file.read_text(encoding="utf-8").replace("strategy = rrmemory", f"strategy = {strategy}")
    for extension, penalty in penalties.items():
        text = text.replace(f"PJSIP/{extension},0,", f"PJSIP/{extension},{penalty},")
    file.write_text(text, encoding="utf-8")
    asterisk.cli("queue reload all")


async def taken_by(telephones: dict[str, Phone], asterisk: Asterisk, sipp_call: SippCalls) -> list[str]:
    """Who gets each of two calls that come one after another."""
    found = []
    for number in range(2):
        caller = sipp_call(f"+7865201100{number}", "Звонит", 0)
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


@pytest.mark.function("K-2.5")
async def test_the_administrations_rule_says_who_gets_the_call(
    asterisk: Asterisk, phones: Phones, sipp_call: SippCalls
) -> None:
    telephones = {extension: await phones.register(extension) for extension in MEMBERS}
    for extension in MEMBERS:
        await asterisk.until("queue show oms-1", f"{extension} (PJSIP/{extension})", "Not in use")
    assert sorted(await taken_by(telephones, asterisk, sipp_call)) == list(MEMBERS), "as shipped they take turns"
    rule(asterisk, strategy="linear", penalties={"2001": 5})
    assert await taken_by(telephones, asterisk, sipp_call) == ["2002", "2002"], "2001 only when 2002 can not"
