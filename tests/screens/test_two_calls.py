"""Two calls and one operator, by keys alone, on the simulated line."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from operator_tui.appeals.draft import Draft
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import Kind
from operator_tui.appeals.presence import State
from operator_tui.desk.shift import Waits
from operator_tui.desk.state import Topic
from operator_tui.phone.line import Call, CallChanged, CallState, Direction, EndedBy
from tests.screens.elsewhere import COLLEAGUE, Elsewhere
from tests.screens.page import DeskPage, List, open_desk
from tests.screens.test_call import answered

QUIET = {"simulated_first_seconds": 600.0}


async def dial(desk: DeskPage, key: str, number: str) -> None:
    await desk.press(key)
    await desk.type(number)
    await desk.press("enter")


@pytest.mark.function("K-4.8")
async def test_a_number_is_dialled_by_key_and_opens_a_card() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.until(lambda: "свободен" in desk.line("#who"), "free")
        await dial(desk, "alt+d", "88652012345")
        await desk.until(lambda: "ВЫЗОВ" in desk.phone, "it rings there")
        assert "ВХОДЯЩИЙ" not in desk.phone
        await desk.until_talking()
        call = desk.desk.state.call
        assert call is not None
        assert call.direction is Direction.OUTGOING
        await desk.until(lambda: desk.desk.state.card is not None, "a card")
        assert desk.desk.state.card is not None
        assert desk.desk.state.card.call == call.id


async def test_letters_are_no_number() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.until(lambda: "свободен" in desk.line("#who"), "free")
        await dial(desk, "alt+d", "abc")
        await desk.until(lambda: "Неверный номер" in desk.notice, "why not")


async def test_the_number_of_the_card_is_called_back_by_one_key() -> None:
    async with open_desk() as desk:
        await answered(desk)
        call = desk.desk.state.call
        assert call is not None
        await desk.press("f4")
        await desk.until_quiet()
        await desk.press("alt+b")
        await desk.until_talking()
        again = desk.desk.state.call
        assert again is not None
        assert (again.number, again.direction) == (call.number, Direction.OUTGOING)
        card = desk.desk.state.card
        assert card is not None
        assert card.call == call.id, "the same card goes on"


async def test_the_microphone_and_digits_by_key() -> None:
    async with open_desk() as desk:
        await answered(desk)
        await desk.press("alt+m")
        await desk.until(lambda: "МИКРОФОН ВЫКЛЮЧЕН" in desk.phone, "muted, in words")
        await desk.press("alt+m")
        await desk.until(lambda: "МИКРОФОН ВЫКЛЮЧЕН" not in desk.phone, "heard again")
        await dial(desk, "alt+i", "12x")
        await desk.until(lambda: "Неверный номер" in desk.notice, "no such key on a telephone")
        assert desk.call_state() is CallState.TALKING


@pytest.mark.function("K-4.10")
async def test_a_colleague_is_asked_and_then_joined() -> None:
    async with open_desk() as desk:
        await answered(desk)
        caller = desk.desk.state.call
        assert caller is not None
        await dial(desk, "alt+c", "2003")
        await desk.until(lambda: "НА УДЕРЖАНИИ" in desk.phone, "the caller waits, and the line says so")
        await desk.until_talking()
        assert desk.desk.state.card is not None
        assert desk.desk.state.card.call == caller.id, "advice opens no card"
        await desk.press("alt+j")
        await desk.until_quiet()


async def test_after_the_advice_the_caller_is_talked_to_again() -> None:
    async with open_desk() as desk:
        await answered(desk)
        caller = desk.desk.state.call
        assert caller is not None
        await dial(desk, "alt+c", "2003")
        await desk.until(
            lambda: (call := desk.desk.state.call) and call.id != caller.id and call.state is CallState.TALKING,
            "the colleague",
        )
        await desk.press("f4")
        await desk.until(
            lambda: (call := desk.desk.state.call) and call.id == caller.id and call.state is CallState.TALKING,
            "back to the caller",
        )


async def test_nobody_transfers_to_himself() -> None:
    async with open_desk() as desk:
        await answered(desk)
        await dial(desk, "f7", desk.desk.state.registration.extension)
        await desk.until(lambda: "ваш собственный" in desk.notice, "why not")
        assert desk.call_state() is CallState.TALKING


async def test_a_second_caller_waits_is_answered_and_swapped_with_his_card() -> None:
    async with open_desk(phone={"simulated_waiting_seconds": 0.5}) as desk:
        await answered(desk)
        first = desk.desk.state.call
        assert first is not None
        await desk.surname.type("Первый")
        await desk.until(lambda: "ВХОДЯЩИЙ ВЫЗОВ" in desk.phone, "the second one, beside the talk")
        assert desk.call_state() is CallState.TALKING
        await desk.press("f2")
        await desk.until(
            lambda: (call := desk.desk.state.call) and call.id != first.id and call.state is CallState.TALKING,
            "the second caller",
        )
        second = desk.desk.state.call
        assert second is not None
        await desk.until(lambda: (card := desk.desk.state.card) and card.call == second.id, "his own card")
        await desk.press("alt+c")
        await desk.until(lambda: "третьего не зовут" in desk.notice, "whom would the colleague get?")
        with pytest.raises(Refusal) as refused:
            await desk.desk.phone.consult("2003")
        assert refused.value.code is Code.TWO_ON_LINE
        assert len(desk.desk.state.calls) == 2
        await desk.press("alt+s")
        await desk.until(
            lambda: (call := desk.desk.state.call) and call.id == first.id and call.state is CallState.TALKING,
            "the first caller again",
        )
        await desk.until(lambda: (card := desk.desk.state.card) and card.call == first.id, "and his card")
        card = desk.desk.state.card
        assert card is not None
        assert card.fields["surname"] == "Первый"
        await desk.press("f4")
        await desk.until(lambda: (call := desk.desk.state.call) and call.id == second.id, "the second one still waits")
        assert desk.desk.state.presence.state is State.TALKING, "no wrap-up begins while somebody is held"
        await desk.press("f3")
        await desk.until(lambda: (card := desk.desk.state.card) and card.call == second.id, "talked to with his card")
        assert desk.desk.state.presence.state is State.TALKING


async def test_nobody_is_free_while_one_of_two_who_rang_still_rings() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.until(lambda: desk.desk.state.presence.state is State.FREE, "free")
        await desk.deaf()
        now = desk.desk.clock.now_ms()
        first, second = (
            Call(name, Direction.INCOMING, f"+7865200000{name}", CallState.RINGING, now) for name in ("1", "2")
        )
        gone = {"state": CallState.ENDED, "ended_ms": now + 1, "ended_by": EndedBy.THERE}
        seen = []
        for call in (first, second, replace(first, **gone), replace(second, **gone)):
            await desk.desk.phone.following.take(CallChanged(call))
            seen.append(desk.desk.state.presence.state)
        assert seen == [State.RINGING] * 3 + [State.FREE]
        assert desk.desk.phone.engine()._ready, "and the queue may give him the next one"


async def test_who_is_talked_to_again_comes_with_his_people_and_his_history() -> None:
    async with open_desk(phone={"simulated_waiting_seconds": 0.5}) as desk:
        await answered(desk)
        first = desk.desk.state.call
        assert first is not None
        elsewhere = await Elsewhere.of(desk)
        made = {"type": "Консультация", "theme": "К-01.3", "number": "13-1", "phone": first.number}
        before = await elsewhere.does(COLLEAGUE, Kind.CARD_NEW, {**made, "zone": "Europe/Moscow"})
        await ringing_beside(desk)
        await desk.press("f2")
        await desk.until(lambda: (call := desk.desk.state.call) and call.id != first.id, "the second caller")
        await desk.until(lambda: (card := desk.desk.state.card) and card.call != first.id, "his own card")
        await desk.press("alt+s")
        await desk.until(lambda: (card := desk.desk.state.card) and card.call == first.id, "the first one's card")
        await desk.until(lambda: List(desk, "#history").keys() == [before], "what he had asked before")
        card = desk.desk.state.card
        assert card is not None
        assert card.candidates, "the people of his number"


async def test_two_callers_are_not_joined() -> None:
    async with open_desk(phone={"simulated_waiting_seconds": 0.5}) as desk:
        await answered(desk)
        await ringing_beside(desk)
        await desk.press("f2")
        await desk.until(lambda: any(call.held for call in desk.desk.state.others), "the first waits")
        await desk.until(lambda: "Другой" in desk.text(), "the keys of two calls")
        assert "Соединить" not in desk.text()
        await desk.press("alt+j")
        await desk.until(lambda: "на линии два обратившихся" in desk.notice, "why not")
        assert len(desk.desk.state.calls) == 2


async def test_a_citizen_called_back_and_a_caller_are_not_joined() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.until(lambda: "свободен" in desk.line("#who"), "free")
        following = desk.desk.phone.following
        talks: dict[str, Any] = {"started_ms": 1, "answered_ms": 1, "number": "+78652012345"}
        back = Call(id="1", direction=Direction.OUTGOING, state=CallState.TALKING, **talks)
        caller = Call(id="2", direction=Direction.INCOMING, state=CallState.TALKING, **talks)
        following.calls = {"1": back, "2": caller}
        assert following.asked_colleague() is None
        following.calls["1"] = replace(back, number="2003")
        asked = following.asked_colleague()
        assert asked is not None
        assert asked.id == "1"
        following.calls = {}


async def test_the_administrator_on_shift_is_called_about_the_caller_by_one_key() -> None:
    async with open_desk() as desk:
        await answered(desk)
        caller = desk.desk.state.call
        assert caller is not None
        desk.desk.change(Topic.PHONE, colleagues={"2011": "free"})
        await desk.press("shift+f8")
        await desk.until(lambda: (call := desk.desk.state.call) and call.number == "2011", "the administrator")
        await desk.until(lambda: any(call.id == caller.id and call.held for call in desk.desk.state.calls), "he waits")


async def test_no_administrator_on_shift_is_said_and_the_talk_goes_on() -> None:
    async with open_desk() as desk:
        await answered(desk)
        desk.desk.change(Topic.PHONE, colleagues={"2011": "offline"})
        await desk.press("shift+f8")
        await desk.until(lambda: "Администратора смены нет на связи" in desk.notice, "why not")
        assert desk.call_state() is CallState.TALKING


async def test_a_second_call_about_the_same_matter_is_bound_to_the_first_ones_appeal() -> None:
    async with open_desk(phone={"simulated_next_seconds": 0.5}) as desk:
        await answered(desk)
        first = desk.desk.state.call
        assert first is not None
        await desk.surname.type("Перезвонивший")
        await desk.press("f4")
        await desk.until_quiet()
        await desk.press("f12")
        await desk.until_ringing()
        await desk.press("f2")
        await desk.until_talking()
        second = desk.desk.state.call
        assert second is not None
        await desk.until(lambda: (card := desk.desk.state.card) and card.call == second.id, "a card of its own")
        (draft,) = [one for one in await drafts(desk) if one.call == first.id]
        await desk.desk.phone.shift.open(Waits("", "", draft=draft.id))
        await desk.until(lambda: desk.surname.value == "Перезвонивший", "the first one's appeal")
        await desk.press("shift+f2")
        await desk.until(lambda: "прикреплён к этому обращению" in desk.notice, "bound")
        (kept,) = await drafts(desk)
        assert kept.fields["calls"] == [{"call": second.id, "number": second.number}]
        assert await desk.desk.on_journal(lambda journal: journal.calls_without_card()) == []
        await desk.press("shift+f2")
        await desk.until(lambda: "уже относится" in desk.notice, "once is enough")


async def ringing_beside(desk: DeskPage) -> None:
    await desk.until(lambda: "ВХОДЯЩИЙ ВЫЗОВ" in desk.phone, "the second one, beside the talk")


async def drafts(desk: DeskPage) -> list[Draft]:
    return await desk.desk.on_journal(lambda journal: journal.drafts())
