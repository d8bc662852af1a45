"""The pen: where the terminal's cursor stands and in which style it writes, and the cheapest way to change that.

Lengths are counted in bytes on the wire. Only sequences of the VT100 (cursor moves, EL, SGR) and one of the VT220 (ECH)
are used, so the same bytes serve a serial terminal and a window.
"""

from __future__ import annotations

from functools import lru_cache

from operator_tui.terminal.styles import PLAIN, Style, change, on_blank

Cell = tuple[str, Style]
"""A character (with its combining marks) and its style; the second half of a wide character is ``""``."""

Row = list[Cell]

BLANK: Cell = (" ", PLAIN)

_NARROW_RANGES = (
    (0x20, 0x7E),
    (0xA0, 0xAC),
    (0xAE, 0x2FF),
    (0x370, 0x377),
    (0x391, 0x3A1),
    (0x3A3, 0x482),
    (0x48A, 0x52F),
    (0x2010, 0x2026),
    (0x2500, 0x25FC),
    (0x2800, 0x28FF),
)
NARROW = frozenset("№₽←↑→↓").union(*(map(chr, range(low, high + 1)) for low, high in _NARROW_RANGES))
"""The characters that every terminal draws in exactly one cell (a part of them: those a desk shows)."""

_LONGEST_GAP = 8
_ERASE_ROW = "\x1b[K"
_SHORTEST_ERASURE = 8


class Pen:
    """Collects the bytes that draw differences; `taken` gives them out.

    `erases_in_colour`: erased cells get the current background (bce); without it only blanks of the default
    background are erased. `erases_cells`: the terminal has ECH, as the VT220 and all later ones.
    """

    def __init__(self, columns: int, *, erases_in_colour: bool = False, erases_cells: bool = True) -> None:
        self.columns = columns
        self.position: tuple[int, int] | None = None
        self.style: Style | None = None
        self.shown: bool | None = None
        self._erases_in_colour = erases_in_colour
        self._erases_cells = erases_cells
        self._out: list[str] = []

    def taken(self) -> str:
        """All that was drawn since the last call."""
        text = "".join(self._out)
        self._out.clear()
        return text

    def forget(self) -> None:
        """Nothing is known any more of the terminal's cursor and style."""
        self.position = self.style = self.shown = None

    def clear(self, paper: str = "") -> Cell:
        """Erase the whole screen, scrolling margins too; returns the cell it is full of."""
        blank = (" ", Style((), "", paper if self._erases_in_colour else ""))
        self._out.append(change(None, blank[1]) + "\x1b[r\x1b[2J")
        self.position, self.style = None, blank[1]
        return blank

    def show(self, shown: bool) -> None:
        """Show or hide the terminal's cursor (DECTCEM)."""
        if self.shown is not shown:
            self._out.append("\x1b[?25h" if shown else "\x1b[?25l")
            self.shown = shown

    def move(self, x: int, y: int) -> None:
        """Put the cursor at column `x` and row `y`, counted from 0."""
        if self.position != (x, y):
            self._out.append(way(self.position, (x, y)))
            self.position = (x, y)

    def draw_row(self, y: int, old: Row, new: Row) -> None:
        """Send the cells of row `y` that differ."""
        x, columns = 0, self.columns
        while x < columns:
            cell = new[x]
            if cell == old[x] or not cell[0]:
                x += 1
                continue
            self._reach(x, y, new)
            end = x + 1
            if cell[0] == " ":
                end = self._draw_blanks(x, y, new, old)
            else:
                self._draw(cell, x, y)
            x = end

    def _reach(self, x: int, y: int, row: Row) -> None:
        """Move to a cell, or write again the few cells between where that is no longer."""
        position = self.position
        if position and position[1] == y and 0 < x - position[0] <= _LONGEST_GAP:
            gap = row[position[0] : x]
            if all(self._writes_as_is(cell) for cell in gap):
                text = "".join(cell[0] for cell in gap)
                if len(text.encode()) <= len(way(position, (x, y))):
                    self._out.append(text)
                    self.position = (x, y)
                    return
        self.move(x, y)

    def _writes_as_is(self, cell: Cell) -> bool:
        text, style = cell
        if text not in NARROW or self.style is None:
            return False
        return style == self.style or (text == " " and style == on_blank(self.style))

    def _draw(self, cell: Cell, x: int, y: int) -> None:
        text, style = cell
        if style != self.style:
            self._out.append(change(self.style, style))
            self.style = style
        self._out.append(text)
        # After a character of doubtful width, and in the last column, no terminal is sure where the cursor is.
        self.position = (x + 1, y) if x + 1 < self.columns and text in NARROW else None

    def _draw_blanks(self, x: int, y: int, new: Row, old: Row) -> int:
        """Draw the run of equal blanks at `x`; returns the column after what was drawn."""
        style, columns = new[x][1], self.columns
        same = x + 1
        while same < columns and new[same] == new[x]:
            same += 1
        if same == columns and columns - x > len(_ERASE_ROW) and self._can_erase(style):
            self._erase(style, _ERASE_ROW)
            return columns
        last = same - 1
        while new[last] == old[last]:
            last -= 1
        if self._erases_cells and last - x >= _SHORTEST_ERASURE and self._can_erase(style):
            self._erase(style, f"\x1b[{last - x + 1}X")
            return last + 1
        end = x + 1
        while end < same and new[end] != old[end]:
            end += 1
        if self.style is None or on_blank(self.style) != style:
            self._out.append(change(self.style, style))
            self.style = style
        self._out.append(" " * (end - x))
        self.position = (end, y) if end < columns else None
        return end

    def _erase(self, style: Style, sequence: str) -> None:
        # Terminals differ in which marks an erased cell gets; a reversed or underlined style is left first.
        if self.style is None or "7" in self.style.marks or on_blank(self.style) != style:
            self._out.append(change(self.style, style))
            self.style = style
        self._out.append(sequence)

    def _can_erase(self, style: Style) -> bool:
        return not style.marks and (not style.paper or self._erases_in_colour)


@lru_cache(maxsize=8192)
def way(start: tuple[int, int] | None, end: tuple[int, int]) -> str:
    """The shortest cursor move from `start` (None: unknown) to `end`, both (column, row) from 0."""
    x, y = end
    ways = [f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H" if y else "\x1b[H"]
    if start is not None:
        right, down = x - start[0], y - start[1]
        if not right:
            ways.append(_steps(down, "B", "A"))
        if not down:
            ways.append(_steps(right, "C", "D"))
            if right < 0:
                ways.append("\b" * -right)
            if not x:
                ways.append("\r")
        elif down == 1 and not x:
            ways.append("\r\n")
    return min(ways, key=_wire_length)


def _steps(count: int, forward: str, back: str) -> str:
    distance = abs(count)
    return f"\x1b[{distance if distance > 1 else ''}{forward if count > 0 else back}"


def _wire_length(move: str) -> int:
    # The tty makes `\r\n` of a line feed (ONLCR), so it costs one byte more than it has here.
    return len(move) + move.count("\n")
