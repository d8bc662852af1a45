"""«Перевести на другого специалиста»: the appeal goes with the call, and comes back with it."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from operator_tui.appeals.card import Status
from operator_tui.appeals.lifecycle import Act
from operator_tui.appeals.operations import Kind
from operator_tui.appeals.presence import State
from operator_tui.desk.handover import HandOver
from operator_tui.phone.line import Call, CallChanged, CallState, ColleaguesChanged, EndedBy, TransferEnded
from tests.screens.page import DeskPage, open_desk
from tests.screens.test_call import answered

TARGET, USER = "2003", 3


async def written(desk: DeskPage) -> Call:
    """A caller with something on his card."""
    await answered(desk)
    call = desk.desk.state.call
    assert call is not None
    await desk.surname.type("Переведённый")
    desk.desk.card.choose_theme(next(iter(desk.desk.catalogue.themes.values())))
    return call


async def sent(desk: DeskPage, key: str = "f7") -> Call:
    """He is given to the colleague."""
    call = await written(desk)
    await desk.press(key)
    await desk.type(TARGET)
    await desk.press("enter")
    return call


async def saved(desk: DeskPage) -> list[tuple[str, int | None]]:
    """Surname and worker of the active appeals."""
    return [(str(card.value("surname")), card.worker) for card in await desk.desk.active()]


async def owner(desk: DeskPage, worker: int) -> None:
    async with asyncio.timeout(60):
        while ("Переведённый", worker) not in await saved(desk):
            await desk.pilot.pause(0.02)


@pytest.mark.function("K-5.1.8.2", "K-4.10")
async def test_who_takes_the_caller_is_the_worker_of_his_appeal() -> None:
    async with open_desk() as desk:
        await sent(desk)
        await desk.until_quiet()
        own = desk.desk.state.operator
        assert own is not None
        await owner(desk, own.user)  # saved by «Перевести», and not given before somebody takes the caller
        for state in (State.RINGING, State.TALKING):
            await desk.desk.phone.following.take(ColleaguesChanged({TARGET: state.value}))
        await owner(desk, USER)
        await desk.until(lambda: "передано с вызовом" in desk.notice, "to whom")
        assert desk.desk.state.card is None


async def test_after_a_consultation_it_goes_at_once() -> None:
    async with open_desk() as desk:
        await sent(desk, "alt+c")
        await desk.until(lambda: (call := desk.desk.state.call) and call.number == TARGET, "the colleague")
        await desk.until_talking()
        await desk.press("alt+j")
        await desk.until_quiet()
        await owner(desk, USER)


async def test_nobody_took_him_and_both_come_back() -> None:
    async with open_desk() as desk:
        call = await sent(desk)
        await desk.until_quiet()
        back = msgspec.structs.replace(call, id="back", state=CallState.RINGING, queue="", answered_ms=None)
        await desk.desk.phone.following.take(CallChanged(back))
        await desk.until(lambda: "вернулся к вам вместе с обращением" in desk.notice, "why it rings")
        talking = msgspec.structs.replace(back, state=CallState.TALKING, answered_ms=call.started_ms + 1)
        await desk.desk.phone.following.take(CallChanged(talking))
        card = desk.desk.state.card
        assert card is not None
        assert card.saved is not None
        assert (card.fields["surname"], card.call) == ("Переведённый", "back")
        own = desk.desk.state.operator
        assert own is not None
        assert card.saved.worker == own.user


@pytest.mark.parametrize("kept", [True, False])
async def test_who_comes_back_gets_no_other_callers_card(kept: bool) -> None:
    async with open_desk() as desk:
        await answered(desk)
        call, first = desk.desk.state.call, desk.desk.state.card
        assert call is not None
        assert first is not None
        await desk.surname.type("Переведённый")
        await desk.press("f7")
        await desk.type(TARGET)
        await desk.press("enter")
        await desk.until_quiet()
        await desk.desk.card.open()
        other = desk.desk.state.card
        assert other is not None
        assert not other.call
        if not kept:
            await desk.desk.on_journal(lambda journal: journal.drop_draft(first.draft))
        for state, answered_ms in ((CallState.RINGING, None), (CallState.TALKING, call.started_ms + 1)):
            back = msgspec.structs.replace(call, id="back", state=state, queue="", answered_ms=answered_ms)
            await desk.desk.phone.following.take(CallChanged(back))
        card = desk.desk.state.card
        assert card is not None
        assert card.draft != other.draft
        assert (card.call, card.draft == first.draft) == ("back", kept)
        drafts = {one.id: one for one in await desk.desk.on_journal(lambda journal: journal.drafts())}
        assert not drafts[other.draft].call, "the card written meanwhile is nobody's"


async def test_a_refused_transfer_keeps_call_and_appeal() -> None:
    async with open_desk() as desk:
        call = await written(desk)
        await desk.desk.phone.following.hand_over.prepare(call, TARGET)
        refusal = {"code": "transfer_failed", "params": {"reason": "603"}}
        await desk.desk.phone.following.take(TransferEnded(call.id, TARGET, refusal))
        await desk.desk.phone.following.take(ColleaguesChanged({TARGET: State.TALKING.value}))
        own = desk.desk.state.operator
        assert own is not None
        assert ("Переведённый", own.user) in await saved(desk)
        assert desk.call_state() is CallState.TALKING
        assert desk.desk.state.card is not None


async def test_what_can_not_be_saved_yet_stays_a_draft_and_the_caller_goes() -> None:
    async with open_desk(phone={"transfer_rings_seconds": 0.2}) as desk:
        await answered(desk)
        await desk.surname.type("Переведённый")
        await desk.press("f7")
        await desk.type(TARGET)
        await desk.press("enter")
        await desk.until_quiet()
        await desk.until(lambda: "осталось у вас черновиком" in desk.notice, "what was kept")
        card = desk.desk.state.card
        assert card is not None
        assert card.fields["surname"] == "Переведённый"


async def test_nothing_heard_for_as_long_as_it_may_ring_means_taken() -> None:
    async with open_desk(phone={"transfer_rings_seconds": 0.3}) as desk:
        await sent(desk)
        await owner(desk, USER)


async def test_a_caller_who_hangs_up_while_it_rings_there_is_the_colleagues_promise() -> None:
    async with open_desk() as desk:
        await sent(desk)
        await desk.until_quiet()
        for state in (State.RINGING, State.FREE):
            await desk.desk.phone.following.take(ColleaguesChanged({TARGET: state.value}))
        await owner(desk, USER)
        await desk.until(lambda: "отсроченным ответом" in desk.notice, "what became of it")
        (card,) = [one for one in await desk.desk.active() if one.value("surname") == "Переведённый"]
        assert (card.status, card.worker) == (Status.DEFERRED, USER)


async def test_giving_an_appeal_ends_nobodys_break() -> None:
    async with open_desk() as desk:
        await sent(desk)
        await desk.until_quiet()
        await desk.until(lambda: desk.desk.state.presence.state is State.WRAP_UP, "his card is still here")
        await desk.desk.phone.states.choose("lunch")
        assert desk.desk.state.presence.state is State.BREAK
        for state in (State.RINGING, State.TALKING):
            await desk.desk.phone.following.take(ColleaguesChanged({TARGET: state.value}))
        await owner(desk, USER)
        async with asyncio.timeout(60):
            while await under_way(desk):
                await desk.pilot.pause(0.02)
        assert desk.desk.state.presence.state is State.BREAK


async def begun_anew(desk: DeskPage, *, ago_ms: int = 3_600_000, **known: Any) -> None:
    """The desk was killed behind a transfer and starts ``ago_ms`` later; ``known`` is what its engine knows then."""
    await desk.deaf()
    (under_way,) = await desk.desk.on_journal(lambda journal: journal.transfers())
    long_ago = msgspec.structs.replace(under_way, ms=under_way.ms - ago_ms)
    await desk.desk.on_journal(lambda journal: journal.keep_transfers([long_ago]))
    following = desk.desk.phone.following
    following.hand_over, following.pictured = HandOver(desk.desk), asyncio.Event()
    there = desk.desk.phone.engine().snapshot
    await following.take(msgspec.structs.replace(there, **known))


async def under_way(desk: DeskPage) -> int:
    return len(await desk.desk.on_journal(lambda journal: journal.transfers()))


async def test_a_desk_that_was_killed_behind_a_transfer_gives_the_appeal_at_its_next_start() -> None:
    async with open_desk() as desk:
        await sent(desk)
        await desk.until_quiet()
        await begun_anew(desk)
        await owner(desk, USER)
        await desk.until(lambda: "передано с вызовом" in desk.notice, "to whom")
        assert await under_way(desk) == 0


async def test_begun_anew_while_it_still_rings_there_it_waits_for_who_takes_him() -> None:
    async with open_desk(phone={"transfer_rings_seconds": 600.0}) as desk:
        await sent(desk)
        await desk.until_quiet()
        await begun_anew(desk, ago_ms=0, colleagues={TARGET: State.RINGING.value})
        own = desk.desk.state.operator
        assert own is not None
        assert ("Переведённый", own.user) in await saved(desk)
        assert await under_way(desk) == 1
        await desk.desk.phone.following.take(ColleaguesChanged({TARGET: State.TALKING.value}))
        await owner(desk, USER)


@pytest.mark.parametrize("facts", [[], [Kind.CALL_TRANSFERRED, Kind.CALL_ENDED]])
async def test_where_nobody_knows_any_more_the_appeal_follows_the_caller(facts: list[Kind]) -> None:
    """The engine is a new one; the journal may know that the call was transferred."""
    async with open_desk() as desk:
        call = await written(desk)
        await desk.desk.phone.following.hand_over.prepare(call, TARGET)
        for kind in facts:
            await desk.desk.run_journal(desk.desk.parts.journal.record, kind, {"call": call.id, "to": TARGET})
        await begun_anew(desk, calls=(), recent=())
        await owner(desk, USER)


async def test_a_caller_who_had_hung_up_before_stays_with_the_one_he_talked_to() -> None:
    async with open_desk() as desk:
        call = await written(desk)
        await desk.desk.phone.following.hand_over.prepare(call, TARGET)
        gone = msgspec.structs.replace(call, state=CallState.ENDED, ended_ms=call.started_ms, ended_by=EndedBy.THERE)
        await begun_anew(desk, calls=(), recent=(gone,))
        await desk.desk.phone.following.take(ColleaguesChanged({TARGET: State.TALKING.value}))
        own = desk.desk.state.operator
        assert own is not None
        assert await under_way(desk) == 0
        assert ("Переведённый", own.user) in await saved(desk)


async def test_a_transfer_refused_while_no_desk_heard_it_ends_with_the_call() -> None:
    async with open_desk() as desk:
        call = await written(desk)
        await desk.desk.phone.following.hand_over.prepare(call, TARGET)
        await begun_anew(desk)
        assert await under_way(desk) == 1, "he is still here, and the answer may be on its way"
        gone = msgspec.structs.replace(call, state=CallState.ENDED, ended_ms=call.started_ms, ended_by=EndedBy.THERE)
        await desk.desk.phone.following.take(CallChanged(gone))
        assert await under_way(desk) == 0
        own = desk.desk.state.operator
        assert own is not None
        assert ("Переведённый", own.user) in await saved(desk)


async def test_who_rings_again_as_the_desk_starts_anew_has_his_card() -> None:
    async with open_desk(phone={"transfer_rings_seconds": 600.0}) as desk:
        call = await sent(desk)
        await desk.until_quiet()
        back = msgspec.structs.replace(call, id="back", state=CallState.RINGING, queue="", answered_ms=None)
        back = msgspec.structs.replace(back, started_ms=desk.desk.clock.now_ms())
        await begun_anew(desk, calls=(back,))
        await desk.until(lambda: "вернулся к вам вместе с обращением" in desk.notice, "why it rings")
        talking = msgspec.structs.replace(back, state=CallState.TALKING, answered_ms=back.started_ms + 1)
        await desk.desk.phone.following.take(CallChanged(talking))
        card = desk.desk.state.card
        assert card is not None
        assert (card.fields["surname"], card.call) == ("Переведённый", "back")
        assert await under_way(desk) == 0


async def test_an_appeal_that_was_moved_meanwhile_is_left_where_it_is() -> None:
    async with open_desk() as desk:
        await sent(desk)
        await desk.until_quiet()
        (card,) = [one for one in await desk.desk.active() if one.value("surname") == "Переведённый"]
        await desk.desk.appeals.move(card.id, Act.FORWARD, operator=str(USER + 1))
        await begun_anew(desk)
        await desk.desk.phone.following.take(ColleaguesChanged({TARGET: State.TALKING.value}))
        assert await under_way(desk) == 0
        assert ("Переведённый", USER + 1) in await saved(desk)
