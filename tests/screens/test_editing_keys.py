"""Keys of editing in a window above the desk: there they are the field's, also where the desk has them for itself."""

from __future__ import annotations

import pytest

from operator_tui.keyed import edits
from screens.form import Asked, FormScreen
from tests.screens.page import Part, open_desk
from tests.screens.test_desk import QUIET
from widgets.lean import LeanInput, LeanTextArea


async def test_the_end_of_a_line_is_not_the_end_of_work_in_a_window() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.until(lambda: "свободен" in desk.line("#who"), "free")
        form = FormScreen("Вопрос", [Asked("word", "Слово")])
        desk.app.push_screen(form)
        await desk.until(lambda: desk.app.screen is form and isinstance(desk.app.focused, LeanInput), "asked")
        await desk.type("абв")
        await desk.press("home", "ctrl+d", "ctrl+e")
        await desk.type("г")
        await desk.until(lambda: desk.app.screen is form and Part(desk, "#input-form-word").value == "бвг", "edited")
        await desk.press("escape")
        await desk.until_screen("journal")
        await desk.until(lambda: "Активен" in desk.line("#who"), "still at work")
        await desk.press("ctrl+e")
        await desk.until(lambda: "Не активен" in desk.line("#who"), "on the desk itself it ends the work")


@pytest.mark.parametrize(
    ("field", "keys", "editing"),
    [
        (LeanInput, ("ctrl+e",), True),
        (LeanTextArea, ("ctrl+e",), True),
        (LeanTextArea, ("f7",), False),
        (LeanInput, ("f2",), False),
        (LeanInput, ("alt+m",), False),
        (None, ("ctrl+e",), False),
    ],
)
def test_which_keys_edit(field: type[LeanInput | LeanTextArea] | None, keys: tuple[str, ...], editing: bool) -> None:
    assert edits(field() if field is not None else None, keys) is editing
