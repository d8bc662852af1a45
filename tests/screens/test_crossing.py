"""A key and an event that cross: what the key meant is done or refused, never to another call or another card."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from textual.events import Key

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.people import Role
from operator_tui.desk.state import CardAtHand, Topic
from operator_tui.phone.line import Call, CallChanged, CallState, EndedBy, Snapshot
from screens.ask import AskScreen
from screens.base import DeskScreen
from screens.directory import DirectoryScreen
from tests.screens.elsewhere import become
from tests.screens.page import ON_CALL, PATIENCE_S, DeskPage, open_desk
from tests.screens.test_call import answered
from tests.screens.test_desk import QUIET
from tests.screens.test_two_calls import ringing_beside

WITH_A_SECOND = {"simulated_waiting_seconds": 0.3}
FOR_EVER_S = 600.0


async def so(condition: Callable[[], object]) -> None:
    """Wait without the pilot, who would wait for a screen that has something to do."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110  # what a key has come to is no event
            await asyncio.sleep(0.01)


async def hung_up_there(desk: DeskPage, call: Call) -> None:
    """What the engine tells when the other end hangs up; the simulated one still believes that he is there."""
    following = desk.desk.phone.following
    take = following.take

    async def of_the_others(event: Any) -> None:
        if not isinstance(event, Snapshot) and not (isinstance(event, CallChanged) and event.call.id == call.id):
            await take(event)

    following.take = of_the_others  # type: ignore[method-assign]  # the engine's picture is older than the truth
    over = replace(call, state=CallState.ENDED, ended_ms=desk.desk.clock.now_ms(), ended_by=EndedBy.THERE)
    await take(CallChanged(over))


async def two_talks(desk: DeskPage) -> tuple[Call, Call]:
    """Two callers who were answered: the one talked to, and the one who waits."""
    await answered(desk)
    await ringing_beside(desk)
    await desk.press("f2")
    await desk.until(lambda: any(call.held for call in desk.desk.state.others), "the first one waits")
    await desk.until_talking()
    front, (waits,) = desk.desk.state.call, desk.desk.state.others
    assert front is not None
    return front, waits


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


