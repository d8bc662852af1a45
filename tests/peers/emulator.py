"""The terminal a test looks at: pyte, with alternate screen, split wide characters and modes as in xterm."""

from __future__ import annotations

import codecs
import copy
import functools
import re
import unicodedata
from collections.abc import Callable
from typing import Any, NamedTuple

import pyte
from pyte.screens import Char

ALTERNATE_SCREEN = 1049

# pyte draws the rest of such sequences as text, so they never reach it.
_UNKNOWN_TO_PYTE = re.compile(r"\x1b\[(?:\?(?P<asked>\d+)\$p|[<=>][0-9;:]*[a-zA-Z]|\?[0-9;]*u)")
_UNFINISHED = re.compile(r"\x1b(?:\[[0-9;:?<=>$]*|\][^\x07\x1b]*)?\Z")


class Cell(NamedTuple):
    """What a person sees in one cell: a blank has only its background, whatever else was sent for it."""

    text: str
    foreground: str
    background: str
    marks: frozenset[str]


@functools.cache  # few differ, and walks keep a million of them
def visible(char: Char) -> Cell:
    """The visible part of a pyte character; reverse is resolved into the two colours."""
    foreground, background = char.fg, char.bg
    if char.reverse:
        # The default ink as a background, and the default background as an ink, are colours of their own.
        foreground, background = (
            f"inverse {colour}" if colour == "default" else colour for colour in (background, foreground)
        )
    lines = {name for name in ("underscore", "strikethrough") if getattr(char, name)}
    if char.data in (" ", "") and not lines:
        return Cell(char.data, "", background, frozenset())
    marks = lines | {name for name in ("bold", "italics", "blink") if getattr(char, name)}
    return Cell(char.data, foreground, background, frozenset(marks))


class _Screen(pyte.Screen):
    def __init__(self, columns: int, lines: int, reply: Callable[[str], None]) -> None:
        self._reply = reply
        self._main: tuple[Any, Any] | None = None
        self.private: set[int] = set()
        self.asked: list[str] = []
        self.bells = 0
        super().__init__(columns, lines)

    def write_process_input(self, data: str) -> None:
        self.asked.append(data)
        self._reply(data)

    def bell(self, *args: object) -> None:
        self.bells += 1

    def set_mode(self, *modes: int, **kwargs: Any) -> None:
        super().set_mode(*modes, **kwargs)
        if kwargs.get("private"):
            self.private.update(modes)
            if ALTERNATE_SCREEN in modes and self._main is None:
                self._main = (copy.deepcopy(self.buffer), copy.copy(self.cursor))
                self.erase_in_display(2)

    def reset_mode(self, *modes: int, **kwargs: Any) -> None:
        super().reset_mode(*modes, **kwargs)
        if kwargs.get("private"):
            self.private.difference_update(modes)
            if ALTERNATE_SCREEN in modes and self._main is not None:
                (self.buffer, cursor), self._main = self._main, None
                cursor.hidden = self.cursor.hidden
                self.cursor = cursor

    def erase_in_line(self, how: int = 0, private: bool = False) -> None:
        x = min(self.cursor.x, self.columns - 1)
        self._erase(self.cursor.y, *{0: (x, self.columns), 1: (0, x + 1)}.get(how, (0, self.columns)))

    def erase_in_display(self, how: int = 0, *args: Any, **kwargs: Any) -> None:
        rows = {0: range(self.cursor.y + 1, self.lines), 1: range(self.cursor.y)}
        for y in rows.get(how, range(self.lines)):
            self._erase(y, 0, self.columns)
        if how in rows:
            self.erase_in_line(how)

    def erase_characters(self, count: int | None = None) -> None:
        x = min(self.cursor.x, self.columns - 1)
        self._erase(self.cursor.y, x, min(x + (count or 1), self.columns))

    def _erase(self, y: int, start: int, end: int) -> None:
        """Fill with the current background alone, as xterm does; pyte leaves cells that were never drawn."""
        line = self.buffer[y]
        for x in (start, end):
            if 0 < x < self.columns and line[x].data == "":
                line[x - 1] = line[x - 1]._replace(data=" ")
                line[x] = line[x]._replace(data=" ")
        for x in range(start, end):
            line[x] = self.default_char._replace(bg=self.cursor.attrs.bg)

    def draw(self, data: str) -> None:
        for character in data:
            if self.cursor.x >= self.columns - 1 and _is_wide(character):
                # Terminals disagree on half of a wide character at the edge; here it is a blank.
                character = " "
            x, line = min(self.cursor.x, self.columns - 1), self.buffer[self.cursor.y]
            if x and line[x].data == "" and (unicodedata.combining(character) == 0):
                line[x - 1] = line[x - 1]._replace(data=" ")
            super().draw(character)
            end = self.cursor.x
            if end < self.columns and line[end].data == "" and end and line[end - 1].data != "":
                if not _is_wide(line[end - 1].data):
                    line[end] = line[end]._replace(data=" ")
            elif end < self.columns and end > 1 and line[end].data == "" and line[end - 1].data == "":
                line[end] = line[end]._replace(data=" ")


def _is_wide(text: str) -> bool:
    return bool(text) and pyte.screens.wcwidth(text[0]) == 2


class Emulator:
    """Bytes in, a screen out; queries are answered through `reply` (text to send to the program)."""

    def __init__(self, columns: int, lines: int, reply: Callable[[str], None] = lambda _text: None) -> None:
        self._reply = reply
        self.screen = _Screen(columns, lines, reply)
        self._stream = pyte.Stream(self.screen)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self.modes_asked: list[int] = []
        self.unknown: list[str] = []
        """Private sequences that were swallowed: a terminal without them might print their last letter."""

    def feed(self, data: bytes) -> None:
        """Apply bytes as the terminal does; an unfinished sequence waits for its end."""
        text = self._rest + self._decoder.decode(data)
        self._rest = ""
        if unfinished := _UNFINISHED.search(text):
            self._rest = unfinished.group()
            text = text[: unfinished.start()]
        start = 0
        for match in _UNKNOWN_TO_PYTE.finditer(text):
            self._stream.feed(text[start : match.start()])
            start = match.end()
            if match["asked"]:
                self.modes_asked.append(int(match["asked"]))
                self._reply(f"\x1b[?{match['asked']};0$y")
            else:
                self.unknown.append(match.group())
        self._stream.feed(text[start:])

    def resize(self, columns: int, lines: int) -> None:
        """Change the size as a window does."""
        self.screen.resize(lines, columns)

    @property
    def cursor(self) -> tuple[int, int, bool]:
        """Column and row from 0, and whether the cursor is shown."""
        cursor = self.screen.cursor
        return min(cursor.x, self.screen.columns - 1), cursor.y, not cursor.hidden

    def lines(self) -> list[str]:
        """The rows as text, without blanks at their ends."""
        screen = self.screen  # the second half of a wide character is an empty cell (_Screen.draw)
        columns = range(screen.columns)
        return [
            "".join([line[x].data for x in columns]).rstrip()
            for line in map(screen.buffer.__getitem__, range(screen.lines))
        ]

    def cells(self) -> list[list[Cell]]:
        """Every cell as it is seen, row by row."""
        screen = self.screen
        return [[visible(screen.buffer[y][x]) for x in range(screen.columns)] for y in range(screen.lines)]
