"""The lean fields behave as Textual's own do, cost no layout, and lose nothing that is pasted or typed."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.events import Paste
from textual.suggester import SuggestFromList
from textual.widgets import Input, TextArea

from widgets.lean import LeanInput, LeanTextArea, compose_accents, one_line

NAMES = ["Иванова Мария Петровна", "Смирнов Андрей Викторович"]


class Fields(App[None]):
    CSS = "Input { width: 24; } TextArea { width: 30; height: 6; }"

    def __init__(self) -> None:
        super().__init__()
        self.left_out: list[LeanInput.LinesLeftOut] = []

    def compose(self) -> ComposeResult:
        yield LeanInput(id="lean", suggester=SuggestFromList(NAMES))
        yield Input(id="stock")
        yield LeanTextArea(id="text")
        yield TextArea(id="stock-text")

    def on_lean_input_lines_left_out(self, message: LeanInput.LinesLeftOut) -> None:
        self.left_out.append(message)


async def test_long_text_scrolls_as_in_the_stock_input() -> None:
    app = Fields()
    async with app.run_test() as pilot:
        shown = {}
        for name in ("lean", "stock"):
            field = app.query_one(f"#{name}", Input)
            field.suggester = None
            field.focus()
            await pilot.press(*"Смирнова Екатерина Викторовна")
            steps = []
            for key in ("home", *["right"] * 25, "end", *["left"] * 20, "backspace"):
                await pilot.press(key)
                steps.append((field.render_line(0).text, field.scroll_offset, field.value))
            shown[name] = steps
        assert shown["lean"] == shown["stock"]
        assert shown["lean"][0][1].x == 0
        assert shown["lean"][-2][1].x > 0


async def test_the_reported_cursor_follows_a_scroll() -> None:
    app = Fields()
    async with app.run_test() as pilot:
        field = app.query_one("#lean", LeanInput)
        field.focus()
        await pilot.press(*"Смирнова Екатерина Викторовна")
        for key in ("home", "end", "left", "home"):
            await pilot.press(key)
            assert app.cursor_position == field.cursor_screen_offset
            assert field.content_region.contains_point(app.cursor_position)


async def test_the_cursor_stands_on_the_cell_of_the_next_letter() -> None:
    app = Fields()
    async with app.run_test() as pilot:
        field = app.query_one("#lean", LeanInput)
        field.suggester = None
        field.focus()
        start = field.content_region.x
        assert app.cursor_position.x == start
        await pilot.press(*"абв")
        assert app.cursor_position.x == start + 3
        await pilot.press("left")
        assert app.cursor_position.x == start + 2


async def test_typing_does_not_lay_the_screen_out() -> None:
    app = Fields()
    async with app.run_test() as pilot:
        layouts = {}
        for name in ("lean", "stock"):
            field = app.query_one(f"#{name}", Input)
            field.focus()
            await pilot.press("а")
            before = field._layout_updates
            await pilot.press(*"бвгде")
            layouts[name] = field._layout_updates - before
        assert layouts["lean"] == 0
        assert layouts["stock"] == 5


async def test_suggestion_is_shown_and_accepted() -> None:
    app = Fields()
    async with app.run_test() as pilot:
        field = app.query_one("#lean", LeanInput)
        field.focus()
        await pilot.press(*"Смир")
        await pilot.pause()
        assert "Смирнов Андрей" in field.render_line(0).text
        await pilot.press("right")
        assert field.value == NAMES[1]


async def test_nothing_blinks() -> None:
    app = Fields()
    async with app.run_test() as pilot:
        field, area = app.query_one("#lean", LeanInput), app.query_one("#text", LeanTextArea)
        for widget in (field, area):
            widget.focus()
            await pilot.press("а")
            assert not widget.cursor_blink
        assert field._blink_timer is not None
        assert not field._blink_timer._active.is_set()
        assert not area.blink_timer._active.is_set()


async def test_paste_of_several_lines_keeps_the_first_and_tells_of_the_others() -> None:
    app = Fields()
    async with app.run_test() as pilot:
        field = app.query_one("#lean", LeanInput)
        field.focus()
        field.post_message(Paste("\nИванова Мария\r\n\n12.03.1961\nСтаврополь\n"))
        await pilot.pause()
        assert field.value == "Иванова Мария"
        assert [(left.kept, left.dropped) for left in app.left_out] == [("Иванова Мария", ["12.03.1961", "Ставрополь"])]
        assert app.left_out[0].control is field


async def test_the_clipboard_is_pasted_by_the_same_rule() -> None:
    app = Fields()
    async with app.run_test() as pilot:
        field = app.query_one("#lean", LeanInput)
        field.focus()
        app.copy_to_clipboard("одна\nдве")
        await pilot.press("ctrl+v")
        assert field.value == "одна"
        assert app.left_out[0].dropped == ["две"]


async def test_one_line_pasted_says_nothing_and_an_empty_paste_changes_nothing() -> None:
    app = Fields()
    async with app.run_test() as pilot:
        field = app.query_one("#lean", LeanInput)
        field.focus()
        field.post_message(Paste("Иванова\tМария\n"))
        field.post_message(Paste("\n \n"))
        await pilot.pause()
        assert field.value == "Иванова Мария"
        assert not app.left_out


async def test_a_selection_is_replaced_by_the_paste() -> None:
    app = Fields()
    async with app.run_test() as pilot:
        field = app.query_one("#lean", LeanInput)
        field.focus()
        await pilot.press(*"старое")
        field.select_all()
        field.post_message(Paste("новое"))
        await pilot.pause()
        assert field.value == "новое"


async def test_a_letter_sent_in_two_parts_becomes_one() -> None:
    app = Fields()
    async with app.run_test() as pilot:
        field, area = app.query_one("#lean", LeanInput), app.query_one("#text", LeanTextArea)
        field.focus()
        for part in "Цои\u0306":
            field.insert_text_at_cursor(part)
        assert field.value == "Цой"
        assert field.cursor_position == 3
        area.focus()
        await pilot.press(*"Цо", "и")
        area._replace_via_keyboard("\u0306", *area.selection)
        assert area.text == "Цой"
        assert area.cursor_location == (0, 3)


async def test_the_text_area_types_and_scrolls_as_the_stock_one() -> None:
    app = Fields()
    async with app.run_test() as pilot:
        texts = {}
        for name in ("text", "stock-text"):
            area = app.query_one(f"#{name}", TextArea)
            area.focus()
            await pilot.press(*["а", "б", "enter"] * 9, *"длинное слово и ещё одно слово")
            texts[name] = (area.text, area.scroll_offset, area.cursor_location)
            assert app.cursor_position.x == area.cursor_screen_offset.x
        assert app.query_one("#text", LeanTextArea).highlight_cursor_line is False
        assert texts["text"] == texts["stock-text"]


@given(st.text(alphabet="аиеИ\u0306\u0308 ё", max_size=12))
def test_accents_typed_one_by_one_equal_the_composed_text(text: str) -> None:
    value = ""
    for character in text:
        composed, taken = compose_accents(character, value)
        value = value[: len(value) - taken] + composed
    if not text or not unicodedata.combining(text[0]):
        assert value == unicodedata.normalize("NFC", text)


@given(st.text(max_size=80))
def test_one_line_loses_no_printable_word(text: str) -> None:
    kept, dropped = one_line(text)
    everything = " ".join([kept, *dropped]).split()
    printable = "".join(c if c.isprintable() else " " for c in text).split()
    assert everything == printable
    assert all(line and line.isprintable() for line in dropped)


async def test_what_was_typed_is_taken_back_edit_by_edit_and_no_further() -> None:
    app = Fields()
    async with app.run_test() as pilot:
        field = app.query_one("#lean", LeanInput)
        field.suggester = None
        field.focus()
        await pilot.press(*"Смрн", "backspace")
        assert field.value == "Смр"
        await pilot.press("ctrl+underscore")
        assert (field.value, field.cursor_position) == ("Смрн", 4)
        await pilot.press("ctrl+underscore", "ctrl+underscore")
        assert field.value == "См"
        field.value = "Иванова"  # of another card: nothing of it was typed here
        await pilot.press("!", "ctrl+underscore", "ctrl+underscore")
        assert field.value == "Иванова"
        area = app.query_one("#text", LeanTextArea)
        area.focus()
        await pilot.press(*"слово", "ctrl+underscore")
        assert area.text == ""


async def test_a_password_leaves_no_trail() -> None:
    app = Fields()
    async with app.run_test() as pilot:
        field = app.query_one("#lean", LeanInput)
        field.password = True
        field.focus()
        await pilot.press(*"тайна", "ctrl+underscore")
        assert field.value == "тайна"
        assert field._former == []
