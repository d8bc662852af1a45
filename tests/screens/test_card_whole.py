"""The rest of a card on the real desk: its content, undo in text, older history, and what can not be taken."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from operator_tui.appeals.card import Status
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.history import HISTORY_PATH, Answer, Asked
from operator_tui.appeals.lifecycle import Act
from operator_tui.appeals.operations import Kind
from operator_tui.appeals.people import Role
from operator_tui.desk.state import Light
from operator_tui.sync.sender import SenderState, ServerLight
from screens.content import ContentScreen
from screens.help import HelpScreen
from screens.timeline import TimelineScreen
from tests.screens.elsewhere import COLLEAGUE, become
from tests.screens.page import DeskPage, Part, open_desk
from tests.screens.test_desk import QUIET, with_theme
from tests.screens.test_promises import clear, deed, form
from widgets.rows import Rows


async def new_card(desk: DeskPage) -> None:
    await desk.press("insert")
    await desk.until_screen("work")


def typed_surname(desk: DeskPage) -> str:
    card = desk.desk.state.card
    return str(card.fields.get("surname", "")) if card else ""


@pytest.mark.function("K-1.8", "K-5.1.4.1")
async def test_the_content_is_as_long_as_it_is_and_stands_with_language_and_organisations() -> None:
    async with open_desk(phone=QUIET) as desk:
        await new_card(desk)
        await with_theme(desk)
        await deed(desk, "содержание")
        await desk.until(lambda: isinstance(desk.app.screen, ContentScreen) and desk.app.focused, "the content")
        area = Part(desk, "#content")
        await desk.until(lambda: area.focused, "the text is what one comes here for")
        await desk.type("Первая строка")
        await desk.press("enter")
        await desk.type("вторая")
        await desk.press("ctrl+underscore")
        await desk.until(lambda: area.value != "Первая строка\nвторая", "undone by a key, in a window too")
        await desk.type("вторая")
        await desk.press("up", "up")
        await desk.type("уч")
        await desk.until(
            lambda: desk.text().count("СМО «Учебная страховая»") == 1, "found in the list of organisations"
        )
        await desk.press("ctrl+u")
        await desk.type("синт")
        await desk.until(lambda: "СМО «Синтез-Мед»" in desk.text(), "and found anew with each letter")
        await desk.press("up")
        await desk.type("Больница при заводе")
        await desk.press("up")
        await desk.type("каз")
        await desk.press("f9")
        await desk.until(lambda: "Содержание внесено" in desk.notice, "taken over")
        await desk.press("ctrl+s")
        await desk.until(lambda: "Сохранено" in desk.notice, "saved")
        (card,) = await desk.desk.active()
        assert card.value("text").startswith("Первая строка\n")
        assert (card.value("language"), card.value("insurer")) == ("казахский", "СМО «Синтез-Мед»")
        assert card.value("clinic") == "Больница при заводе", "what is in no list is written as it is"
        await desk.press("alt+q")
        await desk.until(lambda: isinstance(desk.app.screen, TimelineScreen), "in full")
        assert "Язык обращения: казахский" in desk.text()


async def test_undo_in_the_comment_and_in_a_field_and_help_names_the_key() -> None:
    async with open_desk(phone=QUIET) as desk:
        await new_card(desk)
        await desk.surname.type("Иванво")
        await desk.press("ctrl+underscore", "ctrl+underscore")
        await desk.until(lambda: desk.surname.value == "Иван", "two letters taken back")
        await desk.until(lambda: typed_surname(desk) == "Иван", "and out of the card")
        await desk.comment.type("лишнее")
        await desk.press("ctrl+underscore")
        await desk.until(lambda: desk.comment.value == "", "the comment")
        await desk.press("f1")
        await desk.until(lambda: isinstance(desk.app.screen, HelpScreen), "help")
        table = desk.app.screen.query_one(Rows)
        (undo,) = [row for row in table.rows if row.key == "text.undo"]
        assert undo.cells[:2] == ("^_", "Отменить ввод")


@pytest.mark.function("K-5.1.7.1")
async def test_older_history_is_asked_at_the_centre_and_off_line_its_beginning_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with open_desk(phone=QUIET) as desk:
        elsewhere = await become(desk, Role.OPERATOR_1)
        made = {"type": "Консультация", "theme": "К-01.3", "number": "13-00007-1", "phone": "+78652000177"}
        here = await elsewhere.does(COLLEAGUE, Kind.CARD_NEW, {**made, "zone": "Europe/Moscow"})
        known = elsewhere.cards[here]
        older = msgspec.structs.replace(known, id="old:1", created="0000000000000001", status=Status.CLOSED)
        asked: list[Asked] = []

        async def centre(path: str, body: bytes) -> bytes:
            assert path == HISTORY_PATH
            asked.append(msgspec.json.decode(body, type=Asked))
            return msgspec.json.encode(Answer([older, known]))

        monkeypatch.setattr(desk.desk.parts, "ask", centre)
        desk.desk.light(server=Light.ON)
        await new_card(desk)
        await desk.phone_field.type("+78652000177")
        await desk.desk.card.find_caller("+78652000177")
        await desk.until(lambda: desk.history.keys() == [here, "old:1"], "both, the open one first")
        assert asked[-1].phone == "+78652000177"
        marks = [row.mark for row in desk.history.widget.rows]
        assert marks == [" ", "ц"], "what only the centre has is marked"
        desk.desk.light(server=Light.AWAY)
        await desk.desk.card.find_caller("+78652000177")
        await desk.until(lambda: desk.history.keys() == [here], "what the desk has")
        await desk.until(lambda: "История с " in desk.line("#history-title"), "from which date")
        assert "центр недоступен" in desk.line("#history-title")
        desk.desk.parts._sent(SenderState(ServerLight.ON))
        await desk.until(lambda: desk.history.keys() == [here, "old:1"], "the centre is back, and asked again")
        assert "недоступен" not in desk.line("#history-title")


@pytest.mark.parametrize(
    ("field", "typed", "fixed"),
    [("birth_date", "12.03.2999", "12.03.1958"), ("birth_date", "12.03.1700", "12.03.1958")],
)
async def test_a_date_of_birth_that_can_not_be_is_named_and_what_was_typed_stays(
    field: str, typed: str, fixed: str
) -> None:
    async with open_desk(phone=QUIET) as desk:
        await new_card(desk)
        await desk.surname.type("Пробнов")
        await with_theme(desk)
        born = Part(desk, f"#input-{field}")
        await born.type(typed)
        await desk.press("ctrl+s")
        await desk.until(lambda: "Дата рождения" in desk.notice, "which field is wrong")
        assert (born.value, desk.surname.value) == (typed, "Пробнов")
        await born.type("")
        await clear(desk, fixed)
        await desk.press("ctrl+s")
        await desk.until(lambda: "Сохранено" in desk.notice, "saved when it was mended")


async def test_an_extension_into_the_past_keeps_the_reason_that_was_typed() -> None:
    async with open_desk(phone=QUIET) as desk:
        await become(desk, Role.OPERATOR_2)
        await new_card(desk)
        await with_theme(desk)
        await desk.press("ctrl+s")
        await desk.until(lambda: "Сохранено" in desk.notice, "saved")
        desk.desk.card.choose_result("R05")
        desk.desk.card.type_field("comment", "Ждём ответа клиники")
        desk.desk.card.type_field("new_date", "2020-01-01")
        await desk.press("f9")
        await desk.until(lambda: "Новая дата" in desk.notice, "what is wrong")
        card = desk.desk.state.card
        assert card is not None
        assert card.fields["comment"] == "Ждём ответа клиники"
        assert card.saved is not None
        assert card.saved.status is Status.IN_WORK


@pytest.mark.parametrize(("size", "code"), [(0, Code.FILE_EMPTY), (2 << 30, Code.FILE_LARGE)])
async def test_a_file_of_nothing_and_one_of_two_gigabytes_are_refused_by_a_sentence(
    tmp_path: Path, size: int, code: Code
) -> None:
    file = tmp_path / "скан.pdf"
    with file.open("wb") as made:
        made.truncate(size)  # a hole: nobody writes two gigabytes
    async with open_desk(phone=QUIET) as desk:
        await become(desk, Role.OPERATOR_2)
        await new_card(desk)
        await desk.surname.type("Пробнов")
        with pytest.raises(Refusal) as refused:
            await desk.desk.papers.attach(file, "1", "2026-01-20")
        assert refused.value.code is code
        await deed(desk, "Приложить файл")
        await form(desk)
        desk.app.screen.query_one("#input-form-path").value = str(file)  # type: ignore[attr-defined]  # an input
        await desk.press("down")
        await desk.type("1")
        await desk.press("down")
        await desk.type("20.01.2026")
        await desk.press("f9")
        await desk.until(lambda: "скан.pdf" in desk.notice, "the file is named")
        assert desk.surname.value == "Пробнов"


async def test_an_appeal_closed_by_another_meanwhile_keeps_the_text() -> None:
    async with open_desk(phone=QUIET) as desk:
        elsewhere = await become(desk, Role.OPERATOR_2)
        operator = desk.desk.state.operator
        assert operator is not None
        made = {"type": "Консультация", "theme": "К-01.3", "number": "13-00001-1", "zone": "Europe/Moscow"}
        card = await elsewhere.does(COLLEAGUE, Kind.CARD_NEW, made)
        await elsewhere.does(COLLEAGUE, Kind.CARD_MOVE, {"act": Act.FORWARD.value, "operator": operator.user}, card)
        await desk.desk.card.edit(card)
        desk.app.switch_mode("work")
        await desk.until_screen("work")
        boss = replace(COLLEAGUE, user=3001, role=Role.ADMINISTRATOR)
        await desk.comment.type("Введено до закрытия")
        await elsewhere.does(boss, Kind.CARD_MOVE, {"act": Act.VOID.value, "reason": "Двойная запись"}, card)
        await desk.press("ctrl+s")
        await desk.until(lambda: "Ваш текст сохранён" in desk.notice, "why not")
        assert desk.comment.value == "Введено до закрытия"
