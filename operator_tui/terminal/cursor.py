"""The locus of focus: where the terminal's own cursor has to stand.

Braille displays and screen magnifiers follow the terminal's cursor, so it stands in lists and tables too, at the row
that is chosen, and not in text fields alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ScreenStackError
from textual.errors import NoWidget
from textual.geometry import Offset
from textual.widgets import Input

if TYPE_CHECKING:
    from textual.app import App
    from textual.widget import Widget


def locus(app: App[object]) -> tuple[int, int] | None:
    """Column and row of the focus on the screen, from 0; None when nothing that can be seen has the focus.

    A widget may say it by a property `cursor_screen_offset`, as `Input` and `TextArea` do.
    """
    try:
        widget = app.focused
        if widget is None:
            return None
        geometry = widget.screen.find_widget(widget)
    except (ScreenStackError, NoWidget):
        return None
    x, y = _offset(widget)
    if not geometry.clip.intersection(geometry.region).contains(x, y):
        return None
    return x, y


def _offset(widget: Widget) -> Offset:
    if (offset := getattr(widget, "cursor_screen_offset", None)) is not None:
        # Textual's own Input reports the cell after the cursor when it stands at the end.
        beyond = type(widget) is Input and widget.cursor_at_end
        return Offset(*offset) - Offset(int(beyond), 0)
    if (chosen := getattr(widget, "highlighted_child", None)) is not None:  # ListView
        return Offset(*chosen.content_region.offset)
    content, scroll = widget.content_region, widget.scroll_offset
    row = _row(widget)
    if row is None:
        # A widget of the desk's own may have told Textual where its cursor is.
        told = widget.app.cursor_position
        return told if widget.region.contains_point(told) else content.offset
    return Offset(content.x, content.y + row - scroll.y)


def _row(widget: Widget) -> int | None:
    """The row of the chosen line inside a list, a table or a tree, counted from the top of its content."""
    if (lines := getattr(widget, "_index_to_line", None)) is not None:  # OptionList
        highlighted = getattr(widget, "highlighted", None)
        return None if highlighted is None else int(lines.get(highlighted, 0))
    if (coordinate := getattr(widget, "cursor_coordinate", None)) is not None:  # DataTable
        return int(widget._get_row_region(coordinate.row).y)  # type: ignore[attr-defined]  # of DataTable
    if (line := getattr(widget, "cursor_line", None)) is not None:  # Tree
        return int(line)
    return None
