"""One line of text that repaints only when its text changes."""

from __future__ import annotations

from rich.cells import set_cell_size
from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget


class Line(Widget):
    """A line: what does not fit is cut, with an ellipsis. ``left`` stands left, ``right`` is kept at the edge."""

    DEFAULT_CSS = "Line { height: 1; width: 1fr; }"

    def __init__(self, left: str = "", right: str = "", *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._left = left
        self._right = right

    @property
    def text(self) -> str:
        """What it says, both parts."""
        return f"{self._left} {self._right}".strip()

    def say(self, left: str, right: str = "") -> None:
        """Show other text."""
        if (left, right) != (self._left, self._right):
            self._left, self._right = left, right
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        left_width = max(0, width - len(self._right))
        left = self._left
        if len(left) > left_width:
            left = left[: max(0, left_width - 1)] + "…"
        return Strip([Segment(set_cell_size(left, left_width) + self._right[:width], self.rich_style)], width)
