"""What the other end of a call may do, by SIPp behind Kamailio."""

from __future__ import annotations

import pytest

from operator_tui.appeals.errors import Code
from operator_tui.phone.line import CallState, EndedBy, RegistrationState, TransferEnded, told
from tests.peers.kamailio import Kamailio, kamailio
from tests.peers.scenarios import RECV_ACK, invited, pause, received, reinvited, reply, scenario
from tests.phone.conftest import until
from tests.phone.test_registrar import OURS, Line, line

__all__ = ["kamailio", "line"]

pytestmark = pytest.mark.needs("kamailio", "sipp", "sound")

ANSWERED = (invited(), reply(180, "Ringing"), reply(200, "OK", sound=True), RECV_ACK)
BYE = (received("BYE"), reply(200, "OK", tagged=True))


async def dialled(kamailio: Kamailio, line: Line, *steps: str) -> str:
    """The line at work calls a subscriber who does that."""
    await line.line.start(kamailio.line("2001"), kamailio.secret("2001"))
    await line.registered(RegistrationState.OK)
    kamailio.plays(scenario("peer", *steps))
    return await line.line.dial("9100")


@pytest.mark.parametrize(
    ("status", "reason", "headers"),
    [
        (486, "Busy Here", ""),
        (480, "Temporarily Unavailable", ""),
        (603, "Decline", ""),
        (302, "Moved Temporarily", "Contact: <sip:9200@127.0.0.1>"),
    ],
)
async def test_who_does_not_take_the_call_is_told_as_he_says(
    kamailio: Kamailio, line: Line, status: int, reason: str, headers: str
) -> None:
    ringing = [reply(180, "Ringing"), pause(0.3)] if status == 480 else []
    call = await dialled(kamailio, line, invited(), *ringing, reply(status, reason, headers=headers), RECV_ACK)
    over = await line.reached(CallState.ENDED)
    assert over.id == call
    assert over.answered_ms is None
    assert over.ended_by is EndedBy.THERE
    assert over.cause.startswith(str(status)), "a redirection is told and not followed"
    assert not line.line.calls()


async def test_what_is_said_before_the_answer_is_heard(kamailio: Kamailio, line: Line) -> None:
    await dialled(
        kamailio, line, invited(), reply(183, "Session Progress", sound=True), pause(3), reply(200, "OK", sound=True),
        RECV_ACK, *BYE,
    )  # fmt: skip
    early = await line.reached(CallState.EARLY)
    await until(lambda: line.hears(OURS))
    talking = await line.reached(CallState.TALKING)
    assert talking.id == early.id
    await line.line.hang_up(talking.id)
    assert (await line.reached(CallState.ENDED)).ended_by is EndedBy.HERE


async def test_a_refused_transfer_keeps_the_call(kamailio: Kamailio, line: Line) -> None:
    call = await dialled(kamailio, line, *ANSWERED, received("REFER"), reply(603, "Decline", tagged=True), *BYE)
    await line.reached(CallState.TALKING)
    await line.line.blind_transfer(call, "9300")
    ended = await until(lambda: next((e for e in line.events if isinstance(e, TransferEnded)), None))
    refusal = told(ended.refusal)
    assert refusal is not None
    assert (refusal.code, refusal.params["reason"]) == (Code.TRANSFER_FAILED, "603")
    assert [one.state for one in line.line.calls()] == [CallState.TALKING]


async def test_a_hold_by_the_other_end_is_seen_and_its_end_too(kamailio: Kamailio, line: Line) -> None:
    await dialled(
        kamailio, line, *ANSWERED, pause(0.5), reinvited("sendonly", 2), pause(0.5), reinvited("sendrecv", 3), *BYE
    )
    held = await line.reached(CallState.REMOTE_HELD)
    assert held.remote_held
    await until(lambda: [one.state for one in line.line.calls()] == [CallState.TALKING])
    await line.line.hang_up(held.id)
    await line.reached(CallState.ENDED)


async def test_a_goodbye_that_nobody_answers_ends_the_call_here(kamailio: Kamailio, line: Line) -> None:
    call = await dialled(kamailio, line, *ANSWERED, received("BYE"), pause(8))
    await line.reached(CallState.TALKING)
    await line.line.hang_up(call)
    over = await line.reached(CallState.ENDED)
    assert over.ended_by is EndedBy.HERE
    assert not line.line.calls()
