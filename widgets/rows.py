"""A list of one-line rows with a cursor: hits, themes, the history and the journal are all this widget.

Only rows whose look changed are repainted, and the terminal's own cursor stands on the chosen row, so that braille
displays and magnifiers follow it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.events import Key
from textual.geometry import Offset, Region, Size
from textual.message import Message
from textual.reactive import Reactive, reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from operator_tui.letters import fold, to_latin_layout, to_russian_layout

_ENOUGH = 32  # cells for the column that takes what is left
_SHORT = 6  # a narrower column has no cell to spare for the sign that something is cut


@dataclass(frozen=True)
class Row:
    """One row: ``key`` is what a message carries; ``cells`` are laid out in the columns of the widget.

    ``mark`` is a sign in front (a tick, an urgency letter); a ``dim`` row can not be chosen (a heading, a hint); an
    ``urgent`` one is coloured too, never by its colour alone.
    """

    key: str
    cells: tuple[str, ...]
    mark: str = " "
    dim: bool = False
    urgent: bool = False


@dataclass(frozen=True)
class Column:
    """Width in cells; 0 takes what is left. ``right`` aligns to the right. ``more`` is how many cells wider it gets
    where the column that takes what is left has enough."""

    width: int = 0
    right: bool = False
    more: int = 0


class Rows(ScrollView, can_focus=True):
    """Rows to choose from with the arrow keys and Enter; ``by_letters`` also by how they begin."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"rows--cursor", "rows--dim", "rows--row", "rows--urgent"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home", "edge(0)", show=False),
        Binding("end", "edge(-1)", show=False),
        Binding("enter", "choose", show=False),
        Binding("space", "tick", show=False),
    ]

    chosen: reactive[int] = reactive(0, init=False)
    # Stock Textual lays the whole screen out when the number of rows changes (3 ms each time).
    virtual_size: Reactive[Size] = reactive(Size(0, 0), layout=False)

    class AboutRow(Message):
        """Something about a row. The kinds are siblings: a handler also gets the subclasses of its message."""

        def __init__(self, rows: Rows, key: str) -> None:
            super().__init__()
            self.rows = rows
            self.key = key

        @property
        def control(self) -> Rows:
            return self.rows

    class Chosen(AboutRow):
        """Enter on a row."""

    class Ticked(AboutRow):
        """Space on a row."""

    class Moved(AboutRow):
        """The cursor came to another row."""

    def __init__(
        self,
        columns: Sequence[Column] = (Column(),),
        *,
        empty: str = "",
        id: str | None = None,
        by_letters: bool = False,
    ) -> None:
        super().__init__(id=id)
        self._columns = tuple(columns)
        self._by_letters = by_letters
        self._typed = ""  # letters since the list has the focus
        self._rows: tuple[Row, ...] = ()
        self._empty = empty
        self.show_horizontal_scrollbar = False

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows as they stand."""
        return self._rows

    @property
    def current(self) -> Row | None:
        """The row under the cursor, None when there is nothing to choose."""
        if 0 <= self.chosen < len(self._rows) and not self._rows[self.chosen].dim:
            return self._rows[self.chosen]
        return None

    def show(self, rows: Sequence[Row], *, keep: bool = False, empty: str | None = None) -> None:
        """Put other rows in. ``keep`` holds the cursor on the same key where it is still there."""
        key = self.current.key if keep and self.current else None
        old = self._rows
        self._rows = tuple(rows)
        if empty is not None:
            self._empty = empty
        index = next((i for i, row in enumerate(self._rows) if row.key == key and not row.dim), None)
        if index is None:
            index = next((i for i, row in enumerate(self._rows) if not row.dim), 0)
        if self._rows == old and index == self.chosen:
            if not self._rows:
                self.refresh()
            return
        self._count()
        self.set_reactive(Rows.chosen, index)
        self.scroll_to_region(Region(0, index, 1, 1), animate=False)
        self.refresh()
        self._place_cursor()

    def append(self, rows: Sequence[Row]) -> None:
        """Put rows after the last; the cursor and what is shown stay as they are."""
        self._rows += tuple(rows)
        self._count()

    def _count(self) -> None:
        """So many rows can be scrolled to; only a list as high as its rows moves what stands below it."""
        size = Size(self.size.width, len(self._rows))
        if size != self.virtual_size:
            self.virtual_size = size
            self._scroll_update(size)  # what a layout would tell the scroll bar
            if self.styles.is_auto_height:
                self.refresh(layout=True)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        index = y + round(self.scroll_offset.y)
        if index >= len(self._rows):
            text = self._empty if index == 0 and not self._rows else ""
            return self._strip(text, self.get_component_rich_style("rows--dim"), width)
        row = self._rows[index]
        if row.dim:
            style = self.get_component_rich_style("rows--dim")
        elif index == self.chosen and self.has_focus:
            style = self.get_component_rich_style("rows--cursor")
        elif row.urgent:
            style = self.get_component_rich_style("rows--urgent")
        else:
            style = self.get_component_rich_style("rows--row")
        pointer = ">" if index == self.chosen and not row.dim else " "
        return self._strip(f"{pointer}{row.mark}{self._laid_out(row, width - 2)}", style, width)

    def _strip(self, text: str, style: Style, width: int) -> Strip:
        return Strip([Segment(set_cell_size(text, width), style)], width)

    def _laid_out(self, row: Row, width: int) -> str:
        if len(row.cells) == 1:
            return row.cells[0]
        fixed = sum(column.width for column in self._columns) + len(self._columns) - 1
        wider = max(0, min(sum(column.more for column in self._columns), width - fixed - _ENOUGH))
        rest = max(width - fixed - wider, 4)
        parts = []
        for cell, column in zip(row.cells, self._columns, strict=False):
            taken = min(column.more, wider)
            wider -= taken
            size = column.width + taken if column.width else rest
            if column.right and cell_len(cell) < size:
                cell = " " * (size - cell_len(cell)) + cell
            cut = size > _SHORT and cell_len(cell) > size
            parts.append(set_cell_size(cell, size - 1) + "…" if cut else set_cell_size(cell, size))
        return " ".join(parts)

    def watch_chosen(self, old: int, new: int) -> None:
        top = round(self.scroll_offset.y)
        for index in (old, new):
            self.refresh(Region(0, index - top, self.size.width, 1))
        self.scroll_to_region(Region(0, new, 1, 1), animate=False)
        self._place_cursor()
        if self.current is not None:
            self.post_message(self.Moved(self, self.current.key))

    def _place_cursor(self) -> None:
        if self.has_focus:
            self.app.cursor_position = Offset(self.region.x, self.region.y + self.chosen - round(self.scroll_offset.y))

    def on_key(self, event: Key) -> None:
        """Where letters lead to a row: to the first that begins with what was typed, its key before its words. A letter
        that leads nowhere is not taken, and the bell says so."""
        if not (self._by_letters and event.is_printable and event.character) or event.key == "space":
            return
        event.stop()
        place = self._begins_with(self._typed + event.character)
        if place is None:
            self.app.bell()
        else:
            self._typed += event.character
            self.chosen = place

    def _begins_with(self, typed: str) -> int | None:
        wanted = tuple({fold(text) for text in (typed, to_latin_layout(typed), to_russian_layout(typed))})
        rows = [(place, row) for place, row in enumerate(self._rows) if not row.dim]
        for words in (_key_of, _cells_of, _words_of):
            for place, row in rows:
                if any(fold(word).startswith(wanted) for word in words(row)):
                    return place
        return None

    def on_focus(self) -> None:
        self._typed = ""
        self.call_after_refresh(self._place_cursor)
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def on_resize(self) -> None:
        self._count()

    def action_move(self, step: int) -> None:
        """Up or down to the next row that can be chosen."""
        index = self.chosen + step
        while 0 <= index < len(self._rows) and self._rows[index].dim:
            index += step
        if 0 <= index < len(self._rows):
            self.chosen = index

    def action_page(self, step: int) -> None:
        """A screenful up or down."""
        if self._rows:
            self.chosen = max(0, min(len(self._rows) - 1, self.chosen + step * max(1, self.size.height - 1)))

    def action_edge(self, index: int) -> None:
        """The first (0) or the last (-1) row."""
        if self._rows:
            self.chosen = index % len(self._rows)

    def action_choose(self) -> None:
        """Take the row under the cursor."""
        if self.current is not None:
            self.post_message(self.Chosen(self, self.current.key))

    def action_tick(self) -> None:
        """Tick the row under the cursor."""
        if self.current is not None:
            self.post_message(self.Ticked(self, self.current.key))

    def choose(self) -> None:
        """Take the row under the cursor, for another widget.

        In this widget's own turn: a message that its parent sends goes no further than the parent (Textual's
        MessagePump._on_message).
        """
        self.call_later(self.action_choose)


def _key_of(row: Row) -> tuple[str, ...]:
    return (row.key,)


def _cells_of(row: Row) -> tuple[str, ...]:
    return row.cells


def _words_of(row: Row) -> list[str]:
    return [word for cell in row.cells for word in cell.split()]
