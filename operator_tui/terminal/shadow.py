"""The shadow screen: what the application wants to be seen, and what the terminal already shows.

Frames of Textual go in (`paint`), the differences come out (`render`). Two grids make every repair possible: after
noise, a resize or a sequence nobody here knows, what the terminal shows is unknown, and the next render draws it
whole. The idea is that of curses and of mosh's terminal framebuffer.
"""

from __future__ import annotations

import re
from collections import Counter

from rich.cells import split_graphemes

from operator_tui.terminal.pen import BLANK, NARROW, Pen, Row
from operator_tui.terminal.styles import PLAIN, Style, applied, on_blank

_TOKENS = re.compile(
    r"(?P<text>[^\x00-\x1f\x7f\x9b]+)"
    r"|\x1b\[(?P<numbers>[0-9;:]*)(?P<final>[HfmJK])"
    r"|\x1b\[\?(?P<modes>[0-9;]+)(?P<switch>[hl])"
    r"|(?P<needless>\x1b\](?:8|22);[^\x07\x1b]*(?:\x07|\x1b\\))"
    r"|(?P<harmless>\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1bP[^\x1b]*\x1b\\"
    r"|\x1b\[[?>=<][0-9;:]*\$?[a-zA-Z]|\x1b\[[0-9]*[nc]|\x07)"
    r"|(?P<feed>[\r\n])"
    r"|(?P<foreign>\x1b\[[0-?]*[ -/]*[@-~]|\x1b[ -/]*[0-~]|[\x00-\x1f\x7f\x9b])",
    re.DOTALL,
)
_SCREENS = frozenset({"47", "1047", "1049"})
_CURSOR = "25"
_SYNCHRONIZED = "2026"

# A frame longer than this hides the cursor while it is drawn, and is worth the bytes of synchronized output.
_LARGE_FRAME = 400


