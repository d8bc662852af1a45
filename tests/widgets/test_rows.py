"""A list of rows: what it costs that more rows come, and that they can be reached."""

from __future__ import annotations

from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.screen import Screen

from widgets.rows import Column, Row, Rows


def rows(first: int, count: int) -> list[Row]:
    return [Row(str(number), (f"строка {number}",)) for number in range(first, first + count)]


class OneList(App[None]):
    """A list with a line of its own below it."""

    CSS = "Rows { height: 1fr; overflow-x: hidden; scrollbar-size: 1 1; }"

    def compose(self) -> ComposeResult:
        yield Rows(id="rows")

    def on_mount(self) -> None:
        self.query_one(Rows).focus()


async def test_rows_that_come_later_are_reached_and_lay_nothing_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page read on costs no layout of the whole screen; the scroll bar and the keys know of it all the same."""
    app = OneList()
    async with app.run_test(size=(40, 10)) as pilot:
        shown = app.query_one(Rows)
        shown.show(rows(0, 100))
        await pilot.pause()
        assert shown.show_vertical_scrollbar
        laid_out: list[object] = []
        before = Screen._refresh_layout

        def counted(screen: Screen[Any], *given: Any, **named: Any) -> None:
            laid_out.append(screen)
            before(screen, *given, **named)

        monkeypatch.setattr(Screen, "_refresh_layout", counted)
        shown.append(rows(100, 100))
        await pilot.press("end")
        assert shown.current == rows(199, 1)[0]
        assert shown.scroll_offset.y == 200 - shown.size.height
        assert shown.vertical_scrollbar.window_virtual_size == 200
        await pilot.press(*["pageup"] * 3, *["up"] * 5)
        assert not laid_out


@pytest.mark.parametrize(("width", "first"), [(50, 17), (60, 21), (120, 33)])
async def test_a_column_gets_wider_where_the_rest_has_enough(width: int, first: int) -> None:
    class Wide(App[None]):
        def compose(self) -> ComposeResult:
            yield Rows((Column(17, more=16), Column(), Column(3)))

    app = Wide()
    async with app.run_test(size=(width, 5)) as pilot:
        app.query_one(Rows).show([Row("1", ("a" * 50, "b" * 120, "c" * 3))])
        await pilot.pause()
        line = app.query_one(Rows).render_line(0).text
        assert line.count("a") == first - 1
        assert line.endswith(" ccc")
        assert len(line) == width


async def test_the_first_rows_scroll_at_once() -> None:
    """The cursor that is taken to the end of a list just shown is on the screen."""
    app = OneList()
    async with app.run_test(size=(40, 10)) as pilot:
        shown = app.query_one(Rows)
        shown.show(rows(0, 30))
        await pilot.press("end")
        assert "строка 29" in shown.render_line(shown.size.height - 1).text
        shown.show(rows(0, 3))
        await pilot.pause()
        assert shown.scroll_offset.y == 0
        assert not shown.show_vertical_scrollbar


class ByLetters(OneList):
    """The results of an appeal, where letters lead to one."""

    def compose(self) -> ComposeResult:
        yield Rows((Column(5), Column()), id="rows", by_letters=True)


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("R05", "R05"),
        ("r0", "R01"),
        ("К04", "R04"),  # the same keys in the Russian layout
        ("прод", "R05"),
        ("ghjl", "R05"),
        ("срока", "R05"),  # a word further on
        ("R0щ5", "R05"),  # a letter that leads nowhere is not taken
    ],
)
async def test_letters_lead_to_the_row_that_begins_so(typed: str, key: str) -> None:
    app = ByLetters()
    async with app.run_test(size=(60, 10)) as pilot:
        shown = app.query_one(Rows)
        titles = {"R01": "Консультация дана", "R04": "Передано с уведомлением", "R05": "Продление срока"}
        shown.show([Row(code, (code, title)) for code, title in titles.items()])
        await pilot.press(*typed)
        assert shown.current is not None
        assert shown.current.key == key
