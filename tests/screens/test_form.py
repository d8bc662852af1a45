"""What a form says of a refusal is read to its end, and the line to be put right stays in sight."""

from __future__ import annotations

from textual.app import App

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.sentences import sentence
from screens.form import Asked, FormScreen, Values
from widgets.wrapped import Wrapped

REFUSED = Refusal(Code.DISK_FAILED, path="/srv/" + "выгрузка/" * 8, reason="нет прав")


class Alone(App[None]):
    """A form and no desk; its lines one row high, as assets/desk.tcss has them."""

    CSS = "LeanInput, LeanInput:focus { height: 1; border: none; padding: 0; }"


def _refuse(values: Values) -> None:
    raise REFUSED


async def test_a_long_reason_wraps_below_the_lines_and_hides_none_that_is_typed_into() -> None:
    asked = [Asked(f"line{number}", f"Строка {number}") for number in range(22)]
    form = FormScreen("Выгрузить", asked, _refuse)
    async with Alone().run_test(size=(80, 24)) as pilot:
        await pilot.app.push_screen(form)
        last = form.query_one("#input-form-line21")
        last.focus()
        await pilot.pause()
        await pilot.press("f9")
        await pilot.pause()
        hint = form.query_one("#form-hint", Wrapped)
        assert len(sentence(REFUSED)) > 80
        assert hint.size.height in (2, 3)
        shown = "".join(hint.render_line(y).text.rstrip() for y in range(hint.size.height))
        assert shown.replace(" ", "") == f"!{sentence(REFUSED)}".replace(" ", "")
        assert hint.region.bottom == 24
        assert last.has_focus
        assert 1 <= last.region.y < last.region.bottom <= hint.region.y