class Shadow:
    """A screen of `pen.columns` x `rows` cells, wanted and shown; `pen` knows what the terminal can do."""

    def __init__(self, pen: Pen, rows: int) -> None:
        self.pen = pen
        self.resize(pen.columns, rows)

    def resize(self, columns: int, rows: int) -> None:
        """Start again with an empty screen of another size; what the terminal shows is unknown."""
        self.columns, self.rows = columns, rows
        self.pen.columns = columns
        self.wanted: list[Row] = [[BLANK] * columns for _ in range(rows)]
        self._x = self._y = 0
        self._style = PLAIN
        self._painted = False
        self._synchronized = False
        self.forget()

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows."""
        return self.columns, self.rows

    def forget(self) -> None:
        """The terminal may show anything: the next render clears it and draws all that is wanted."""
        self._shown: list[Row] | None = None
        self._dirty = set(range(self.rows))
        self.pen.forget()

    def paint(self, frame: str) -> str:
        """Take a frame in. Returns what must be sent as it is and at once: bells, titles, modes, queries."""
        through: list[str] = []
        for token in _TOKENS.finditer(frame):
            kind = token.lastgroup
            if kind == "text":
                self._write(token["text"])
            elif kind == "final":
                self._control(token["final"], token["numbers"])
            elif kind == "feed":
                self._x = 0
                if token["feed"] == "\n":
                    self._y = min(self._y + 1, self.rows - 1)
            elif kind == "switch":
                through.append(self._switch(token.group(), token["modes"].split(";"), token["switch"] == "h"))
            # Nothing is left of what is `needless`: links (OSC 8) and the mouse pointer's shape (OSC 22).
            elif kind == "harmless":
                through.append(token.group())
            elif kind == "foreign":
                # Nobody here knows what it does to the screen: it goes out in its place, then all is drawn anew.
                through.append(self.render(None) + token.group())
                self.forget()
        return "".join(through)

    def render(self, cursor: tuple[int, int] | None) -> str:
        """The bytes that bring the terminal from what it shows to what is wanted.

        `cursor` is where the terminal's cursor stands when it is shown (column, row); None hides it.
        """
        if not self._painted:
            return ""
        pen = self.pen
        if self._shown is None:
            blank = pen.clear(self._commonest_paper())
            self._shown = [[blank] * self.columns for _ in range(self.rows)]
        for y in sorted(self._dirty):
            wanted = self.wanted[y]
            if wanted != self._shown[y]:
                pen.draw_row(y, self._shown[y], wanted)
                self._shown[y] = wanted.copy()
        self._dirty.clear()
        drawn = pen.taken()
        large = len(drawn) > _LARGE_FRAME
        if large and pen.shown is not False:
            pen.show(False)
            drawn = pen.taken() + drawn
        if cursor is not None:
            pen.move(*cursor)
        pen.show(cursor is not None)
        drawn += pen.taken()
        if large and self._synchronized:
            return f"\x1b[?{_SYNCHRONIZED}h{drawn}\x1b[?{_SYNCHRONIZED}l"
        return drawn

    def _write(self, text: str) -> None:
        if not 0 <= self._y < self.rows:
            return
        self._dirty.add(self._y)
        self._painted = True
        if NARROW.issuperset(text):
            self._write_narrow(text)
            return
        spans, _ = split_graphemes(text)
        for start, end, width in spans:
            self._put(text[start:end], width)

    def _write_narrow(self, text: str) -> None:
        x, style, columns = min(self._x, self.columns - 1), self._style, self.columns
        self._x = min(self._x + len(text), columns)
        if len(text) > columns - x:
            # Without wrapping, all that is too long overwrites the last column.
            text = text[: columns - x - 1] + text[-1]
        end = x + len(text)
        row = self.wanted[self._y]
        self._split(row, x)
        self._split(row, end)
        blank = (" ", on_blank(style))
        row[x:end] = [blank if character == " " else (character, style) for character in text]

    def _put(self, text: str, width: int) -> None:
        """Put one grapheme of `width` cells at the cursor; one without width joins the cell before."""
        x, row = self._x, self.wanted[self._y]
        if not width:
            self._join(text, row)
            return
        self._x = min(x + width, self.columns)
        x = min(x, self.columns - 1)
        if x + width > self.columns:
            # Half of a wide character does not fit in the last column: no terminal draws it.
            text, width = " ", 1
        style = on_blank(self._style) if text == " " else self._style
        self._split(row, x)
        self._split(row, x + width)
        row[x : x + width] = [(text, style), *[("", style)] * (width - 1)]

    def _join(self, mark: str, row: Row) -> None:
        before = self._x - 1
        while before > 0 and not row[before][0]:
            before -= 1
        if before >= 0:
            text, style = row[before]
            row[before] = (text + mark, self._style if text == " " else style)

    @staticmethod
    def _split(row: Row, x: int) -> None:
        """A wide character that is cut before column `x` leaves blanks, as on every terminal."""
        if 0 < x < len(row) and not row[x][0]:
            for half in (x - 1, x):
                row[half] = (" ", on_blank(row[half][1]))

    def _control(self, final: str, numbers: str) -> None:
        if final == "m":
            self._style = applied(self._style, numbers)
        elif final in "Hf":
            y, _, x = numbers.partition(";")
            self._y = min(max(int(y or 1), 1), self.rows) - 1
            self._x = min(max(int(x or 1), 1), self.columns) - 1
        elif final == "J":
            self._erase_screen(numbers or "0")
        else:
            self._erase_row(self._y, numbers or "0")

    def _erase_screen(self, part: str) -> None:
        rows = {"0": range(self._y + 1, self.rows), "1": range(min(self._y, self.rows))}
        for y in rows.get(part, range(self.rows)):
            self._erase_row(y, "2")
        if part in rows:
            self._erase_row(self._y, part)

    def _erase_row(self, y: int, part: str) -> None:
        if not 0 <= y < self.rows:
            return
        x = min(self._x, self.columns - 1)
        start, end = {"0": (x, self.columns), "1": (0, x + 1)}.get(part, (0, self.columns))
        row = self.wanted[y]
        self._split(row, start)
        self._split(row, end)
        row[start:end] = [(" ", Style((), "", self._style.paper))] * (end - start)
        self._dirty.add(y)
        self._painted = True

    def _switch(self, sequence: str, modes: list[str], on: bool) -> str:
        if modes == [_SYNCHRONIZED]:
            # Textual asks for it round every frame; here it is worth its bytes round a large one alone.
            self._synchronized = True
            return ""
        if modes == [_CURSOR]:
            # Whether the cursor shows is decided at every render.
            return ""
        if _SCREENS.intersection(modes):
            self.resize(self.columns, self.rows)
        return sequence

    def _commonest_paper(self) -> str:
        papers = Counter(cell[1].paper for row in self.wanted for cell in row if cell[0] == " " and not cell[1].marks)
        return papers.most_common(1)[0][0] if papers else ""
