"""Text from elsewhere is shown, never obeyed."""

from __future__ import annotations

from typing import Any

import pytest
from rich.segment import Segment
from textual.color import Color
from textual.widget import Widget
from textual.widgets import Static

from tests.screens.page import open_desk
from tests.screens.test_desk import QUIET
from widgets.harmless import HarmlessText
from widgets.lean import LeanInput
from widgets.line import Line
from widgets.rows import Row, Rows

# The clipboard, the title, the whole screen, in the form of seven and of eight bits; a bell and a DEL.
ORDERS = "\x1b]52;c;0LQ=\x07ул. \x1b[2J\x9b2JЛен\x7fина\x00"
SHOWN = "]52;c;0LQ=ул. [2J2JЛенина"


def _rows() -> Rows:
    rows = Rows()
    rows.show([Row("1", (ORDERS,))])
    return rows


@pytest.mark.parametrize(
    "made", [lambda: Line(ORDERS), lambda: Static(ORDERS, markup=False), lambda: LeanInput(ORDERS), _rows]
)
async def test_whatever_paints_it_no_order_reaches_the_terminal(made: Any) -> None:
    async with open_desk(phone=QUIET) as desk:
        widget: Widget = made()
        widget.styles.dock = "top"
        await desk.app.screen.mount(widget)
        await desk.until(lambda: SHOWN in desk.text(), "the text")
        assert not set("\x1b\x07\x9b\x7f\x00") & set(desk.text())


def test_what_is_printable_stays_the_same_object() -> None:
    line = [Segment("Ёлкина — «да»"), Segment("№ 5")]
    assert HarmlessText().apply(line, Color(0, 0, 0)) is line
