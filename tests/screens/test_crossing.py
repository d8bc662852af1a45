"""A key and an event that cross: what the key meant is done or refused, never to another call or another card."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import Kind
from operator_tui.desk.state import CardAtHand, Topic
from operator_tui.phone.line import Call
from screens.ask import AskScreen
from screens.base import DeskScreen
from screens.directory import DirectoryScreen
from screens.threat import ThreatScreen
from tests.screens.crossing import WITH_A_SECOND, hung_up_there, packet, so, two_talks
from tests.screens.page import DeskPage, open_desk
from tests.screens.test_call import answered
from tests.screens.test_desk import QUIET
from tests.screens.test_states import facts
from tests.screens.test_two_calls import ringing_beside


async def test_who_waits_is_not_cut_off_by_the_key_meant_for_the_caller_who_hung_up_himself() -> None:
    async with open_desk(phone=WITH_A_SECOND) as desk:
        front, waits = await two_talks(desk)
        await hung_up_there(desk, front)
        await desk.press("f4")
        await desk.until(lambda: "Собеседник сам положил трубку" in desk.notice, "what has happened")
        assert [call.id for call in desk.desk.phone.engine().snapshot.calls if call.id == waits.id] == [waits.id]
        await desk.press("f4")
        await desk.until(lambda: desk.desk.phone.engine().snapshot.call(waits.id).over, "meant, it ends")  # type: ignore[union-attr]  # the engine knows its last calls


async def test_who_rings_is_not_rejected_by_the_key_meant_for_the_caller_who_hung_up_himself() -> None:
    async with open_desk(phone=WITH_A_SECOND) as desk:
        await answered(desk)
        await ringing_beside(desk)
        front = desk.desk.state.call
        assert front is not None
        await hung_up_there(desk, front)
        await desk.press("f4")
        await desk.until(lambda: "Собеседник сам положил трубку" in desk.notice, "what has happened")
        assert not isinstance(desk.app.screen, AskScreen), "what is typed next goes into no question"
        await desk.press("f4")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "meant, it asks why")


async def test_nobody_is_called_in_the_place_of_a_caller_who_is_gone() -> None:
    async with open_desk() as desk:
        await answered(desk)
        front = desk.desk.state.call
        assert front is not None
        await desk.press("alt+r")
        await desk.until(lambda: isinstance(desk.app.screen, DirectoryScreen), "the directory")
        await hung_up_there(desk, front)
        await desk.type("2003")
        await desk.press("enter")
        await desk.until(lambda: "Этого вызова уже нет" in desk.notice, "why not")
        assert desk.desk.state.call is None


async def test_another_caller_is_not_moved_to_the_telephone_asked_for_the_first() -> None:
    async with open_desk(phone=WITH_A_SECOND) as desk:
        front, waits = await two_talks(desk)
        asked = desk.app.with_this_call(desk.desk.phone.talks.move_to)
        await hung_up_there(desk, front)
        with pytest.raises(Refusal) as refused:
            await asked("2003")
        assert refused.value.code is Code.CALL_OTHER
        assert desk.desk.state.call is not None
        assert desk.desk.state.call.id == waits.id


async def test_a_call_is_bound_to_the_card_it_was_bound_to_or_to_none() -> None:
    async with open_desk() as desk:
        await answered(desk)
        journal = desk.desk.on_journal
        desk.desk.change(Topic.CARD, card=CardAtHand(draft="of-another-caller"))

        async def slowly(work: Any) -> Any:
            found = await journal(work)
            desk.desk.on_journal = journal  # type: ignore[method-assign]  # once
            await desk.desk.card.open()
            return found

        desk.desk.on_journal = slowly  # type: ignore[method-assign]  # another card comes meanwhile
        with pytest.raises(Refusal) as refused:
            await desk.desk.phone.talks.bind()
        assert refused.value.code is Code.CARD_OTHER
        now = desk.desk.state.card
        assert now is not None
        assert not now.fields.get("calls")


async def reported(desk: DeskPage) -> list[tuple[str, str]]:
    """Threats as they are written: of which call, and with which call the administrator was told."""
    threats = [one.x["call"] for one in await facts(desk, Kind.CALL_THREAT)]
    told = [one.x["call"] for one in await facts(desk, Kind.REPORTED) if one.x["kind"] == "threat"]
    return list(zip(threats, told, strict=True))


async def test_a_threat_is_of_the_caller_it_was_pressed_for_when_another_comes_to_the_front_meanwhile() -> None:
    async with open_desk(phone=WITH_A_SECOND) as desk:
        front, waits = await two_talks(desk)
        await desk.until(lambda: (card := desk.desk.state.card) and card.call == front.id, "his card")
        talks, begun, end = desk.desk.phone.talks, asyncio.Event(), asyncio.Event()
        threat = talks.threat

        async def slowly(call: Call | None) -> None:
            begun.set()
            await end.wait()
            await threat(call)

        talks.threat = slowly  # type: ignore[method-assign]  # a disk that takes its time
        packet(desk, "shift+f6")
        await so(begun.is_set)
        await hung_up_there(desk, front)
        desk.desk.change(Topic.CARD, card=CardAtHand(draft="of-another-caller"))
        end.set()
        await desk.until(lambda: isinstance(desk.app.screen, ThreatScreen), "what to say")
        assert await reported(desk) == [(front.id, front.id)]
        await desk.press("enter")
        await desk.until(lambda: isinstance(desk.app.screen, DeskScreen), "asked")
        await desk.until(lambda: "на линии другой вызов" in desk.notice, "who waits is not held for this")
        assert all(one.id == waits.id for one in desk.desk.state.calls)


@pytest.mark.parametrize("waiting", [False, True], ids=["alone", "another-waits"])
async def test_a_threat_is_noted_of_the_caller_who_hung_up_right_before_the_key(waiting: bool) -> None:
    async with open_desk(phone=WITH_A_SECOND if waiting else {}) as desk:
        if waiting:
            front, _ = await two_talks(desk)
        else:
            await answered(desk)
            now = desk.desk.state.call
            assert now is not None
            front = now
        await hung_up_there(desk, front)
        await desk.press("shift+f6")
        await desk.until(lambda: isinstance(desk.app.screen, ThreatScreen), "what to say")
        assert await reported(desk) == [(front.id, front.id)]


async def test_swapped_twice_the_card_is_the_last_ones_whichever_is_read_sooner() -> None:
    async with open_desk(phone=WITH_A_SECOND) as desk:
        front, waits = await two_talks(desk)
        await desk.until(lambda: (card := desk.desk.state.card) and card.call == front.id, "the second one's card")
        await desk.surname.type("Второй")
        await desk.desk.card.flush_draft()
        first, second = asyncio.Event(), asyncio.Event()
        journal = desk.desk.on_journal
        held = [first, second]

        async def slowly(work: Any) -> Any:
            read = await journal(work)
            if held:
                await held.pop(0).wait()
            return read

        desk.desk.on_journal = slowly  # type: ignore[method-assign]  # a disk that answers in its own order
        following = desk.desk.phone.following
        away = asyncio.create_task(following.bring_card(waits))
        await asyncio.sleep(0)
        back = asyncio.create_task(following.bring_card(front))
        await desk.until(lambda: not held or back.done(), "both are asked for")
        second.set()
        await back
        first.set()
        await away
        card = desk.desk.state.card
        assert card is not None
        assert card.call == front.id


async def test_a_call_back_whose_card_gave_way_to_a_callers_dials_nobody() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.press("insert")
        await desk.until_screen("work")
        await desk.surname.type("Первый")
        await desk.phone_field.type("+78652000199")
        desk.desk.card.choose_theme(desk.desk.catalogue.theme("К-01.3"))
        saved = await desk.desk.card.save()
        await desk.desk.card.leave()
        edit, dialled = desk.desk.card.edit, list[str]()

        async def late(card_id: str) -> None:
            under_way = asyncio.ensure_future(edit(card_id))
            await asyncio.sleep(0)  # it has begun to ask the journal
            await desk.desk.card.open()
            await under_way

        async def dial(number: str) -> None:
            dialled.append(number)

        desk.desk.card.edit = late  # type: ignore[method-assign]  # a caller is faster
        desk.desk.phone.dial = dial  # type: ignore[method-assign]  # whoever would be called
        with pytest.raises(Refusal) as refused:
            await desk.desk.appeals.call_back(saved.id)
        assert refused.value.code is Code.CARD_OTHER
        desk.desk.card.edit = edit  # type: ignore[method-assign]  # nobody calls now
        await desk.desk.appeals.call_back(saved.id)
        assert dialled == ["+78652000199"]