async def test_letters_typed_right_after_the_answer_go_into_the_callers_card(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever lies between «Ответить» and the talk, while a key has patience."""
    monkeypatch.setattr("operator_tui.typeahead.PATIENCE_S", FOR_EVER_S)
    monkeypatch.setattr("operator_tui.desk.line._CARD_S", FOR_EVER_S)
    async with open_desk(phone=ON_CALL) as desk:
        await desk.ring()
        await desk.until(lambda: "F2 Ответить" in desk.phone, "the ring")
        following, connected = desk.desk.phone.following, asyncio.Event()
        take = following.take

        async def late(event: Any) -> None:
            await connected.wait()
            await take(event)

        following.take = late  # type: ignore[method-assign]  # a PBX that is slow
        for key in ("f2", *"сини"):
            desk.app.post_message(Key(key, key if len(key) == 1 else None))
        await so(lambda: len(desk.app._waiting_keys) == 4)
        connected.set()
        await desk.until_screen("work")
        await desk.until(lambda: desk.search.value == "сини", "all letters in the card's search line")
        assert desk.desk.state.card is not None


async def test_people_of_the_callers_number_do_not_take_away_a_search_that_was_begun() -> None:
    async with open_desk(phone=ON_CALL) as desk:
        await desk.ring()
        known, find = asyncio.Event(), desk.desk.card.find_caller

        async def late(phone: str) -> None:
            await known.wait()
            await find(phone)

        desk.desk.card.find_caller = late  # type: ignore[method-assign]  # a registry that takes its time
        await desk.press("f2")
        await desk.until_screen("work")
        await desk.until(lambda: desk.search.focused, "the search line")
        await desk.type("сини")
        known.set()
        await desk.until(lambda: (card := desk.desk.state.card) and card.candidates, "whose number it is")
        await desk.until(lambda: desk.hits.rows(), "who was searched for")
        assert desk.search.value == "сини"
        assert desk.search.focused
        card = desk.desk.state.card
        assert card is not None
        assert set(desk.hits.keys()) != {person.enp for person in card.candidates}


@pytest.mark.parametrize("field", ["surname", "comment"])
async def test_a_letter_on_its_way_stays_with_its_card_when_another_call_is_taken_by_itself(field: str) -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.press("insert")
        await desk.until_screen("work")
        await desk.surname.type("Перва")
        part = desk.surname if field == "surname" else desk.comment
        if field == "comment":
            await desk.comment.type("О перво")
        card = desk.desk.state.card
        assert card is not None
        # The letter is in its field, and none of what the field tells has been heard yet.
        (part.widget.insert_text_at_cursor if field == "surname" else part.widget.insert)("я")
        await desk.desk.card.open()
        await desk.until(lambda: "в черновике прежней" in desk.notice, "where it went")
        now = desk.desk.state.card
        assert now is not None
        assert now.draft != card.draft
        assert not now.fields.get(field)
        assert part.value == ""
        drafts = {one.id: one.fields for one in await desk.desk.on_journal(lambda journal: journal.drafts())}
        typed = {"surname": "Первая"} if field == "surname" else {"surname": "Перва", "comment": "О первоя"}
        assert {name: drafts[card.draft][name] for name in typed} == typed


@pytest.mark.parametrize("field", ["surname", "comment"])
async def test_a_command_right_behind_the_last_letter_waits_until_that_is_in_its_card(
    field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several keys in one packet, as a slow line brings them, while the screen has something else to do."""
    monkeypatch.setattr("operator_tui.typeahead.PATIENCE_S", FOR_EVER_S)
    async with open_desk(phone=QUIET) as desk:
        await desk.press("insert")
        await desk.until_screen("work")
        part = desk.surname if field == "surname" else desk.comment
        await part.type("А")
        card, done = desk.desk.state.card, asyncio.Event()
        assert card is not None
        desk.app.screen.call_later(done.wait)
        for key in (*"бвгд", "insert"):
            desk.app.post_message(Key(key, key if len(key) == 1 else None))
        await so(lambda: part.value == "Абвгд" and len(desk.app._waiting_keys) == 1)
        assert [key.key for key in desk.app._waiting_keys] == ["insert"]
        assert desk.desk.state.card.draft == card.draft
        done.set()
        await desk.until(lambda: (now := desk.desk.state.card) and now.draft != card.draft, "the next card")
        await desk.until(lambda: not desk.app._key_under_way, "all keys are done")
        assert not desk.desk.state.card.fields.get(field)
        drafts = {one.id: one.fields for one in await desk.desk.on_journal(lambda journal: journal.drafts())}
        assert drafts[card.draft][field] == "Абвгд"


async def test_a_card_that_is_added_while_the_last_one_is_put_away_stays() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.press("insert")
        await desk.until_screen("work")
        leaving = desk.desk.card.leave()
        adding = desk.desk.card.open()
        added = desk.desk.state.card
        await leaving
        await adding
        assert added is not None
        assert desk.desk.state.card is not None
        assert desk.desk.state.card.draft == added.draft
        await desk.desk.card.leave()
        assert desk.desk.state.card is None


def typing_while_the_disk_is_busy(desk: DeskPage, text: str) -> None:
    """With each of the next writings and readings a letter of the comment comes."""
    journal, left = desk.desk.on_journal, list(text)

    async def busy(work: Any) -> Any:
        if left:
            card = desk.desk.state.card
            assert card is not None
            desk.desk.card.type_field("comment", str(card.fields.get("comment", "")) + left.pop(0))
        return await journal(work)

    desk.desk.on_journal = busy  # type: ignore[method-assign]  # a disk that takes its time


async def test_what_is_typed_while_the_card_is_being_saved_stays_in_it() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.press("insert")
        await desk.until_screen("work")
        await desk.surname.type("Первый")
        desk.desk.card.choose_theme(desk.desk.catalogue.theme("К-01.3"))
        desk.desk.card.fill_comment("Спросил")
        typing_while_the_disk_is_busy(desk, "!")
        saved = await desk.desk.card.save()
        card = desk.desk.state.card
        assert card is not None
        assert card.saved == saved
        assert card.fields["comment"] == "Спросил!"
        await desk.desk.card.flush_draft()
        drafts = await desk.desk.on_journal(lambda journal: journal.drafts())
        assert [one.fields["comment"] for one in drafts if one.id == card.draft] == ["Спросил!"]
        await desk.until(lambda: desk.comment.value == "Спросил!", "on the screen too")
        assert (await desk.desk.card.save()).value("comment") == "Спросил!"
        await desk.desk.card.flush_draft()
        assert not [one for one in await desk.desk.on_journal(lambda journal: journal.drafts()) if one.card]


async def test_what_is_typed_while_the_last_draft_is_written_goes_away_with_its_card() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.press("insert")
        await desk.until_screen("work")
        await desk.surname.type("Первый")
        desk.desk.card.choose_theme(desk.desk.catalogue.theme("К-01.3"))
        saved = await desk.desk.card.save()
        await desk.desk.card.leave()
        for number, go in enumerate((desk.desk.card.leave, lambda: desk.desk.card.edit(saved.id)), 1):
            await desk.desk.card.open()
            card = desk.desk.state.card
            assert card is not None
            desk.desk.card.fill_comment(f"{number}: ")
            typing_while_the_disk_is_busy(desk, "аб")
            await go()
            now = desk.desk.state.card
            assert now is None or now.draft != card.draft
            drafts = {one.id: one.fields for one in await desk.desk.on_journal(lambda journal: journal.drafts())}
            assert drafts[card.draft]["comment"] == f"{number}: аб"


async def test_a_card_asked_for_before_the_call_was_answered_does_not_lie_over_the_callers() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.press("insert")
        await desk.until_screen("work")
        await desk.surname.type("Первый")
        await desk.desk.card.flush_draft()
        (kept,) = await desk.desk.on_journal(lambda journal: journal.drafts())
        desk.desk.card.choose_theme(desk.desk.catalogue.theme("К-01.3"))
        saved = await desk.desk.card.save()
        await desk.desk.card.leave()
        for asked in (desk.desk.card.edit(saved.id), desk.desk.card.bring(replace_card(kept, saved.id))):
            under_way = asyncio.ensure_future(asked)
            await asyncio.sleep(0)  # it has begun to ask the journal
            opening = desk.desk.card.open()
            callers = desk.desk.state.card
            await opening
            await under_way
            assert callers is not None
            assert desk.desk.state.card is not None
            assert desk.desk.state.card.draft == callers.draft


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


@pytest.mark.parametrize("mode", ["work", "journal"])
async def test_a_deed_chosen_for_one_appeal_is_not_done_to_the_callers(mode: str) -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.press("insert")
        await desk.until_screen("work")
        await desk.surname.type("Первый")
        if mode == "journal":
            desk.desk.card.choose_theme(desk.desk.catalogue.theme("К-01.3"))
            await desk.desk.card.save()
            await desk.desk.card.leave()
            desk.app.switch_mode("journal")
            await desk.until_screen("journal")
            await desk.until(lambda: desk.journal.rows(), "the appeal")
        await desk.press("ctrl+z")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen) and desk.app.focused, "the list")
        await desk.type("ответ себе" if mode == "work" else "Уточняющие")
        await desk.desk.card.open()
        desk.app.switch_mode("work")
        await desk.press("enter")
        await desk.until(lambda: "Пришёл вызов со своей карточкой" in desk.notice, "why not")
        assert isinstance(desk.app.screen, DeskScreen)


