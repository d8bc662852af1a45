"""The engine and the desk's side of it, in one process with a clock moved by hand."""

from __future__ import annotations

import sys

import msgspec
import pytest

from operator_tui.appeals.clock import ManualClock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.phone.engine import ABSENT_SECONDS, make_line
from operator_tui.phone.line import Call, CallState, Direction, Levels, LineConfig, Snapshot
from operator_tui.phone.ports import NullPort
from operator_tui.phone.remote import RemotePhone
from operator_tui.phone.simulated import SimulatedLine
from operator_tui.phone.sounding import should_ring
from tests.phone.conftest import QUICK, Bench, until

LATER = msgspec.structs.replace(QUICK, simulated_first_seconds=30.0, simulated_next_seconds=60.0)


async def test_a_call_from_ring_to_end(bench: Bench) -> None:
    desk = await bench.desk()
    assert isinstance(await until(lambda: desk.events and desk.events[0]), Snapshot)
    await desk.phone.begin_work(QUICK)
    assert desk.snapshot.working
    assert desk.snapshot.registration.state == "ok"

    call = await bench.ring(desk)
    assert call.number.startswith("+78652")
    await desk.phone.answer(call.id)
    bench.clock.advance(3)
    await desk.phone.hold(call.id, True)
    await desk.phone.hold(call.id, False)
    await desk.phone.mute(call.id, True)
    await desk.phone.hang_up(call.id)

    told = await until(lambda: (h := desk.history(call.id)) and h[-1].over and h)
    assert [c.state.value for c in told] == ["ringing", "talking", "held", "talking", "talking", "ended"]
    assert told[-1].ended_by == "here"
    assert told[-1].answered_ms is not None
    assert not desk.snapshot.calls
    assert desk.snapshot.recent[-1].id == call.id


async def test_a_caller_who_gives_up_is_abandoned(bench: Bench) -> None:
    desk = await bench.desk()
    await desk.phone.begin_work(QUICK)
    call = await bench.ring(desk)
    bench.clock.advance(QUICK.simulated_patience_seconds)
    ended = await until(lambda: next((c for c in desk.snapshot.recent if c.id == call.id), None))
    assert ended.abandoned


async def test_what_an_act_did_is_told_before_its_reply(bench: Bench) -> None:
    desk = await bench.desk()
    await desk.phone.begin_work(QUICK)
    call = await desk.phone.dial("2003")
    assert desk.snapshot.call(call).state is CallState.DIALING
    await desk.phone.hang_up(call)
    assert desk.snapshot.call(call).over


async def test_refusals_come_back_whole(bench: Bench) -> None:
    desk = await bench.desk()
    with pytest.raises(Refusal) as early:
        await desk.phone.dial("2002")
    assert early.value.code is Code.WORK_NOT_BEGUN
    await desk.phone.begin_work(QUICK)
    with pytest.raises(Refusal) as gone:
        await desk.phone.answer("no-such-call")
    assert gone.value.code is Code.NO_SUCH_CALL
    with pytest.raises(Refusal) as wrong:
        await desk.phone.dial("сто два")
    assert wrong.value.code is Code.NUMBER_INVALID


async def test_the_second_desk_is_refused_by_name(bench: Bench) -> None:
    first = await bench.desk()
    second = RemotePhone(bench.profile, start_engine=False)
    with pytest.raises(Refusal) as refused:
        await second.attach()
    assert refused.value.code is Code.PHONE_TAKEN
    # The first desk does not notice.
    await first.phone.begin_work(QUICK)
    await first.phone.detach()
    await second.attach()
    assert second.snapshot.working
    await second.detach()


async def test_the_call_outlives_its_desk_with_its_timer(bench: Bench) -> None:
    desk = await bench.desk()
    await desk.phone.begin_work(QUICK)
    call = await bench.ring(desk)
    await desk.phone.answer(call.id)
    answered = (
        await until(lambda: desk.snapshot.call(call.id).answered_ms and desk.snapshot.call(call.id))
    ).answered_ms
    await desk.close()
    bench.clock.advance(20)
    again = await bench.desk()
    kept = again.snapshot.call(call.id)
    assert kept is not None
    assert kept.state is CallState.TALKING
    assert kept.answered_ms == answered
    await again.phone.hang_up(call.id)


