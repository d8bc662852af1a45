"""A few lines of text that take the height they need."""

from __future__ import annotations

import textwrap

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

MOST_LINES = 3


class Wrapped(Widget):
    """One to three lines; it takes the height its text needs, so that the end of a sentence is never lost."""

    DEFAULT_CSS = "Wrapped { height: 1; width: 1fr; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._text = ""
        self._lines: list[str] = []

    @property
    def text(self) -> str:
        """What it says, unwrapped."""
        return self._text

    def say(self, text: str, *, urgent: bool = False) -> None:
        """Show a text; an urgent one is marked by a sign, not by its colour alone."""
        shown = f"! {text}" if urgent and text else text
        self.set_class(urgent, "-urgent")
        if shown != self._text:
            self._text = shown
            self._wrap()
            self.refresh()

    def _wrap(self) -> None:
        width = self.size.width or self.app.size.width
        self._lines = textwrap.wrap(self._text, max(width, 20))[:MOST_LINES]
        height = max(1, len(self._lines))
        if self.styles.height is None or self.styles.height.value != height:
            self.styles.height = height

    def on_resize(self) -> None:
        self._wrap()

    def render_line(self, y: int) -> Strip:
        text = self._lines[y] if y < len(self._lines) else ""
        return Strip([Segment(text, self.rich_style)]).adjust_cell_length(self.size.width, self.rich_style)
