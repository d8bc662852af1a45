"""One call on the screen, by keys alone: ring, answer, find, theme, answer read out, close."""

from __future__ import annotations

import pytest

from operator_tui.appeals.card import Status
from operator_tui.appeals.operations import Kind
from operator_tui.phone.line import CallState
from tests.screens.page import DeskPage, open_desk


async def answered(desk: DeskPage) -> None:
    await desk.until_ringing()
    await desk.press("f2")
    await desk.until_talking()
    await desk.until_screen("work")
    await desk.until(lambda: desk.desk.state.card is not None, "a card")


@pytest.mark.function("K-2.6", "K-5.1.1.2", "K-5.1.1.3", "K-5.0.2", "K-5.1.0.1")
async def test_a_ringing_call_shows_its_number_and_the_key_to_answer() -> None:
    async with open_desk() as desk:
        await desk.until_ringing()
        await desk.until(lambda: "ВХОДЯЩИЙ ВЫЗОВ" in desk.phone, "the ring in words")
        call = desk.desk.state.call
        assert call is not None
        assert desk.phone.startswith("+7 8652")
        assert "F2 Ответить" in desk.phone
        await answered(desk)
        assert desk.desk.state.card is not None
        assert desk.desk.state.card.fields["phone"] == call.number


@pytest.mark.function("K-5.1.2.1", "K-5.1.2.2", "K-5.1.0.2", "K-2.7")
async def test_answering_opens_the_card_with_the_people_of_that_number() -> None:
    async with open_desk() as desk:
        await answered(desk)
        await desk.until(lambda: desk.hits.rows(), "candidates by the number")
        assert desk.hits.focused, "Enter binds the person without another key"
        assert desk.desk.state.card is not None
        assert desk.desk.state.card.person is None, "nobody is bound without a key"


@pytest.mark.function("K-5.1.3.8", "K-5.1.4.1", "K-5.1.4.4", "K-5.1.5.1", "K-6.1.2", "K-6.1.3", "K-6.1.4")
async def test_a_known_caller_with_a_typical_question_takes_at_most_twelve_keys() -> None:
    async with open_desk() as desk:
        await desk.until_ringing()
        desk.presses = 0
        await answered(desk)
        await desk.until(lambda: desk.hits.rows(), "candidates by the number")
        await desk.press("enter")
        await desk.until(lambda: desk.theme.focused, "the theme line")
        await desk.type("потер")
        await desk.until(lambda: desk.themes.rows(), "themes")
        await desk.press("enter")
        await desk.until(lambda: "S-03" in desk.line("#answer-title"), "the approved answer")
        await desk.press("f9")
        await desk.until(lambda: "закрыто" in desk.notice, "the confirmation")
        await desk.press("f4")
        await desk.until_quiet()
        assert desk.presses <= 12
        (card,) = await desk.desk.active()
        assert card.status is Status.IN_REVIEW
        assert card.value("answers") == ["S-03"]
        assert "На рассмотрении" in desk.notice


@pytest.mark.function("K-5.1.6.2", "K-5.1.6.3", "K-2.10")
async def test_save_during_the_talk_puts_the_appeal_into_the_journal_in_work() -> None:
    async with open_desk() as desk:
        await answered(desk)
        await desk.press("f6")
        await desk.type("потер")
        await desk.until(lambda: desk.themes.rows(), "themes")
        await desk.press("enter")
        await desk.press("ctrl+s")
        await desk.until(lambda: "«В работе»" in desk.notice, "saved")
        assert desk.call_state() is CallState.TALKING
        rows = await desk.desk.active()
        assert [card.status for card in rows] == [Status.IN_WORK]
        await desk.press("f9")
        await desk.until(lambda: "«На рассмотрении»" in desk.notice, "closed with the result chosen before the save")


@pytest.mark.function("K-5.1.6.1")
async def test_personal_information_can_be_typed_by_hand() -> None:
    async with open_desk(phone={"simulated_first_seconds": 600.0}) as desk:
        await desk.press("insert")
        await desk.until_screen("work")
        await desk.surname.type("Иванов-Крестовоздвиженский")
        await desk.until(
            lambda: desk.desk.state.card and desk.desk.state.card.fields.get("surname") == "Иванов-Крестовоздвиженский"
        )


@pytest.mark.function("K-3.2", "K-4.2", "K-6.1.1", "K-6.0.1")
async def test_the_journal_is_the_home_screen_and_opens_an_appeal_for_editing() -> None:
    async with open_desk(phone={"simulated_first_seconds": 600.0}) as desk:
        assert "Электронный журнал" in desk.line("#journal-title")
        await desk.press("insert")
        await desk.until_screen("work")
        await desk.press("f6")
        await desk.type("потер")
        await desk.until(lambda: desk.themes.rows(), "themes")
        await desk.press("enter")
        await desk.press("ctrl+s")
        await desk.until(lambda: "«В работе»" in desk.notice, "saved")
        desk.app.action_command("journal.home")
        await desk.until_screen("journal")
        await desk.until(lambda: len(desk.journal.rows()) == 1, "one row")
        await desk.until(lambda: "В работе: 1" in desk.line("#journal-title"), "counted")
        assert desk.journal.rows()[0][4] == "В работе"
        await desk.press("enter")
        await desk.until_screen("work")
        await desk.until(lambda: "В работе" in desk.line("#card-title"), "its card")


@pytest.mark.function("K-4.4", "K-4.5", "K-4.6", "K-3.6")
async def test_the_header_names_operator_role_extension_and_status() -> None:
    async with open_desk(size=(120, 40), phone={"simulated_first_seconds": 600.0}) as desk:
        operator = desk.desk.state.operator
        assert operator is not None
        await desk.until(lambda: "Активен: свободен" in desk.line("#who"), "free")
        who = desk.line("#who")
        assert operator.name in who
        assert "Оператор 1 уровня" in who
        assert f"доб. {operator.extension}" in who
        assert "ДЕМО" in who


@pytest.mark.function("K-5.4.1.1", "K-5.4.1.2", "K-3.3")
async def test_work_can_be_ended_and_begun_again() -> None:
    async with open_desk(phone={"simulated_first_seconds": 600.0}) as desk:
        await desk.until(lambda: "Активен: свободен" in desk.line("#who"), "free")
        await desk.press("ctrl+e")
        await desk.until(lambda: "Не активен" in desk.line("#who"), "ended")
        await desk.press("ctrl+b")
        await desk.until(lambda: "Активен: свободен" in desk.line("#who"), "begun")


async def test_a_key_that_does_nothing_now_says_why() -> None:
    async with open_desk(phone={"simulated_first_seconds": 600.0}) as desk:
        await desk.press("f2")
        await desk.until(lambda: desk.notice.startswith("! "), "a reason")


@pytest.mark.function("K-1.9")
async def test_what_happened_is_recorded_from_ring_to_end() -> None:
    async with open_desk() as desk:
        await answered(desk)
        call = desk.desk.state.call
        assert call is not None
        await desk.press("f4")
        await desk.until_quiet()
        recorded = await desk.desk.on_journal(lambda journal: journal.recorded(call.id))
        assert recorded == {Kind.CALL_OFFERED, Kind.CALL_RINGING, Kind.CALL_ANSWERED, Kind.CALL_ENDED}