async def test_a_desk_that_was_away_learns_how_the_call_ended(bench: Bench) -> None:
    desk = await bench.desk()
    await desk.phone.begin_work(QUICK)
    call = await bench.ring(desk)
    await desk.phone.answer(call.id)
    await desk.close()
    bench.clock.advance(QUICK.simulated_talk_seconds)
    await until(lambda: not bench.lines[0].calls())
    again = await bench.desk()
    assert again.snapshot.call(call.id).ended_by == "there"


async def test_no_queue_call_while_not_ready(bench: Bench) -> None:
    desk = await bench.desk()
    await desk.phone.begin_work(QUICK)
    await desk.phone.set_ready(False)
    assert not desk.snapshot.ready
    bench.clock.advance(1000)
    await bench.looks()
    assert not bench.lines[0].calls()
    assert not desk.snapshot.calls
    await desk.phone.set_ready(True)
    await bench.ring(desk)


async def test_the_queue_gives_nobody_to_a_telephone_without_a_desk(bench: Bench) -> None:
    desk = await bench.desk()
    await desk.phone.begin_work(LATER)
    call = await bench.ring(desk)
    await desk.phone.answer(call.id)
    await desk.close()
    attending = bench.engine._attending
    await until(lambda: not attending.attached)
    bench.clock.advance(ABSENT_SECONDS + 1)
    await until(lambda: attending.alone_seconds < 1)  # it was looked at, and a call was on
    again = await bench.desk()
    assert again.snapshot.ready, "a desk that is back within its talk takes the next one"
    await again.phone.hang_up(call.id)
    await again.close()
    await until(lambda: not attending.attached)
    bench.clock.advance(ABSENT_SECONDS + 1)
    await until(lambda: not bench.engine._snapshot.ready)
    bench.clock.advance(LATER.simulated_next_seconds + 1)
    await bench.looks()
    last = await bench.desk()
    assert not bench.lines[0].calls()
    assert not last.snapshot.ready
    await last.phone.set_ready(True)
    await bench.ring(last)


async def test_a_desk_whose_line_was_cut_is_as_ready_as_it_was(bench: Bench) -> None:
    """The thin client's line to the terminal server breaks for a while: nobody has to say anything afterwards."""
    desk = await bench.desk()
    await desk.phone.begin_work(LATER)
    bench.profile.phone_socket.rename(bench.profile.phone_socket.with_suffix(".away"))
    bench.profile.phone_socket.touch()  # an engine that nobody can find would end
    bench.engine._attending._desk.transport.abort()  # type: ignore[union-attr]  # it is attached
    await until(lambda: not desk.phone.attached)
    bench.clock.advance(ABSENT_SECONDS + 1)
    await until(lambda: not bench.engine._snapshot.ready)
    bench.profile.phone_socket.with_suffix(".away").rename(bench.profile.phone_socket)
    await until(lambda: desk.phone.attached and desk.snapshot.ready)
    await bench.ring(desk)


async def test_end_of_work_ends_the_call_and_keeps_the_engine(bench: Bench) -> None:
    desk = await bench.desk()
    await desk.phone.begin_work(QUICK)
    call = await bench.ring(desk)
    await desk.phone.answer(call.id)
    await desk.phone.end_work()
    assert not desk.snapshot.working
    assert desk.snapshot.registration.state == "off"
    assert desk.snapshot.call(call.id).over
    await desk.phone.begin_work(QUICK)
    assert desk.snapshot.working


async def test_levels_come_while_somebody_looks(bench: Bench) -> None:
    desk = await bench.desk()
    await desk.phone.begin_work(QUICK)
    await desk.phone.watch_levels(True)
    await until(lambda: any(isinstance(e, Levels) for e in desk.events))
    await desk.phone.watch_levels(False)


def test_without_the_sip_stack_only_the_sip_line_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("baresip", "operator_tui.phone.sip"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(Refusal) as refused:
        make_line(LineConfig(line="sip"), NullPort(), ManualClock())
    assert refused.value.code is Code.PHONE_PARTS
    assert isinstance(make_line(LineConfig(), NullPort(), ManualClock()), SimulatedLine)


def test_it_rings_only_when_nobody_is_talking() -> None:
    ringing = Call("1", Direction.INCOMING, "2002", CallState.RINGING, 0)
    talking = Call("2", Direction.INCOMING, "2003", CallState.TALKING, 0)
    dialled = Call("3", Direction.OUTGOING, "2004", CallState.RINGING, 0)
    assert should_ring((ringing,))
    assert should_ring((ringing, dialled))
    assert not should_ring((dialled,))
    assert not should_ring((ringing, talking))
