"""The cascade type -> theme, beside the line that searches all themes."""

from __future__ import annotations

import pytest

from operator_tui.appeals.catalogue import AppealType
from tests.screens.page import open_desk
from tests.screens.test_desk import QUIET


@pytest.mark.function("K-5.1.4.1", "K-5.1.4.2", "K-5.1.4.3")
async def test_a_type_is_chosen_first_and_then_one_of_its_themes() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.press("insert")
        await desk.until_screen("work")
        await desk.press("f6", "f6")
        await desk.until(lambda: desk.themes.rows(), "the types")
        assert desk.themes.keys() == [type_.value for type_ in AppealType], "the manual's five, in its order"
        await desk.press("3")
        wanted = [theme.code for theme in desk.desk.catalogue.themes_of(AppealType.STATEMENT)]
        await desk.until(lambda: desk.themes.keys() == wanted, "the themes of a statement, and no other")
        assert desk.theme.value == ""
        await desk.type("ис")
        await desk.until(lambda: 0 < len(desk.themes.keys()) < len(wanted), "narrowed by letters")
        assert all(code in wanted for code in desk.themes.keys())  # noqa: SIM118  # a list of rows
        await desk.press("backspace", "backspace", "down", "enter")
        card = desk.desk.state.card
        assert card is not None
        await desk.until(
            lambda: desk.desk.state.card and desk.desk.state.card.fields.get("theme") == wanted[1], "taken"
        )
        assert desk.desk.state.card.fields["type"] == "Заявление"  # type: ignore[union-attr]  # just asked
        await desk.press("f6", "f6")
        await desk.until(lambda: "-open" in desk.themes.widget.classes, "the types again")
        await desk.press("escape")
        await desk.until(lambda: "-open" not in desk.themes.widget.classes, "folded by Esc")
        await desk.press("f6")
        await desk.type("потер")
        await desk.until(lambda: desk.themes.rows(), "the line searches all themes again")
        assert any(row[0].startswith("Консульт") for row in desk.themes.rows())
