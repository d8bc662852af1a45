"""The terminal's cursor stands where the focus is, in lists and tables as in fields, and nowhere else."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.containers import VerticalScroll
from textual.geometry import Offset
from textual.widgets import Button, DataTable, Input, Label, ListItem, ListView, OptionList, Static, TextArea, Tree

from operator_tui.terminal.cursor import locus
from widgets.lean import LeanInput, LeanTextArea


class Everything(App[None]):
    CSS = """
    Input, TextArea { border: none; padding: 0; width: 30; height: 1; }
    TextArea { height: 2; }
    DataTable, OptionList, ListView, Tree { height: 4; border: none; padding: 0; }
    #scroll { height: 3; }
    #scroll Static { height: 9; }
    Screen { layout: grid; grid-size: 2 5; grid-rows: 4; }
    """

    def compose(self) -> ComposeResult:
        yield LeanInput("Иванов", id="lean")
        yield Input("Иванов", id="stock")
        yield LeanTextArea("одна\nдве", id="text")
        yield TextArea("одна\nдве", id="stock-text")
        yield DataTable(id="table", cursor_type="row")
        yield OptionList(*[f"строка {n}" for n in range(9)], id="options")
        yield ListView(*[ListItem(Label(f"строка {n}")) for n in range(9)], id="list")
        yield Tree("Темы", id="tree")
        with VerticalScroll(id="scroll", can_focus=False):
            yield Static("выше")
            yield Button("Принять", id="button")
        yield Button("Отклонить", id="other")

    def on_mount(self) -> None:
        table = self.query_one("#table", DataTable)
        table.add_columns("ФИО", "ЕНП")
        table.add_rows([("Иванов", str(n)) for n in range(9)])


async def test_the_cursor_is_at_the_locus_of_focus() -> None:
    app = Everything()
    async with app.run_test(size=(80, 24)) as pilot:
        for name in ("lean", "stock"):
            field = app.query_one(f"#{name}", Input)
            field.focus()
            await pilot.press("end")
            assert locus(app) == field.content_region.offset + Offset(6, 0)
        for name in ("text", "stock-text"):
            area = app.query_one(f"#{name}", TextArea)
            area.focus()
            await pilot.press("down", "end")
            assert locus(app) == area.content_region.offset + Offset(3, 1)
        for name, rows in (("table", [1, 2, 3, 3]), ("options", [0, 1, 2, 3, 3]), ("list", [0, 1, 2, 3, 3])):
            widget = app.query_one(f"#{name}")
            widget.focus()
            await pilot.pause()
            seen = []
            for _ in rows:
                seen.append(locus(app))
                await pilot.press("down")
            expected = [widget.content_region.offset + Offset(0, row) for row in rows]
            assert seen == expected, name


async def test_nothing_in_sight_hides_the_cursor() -> None:
    app = Everything()
    async with app.run_test(size=(80, 24)) as pilot:
        app.screen.set_focus(None)
        assert locus(app) is None
        app.query_one("#button").focus(scroll_visible=False)
        await pilot.pause()
        assert locus(app) is None
        button = app.query_one("#other", Button)
        button.focus()
        await pilot.pause()
        assert locus(app) == button.content_region.offset


async def test_before_the_first_screen_there_is_no_cursor() -> None:
    assert locus(Everything()) is None
