"""Keys that come faster than what they are about: in one packet they mean what they mean one by one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from operator_tui.phone.line import Call
from screens.base import DeskScreen
from tests.screens.crossing import FOR_EVER_S, packet, so
from tests.screens.page import ON_CALL, DeskPage, open_desk
from tests.screens.test_desk import QUIET


async def known_late(desk: DeskPage) -> asyncio.Event:
    """A registry that names who rings and takes its time when the card asks again: until the event is set."""
    known, find = asyncio.Event(), desk.desk.card.find_caller

    async def late(phone: str) -> None:
        await known.wait()
        await find(phone)

    desk.desk.card.find_caller = late  # type: ignore[method-assign]  # slow once
    return known


def enter_waits(desk: DeskPage) -> bool:
    """Whether Enter was taken on the card's screen and waits for the people it is about."""
    screen = desk.app.screen
    on_card = isinstance(screen, DeskScreen) and screen.name_in_commands == "work"
    return on_card and any(not act.is_finished for act in screen._acts)


async def named(desk: DeskPage) -> None:
    await desk.ring()
    await desk.until(lambda: "По номеру" in desk.notice, "who may be calling")


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
        packet(desk, "f2", *"сини")
        await so(lambda: len(desk.app._waiting_keys) == 4)
        connected.set()
        await desk.until_screen("work")
        await desk.until(lambda: desk.search.value == "сини", "all letters in the card's search line")
        assert desk.desk.state.card is not None


async def test_answer_enter_and_a_theme_in_one_packet_mean_what_they_mean_key_by_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whom the operator has read while it rang is bound, and the letters are the theme's."""
    monkeypatch.setattr("operator_tui.typeahead.PATIENCE_S", FOR_EVER_S)
    monkeypatch.setattr("operator_tui.desk.line._CARD_S", FOR_EVER_S)
    monkeypatch.setattr("operator_tui.desk.at_hand.PEOPLE_S", FOR_EVER_S)
    async with open_desk(phone=ON_CALL) as desk:
        await named(desk)
        known = await known_late(desk)
        packet(desk, "f2", "enter", *"потер")
        await so(lambda: enter_waits(desk))
        assert desk.desk.state.card is not None
        assert desk.desk.state.card.person is None
        known.set()
        await desk.until(lambda: desk.theme.value == "потер", "the letters in the theme's line")
        card = desk.desk.state.card
        assert card is not None
        assert card.person == card.candidates[0]
        assert desk.search.value == ""


async def test_nobody_is_bound_by_an_enter_before_the_operator_has_read_who_it_may_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("operator_tui.typeahead.PATIENCE_S", FOR_EVER_S)
    monkeypatch.setattr("operator_tui.desk.line._CARD_S", FOR_EVER_S)
    monkeypatch.setattr("operator_tui.desk.at_hand.PEOPLE_S", FOR_EVER_S)
    async with open_desk(phone=ON_CALL) as desk:

        async def unsaid(call: Call) -> str:
            return ""

        desk.desk.insured.tell_ringing = unsaid  # type: ignore[method-assign]  # answered before the registry did
        await desk.ring()
        known = await known_late(desk)
        packet(desk, "f2", "enter")
        await so(lambda: enter_waits(desk))
        known.set()
        await desk.until(lambda: desk.hits.rows() and not desk.app._key_under_way, "now he can read them")
        assert desk.desk.state.card is not None
        assert desk.desk.state.card.person is None
        await desk.until(lambda: desk.hits.focused, "the cursor among them")
        await desk.press("enter")
        await desk.until(lambda: (card := desk.desk.state.card) and card.person, "meant, it binds")


async def test_who_was_searched_for_before_the_call_is_not_bound_to_the_callers_card_by_an_early_enter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("operator_tui.typeahead.PATIENCE_S", FOR_EVER_S)
    monkeypatch.setattr("operator_tui.desk.line._CARD_S", FOR_EVER_S)
    async with open_desk(phone=ON_CALL) as desk:
        desk.app.switch_mode("work")
        await desk.until_screen("work")
        await named(desk)
        await desk.press("f5")
        await desk.type("сини")
        await desk.until(lambda: desk.hits.rows(), "somebody else")
        known = await known_late(desk)
        monkeypatch.setattr("operator_tui.desk.at_hand.PEOPLE_S", 0.0)  # they are not known in time
        packet(desk, "f2", "enter")
        await so(lambda: desk.desk.state.card is not None and not desk.app._key_under_way)
        assert desk.desk.state.card is not None
        assert desk.desk.state.card.person is None
        known.set()
        await desk.until(lambda: (card := desk.desk.state.card) and card.candidates, "his own people")
        await desk.until(lambda: {*desk.hits.keys()} == {one.enp for one in desk.desk.state.card.candidates}, "shown")
        assert desk.desk.state.card.person is None


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
        packet(desk, *"бвгд", "insert")
        await so(lambda: part.value == "Абвгд" and len(desk.app._waiting_keys) == 1)
        assert [key.key for key in desk.app._waiting_keys] == ["insert"]
        assert desk.desk.state.card.draft == card.draft
        done.set()
        await desk.until(lambda: (now := desk.desk.state.card) and now.draft != card.draft, "the next card")
        await desk.until(lambda: not desk.app._key_under_way, "all keys are done")
        assert not desk.desk.state.card.fields.get(field)
        drafts = {one.id: one.fields for one in await desk.desk.on_journal(lambda journal: journal.drafts())}
        assert drafts[card.draft][field] == "Абвгд"
