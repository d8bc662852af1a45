"""A card that is typed into, saved or put away while another comes: all that is written stays with its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from operator_tui.appeals.card import Card
from operator_tui.appeals.draft import Draft
from operator_tui.appeals.people import Role
from operator_tui.desk.state import CardAtHand, Topic
from screens.ask import AskScreen
from screens.base import DeskScreen
from tests.screens.crossing import packet, so
from tests.screens.elsewhere import become
from tests.screens.page import ON_CALL, DeskPage, open_desk
from tests.screens.test_desk import QUIET, with_theme


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
        for asked in (desk.desk.card.edit(saved.id), desk.desk.card.bring(replace(kept, card=saved.id))):
            under_way = asyncio.ensure_future(asked)
            await asyncio.sleep(0)  # it has begun to ask the journal
            opening = desk.desk.card.open()
            callers = desk.desk.state.card
            await opening
            await under_way
            assert callers is not None
            assert desk.desk.state.card is not None
            assert desk.desk.state.card.draft == callers.draft


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
        await desk.until(lambda: "Той карточки на экране уже нет" in desk.notice, "why not")
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


async def test_the_card_that_was_begun_for_a_call_comes_with_its_answer_also_where_another_is_at_hand() -> None:
    async with open_desk(phone=ON_CALL) as desk:
        await desk.ring()
        call = desk.desk.state.call
        assert call is not None
        begun = Draft("begun", {"surname": "Первый", "call": call.id}, call.id)
        await desk.desk.on_journal(lambda journal: journal.put_draft(begun))
        desk.desk.card.put(CardAtHand(draft="another"))
        desk.desk.card.type_field("comment", "О другом")
        await desk.press("f2")
        await desk.until_talking()
        await desk.until(lambda: (card := desk.desk.state.card) and card.draft == "begun", "his own card")
        await desk.until_screen("work")
        await desk.until(lambda: desk.surname.value == "Первый", "on the screen")
        kept = {one.id: one.fields for one in await drafts_of(desk)}
        assert kept["another"]["comment"] == "О другом"


async def slow_save(
    desk: DeskPage, save: Callable[[], Coroutine[Any, Any, Card]] | None = None
) -> tuple[asyncio.Event, asyncio.Future[Any]]:
    """A save, or a close, that has been written and is not answered yet: what lets it end, and itself."""
    written, end = asyncio.Event(), asyncio.Event()
    journal = desk.desk.on_journal

    async def slowly(work: Any) -> Any:
        done = await journal(work)
        if isinstance(done, Card):
            desk.desk.on_journal = journal  # type: ignore[method-assign]  # the others are quick
            written.set()
            await end.wait()
        return done

    desk.desk.on_journal = slowly  # type: ignore[method-assign]  # a disk that takes longer than a draft waits
    saving = asyncio.ensure_future((save or desk.desk.card.save)())
    await written.wait()
    return end, saving


async def drafts_of(desk: DeskPage) -> list[Any]:
    return await desk.desk.on_journal(lambda journal: journal.drafts())


@pytest.mark.parametrize("again", [False, True], ids=["new", "changed"])
@pytest.mark.parametrize("last", ["Спросил!", "Спросил"], ids=["more", "as-saved"])
async def test_a_slow_save_with_typing_meanwhile_leaves_no_second_draft(again: bool, last: str) -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.press("insert")
        await desk.until_screen("work")
        await desk.surname.type("Первый")
        desk.desk.card.choose_theme(desk.desk.catalogue.theme("К-01.3"))
        if again:
            await desk.desk.card.save()
        desk.desk.card.type_field("comment", "Спросил")
        end, saving = await slow_save(desk)
        desk.desk.card.type_field("comment", "Спросил!")
        await desk.desk.card.flush_draft()  # its time has come before the save has ended
        desk.desk.card.type_field("comment", last)
        end.set()
        saved = await saving
        card = desk.desk.state.card
        assert card is not None
        assert card.fields["comment"] == last
        await desk.desk.card.flush_draft()
        kept = await drafts_of(desk)
        if last == saved.value("comment"):
            assert kept == []
            return
        assert [(one.id, one.card, one.fields["comment"]) for one in kept] == [(card.draft, saved.id, last)]
        assert (await desk.desk.card.save()).value("comment") == last
        assert await drafts_of(desk) == []


@pytest.mark.parametrize("when", ["form", "draft", "another", "after"])
async def test_what_is_typed_while_an_appeal_is_closed_slowly_waits_to_be_read(when: str) -> None:
    """It stands in the form still, or in a draft on disk, or another card has come, or its letter comes last."""
    async with open_desk(phone=QUIET) as desk:
        await desk.press("insert")
        await desk.until_screen("work")
        await desk.surname.type("Первый")
        desk.desk.card.choose_theme(desk.desk.catalogue.theme("К-01.3"))
        desk.desk.card.type_field("comment", "Спросил")
        end, closing = await slow_save(desk, desk.desk.card.close)
        if when != "after":
            desk.desk.card.type_field("comment", "Спросил!")
        if when in ("draft", "another"):
            await desk.desk.card.flush_draft()
        last = "Спросил!!" if when == "draft" else "Спросил!"
        if when == "draft":
            desk.desk.card.type_field("comment", last)
        if when == "another":
            await desk.desk.card.open()
        end.set()
        closed = await closing
        if when == "after":
            desk.desk.card.type_field("comment", "Спросил!")
            await desk.desk.begun.flush()
        (kept,) = await desk.desk.on_journal(lambda journal: journal.begun())
        assert (kept.of.about, kept.title) == (closed.id, "Набрано при закрытии")
        assert {line.label: line.text for line in kept.lines.values()} == {"Комментарий": last}
        assert "оно в «Что ждёт»" in desk.desk.card.also_typed(closed)
        assert closed.value("comment") == "Спросил"
        assert [one for one in await drafts_of(desk) if one.fields.get("surname")] == [], "no draft of a closed card"


async def test_letters_typed_over_a_slow_f9_are_told_behind_its_word(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.press("insert")
        await desk.until_screen("work")
        await with_theme(desk)
        desk.comment.widget.focus()
        held, goes = asyncio.Event(), asyncio.Event()
        journal = desk.desk.on_journal

        async def slowly(work: Any) -> Any:
            if not held.is_set():
                held.set()
                await goes.wait()
            return await journal(work)

        monkeypatch.setattr(desk.desk, "on_journal", slowly)
        packet(desk, "f9", *"эх")
        await so(held.is_set)
        await so(lambda: (card := desk.desk.state.card) and str(card.fields.get("comment", "")).endswith("эх"))
        goes.set()
        await desk.until_screen("journal")
        await desk.until(lambda: "закрыто" in desk.notice, "closed")
        assert desk.notice.endswith("Набранное за это время не вошло: оно в «Что ждёт» (в журнале ^Y).")
        (kept,) = await desk.desk.on_journal(lambda journal: journal.begun())
        assert kept.lines["comment"].text.endswith("эх")


@pytest.mark.parametrize("again", [False, True], ids=["new", "changed"])
async def test_what_was_typed_during_a_slow_save_is_kept_when_a_call_brings_its_card(again: bool) -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.press("insert")
        await desk.until_screen("work")
        await desk.surname.type("Первый")
        desk.desk.card.choose_theme(desk.desk.catalogue.theme("К-01.3"))
        if again:
            await desk.desk.card.save()
        desk.desk.card.type_field("comment", "Спросил")
        before = desk.desk.state.card
        assert before is not None
        end, saving = await slow_save(desk)
        desk.desk.card.type_field("comment", "Спросил!")
        await desk.desk.card.open()
        end.set()
        saved = await saving
        (kept,) = [one for one in await drafts_of(desk) if one.card]
        assert kept.id != before.draft
        assert (kept.card, kept.fields["comment"]) == (saved.id, "Спросил!")
        await desk.desk.card.bring(kept)
        again_saved = await desk.desk.card.save()
        assert again_saved.value("comment") == "Спросил!"
        assert not again_saved.rival
        assert [one for one in await drafts_of(desk) if one.card] == []