async def test_a_file_that_is_read_slowly_goes_to_the_card_it_was_chosen_for(tmp_path: Path) -> None:
    async with open_desk(phone=QUIET) as desk:
        await become(desk, Role.OPERATOR_2)
        await desk.press("insert")
        await desk.until_screen("work")
        await desk.surname.type("Первый")
        first = desk.desk.state.card
        assert first is not None
        file, read = tmp_path / "a.pdf", desk.desk.run_journal
        file.write_bytes(b"%PDF-1.7\n")

        async def slowly(work: Any) -> Any:
            found = await read(work)
            if (card := desk.desk.state.card) is not None and card.draft == first.draft:
                await desk.desk.card.open()
            return found

        desk.desk.run_journal = slowly  # type: ignore[method-assign]  # another card comes while the file is read
        await desk.desk.papers.attach(file, "1", "2026-01-20")
        now = desk.desk.state.card
        assert now is not None
        assert now.draft != first.draft
        assert not now.fields.get("files")
        drafts = {one.id: one.fields for one in await desk.desk.on_journal(lambda journal: journal.drafts())}
        assert [paper["number"] for paper in drafts[first.draft]["files"]] == ["1"]


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


async def test_people_of_his_number_are_offered_again_when_a_caller_is_swapped_back_to() -> None:
    async with open_desk(phone=ON_CALL) as desk:
        await desk.ring()
        await desk.press("f2")
        await desk.until_screen("work")
        await desk.until(lambda: (card := desk.desk.state.card) and card.candidates, "whose number it is")
        await desk.until(lambda: desk.hits.rows(), "they are offered")
        first = desk.desk.state.card
        assert first is not None
        await desk.press("f5")
        await desk.type("сини")
        await desk.desk.card.open()
        await desk.until(lambda: (now := desk.desk.state.card) and now.draft != first.draft, "another card")
        await desk.press("f5", "ctrl+u")
        desk.desk.change(Topic.CARD, card=first)
        await desk.until(lambda: {*desk.hits.keys()} == {one.enp for one in first.candidates}, "they are offered again")


def replace_card(draft: Any, card: str) -> Any:
    return replace(draft, card=card)


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
