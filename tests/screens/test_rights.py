"""What a role may not, said on the real desk: whose it is, and nothing changed."""

from __future__ import annotations

import pytest

from operator_tui.appeals.card import Status
from operator_tui.appeals.people import Role
from tests.screens.elsewhere import become
from tests.screens.page import open_desk
from tests.screens.test_desk import QUIET


@pytest.mark.function("K-1.3a", "K-1.4")
async def test_level_one_answers_typical_questions_and_hands_a_complaint_on() -> None:
    """A complaint is registered by level 1 and closed by who is above it (functions.md 1.2)."""
    async with open_desk(phone=QUIET) as desk:
        await desk.press("insert")
        await desk.until_screen("work")
        await desk.surname.type("Проверкина")
        await desk.press("f6")
        await desk.type("отказали в оформлении полиса")
        await desk.until(lambda: desk.themes.rows(), "the theme")
        await desk.press("enter")
        await desk.until(lambda: "Жалоба" in desk.line("#theme-title"), "a complaint")
        desk.desk.card.choose_result("R01")
        await desk.press("f9")
        await desk.until(lambda: "Ваша роль это обращение" in desk.notice, "why not")
        assert "Оператор 2 уровня" in desk.notice
        assert "Оператор 1 уровня" not in desk.notice
        assert desk.surname.value == "Проверкина", "nothing typed is lost"
        await desk.press("ctrl+s")
        await desk.until(lambda: "Сохранено" in desk.notice, "registered all the same")
        elsewhere = await become(desk, Role.OPERATOR_2)
        await desk.press("f9")
        await desk.until(lambda: "закрыто" in desk.notice, "closed by level 2")
        await elsewhere.answers()
        (card,) = elsewhere.cards.values()
        assert card.status is Status.IN_REVIEW


@pytest.mark.parametrize("key", ["alt+u", "alt+y", "alt+o", "alt+x"])
async def test_an_administrators_keys_say_whose_they_are(key: str) -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.press(key)
        await desk.until(lambda: "Администратор контакт-центра" in desk.notice, "whose it is")
        await desk.until_screen("journal")
