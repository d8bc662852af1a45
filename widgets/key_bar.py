"""The bottom line: the keys that do something here and now."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget


class KeyBar(Widget):
    """Keys and their words, as many as fit."""

    DEFAULT_CSS = "KeyBar { height: 1; dock: bottom; }"
    COMPONENT_CLASSES = {"key-bar--key"}  # noqa: RUF012  # Textual declares it as a plain set

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._keys: tuple[tuple[str, str], ...] = ()

    def show(self, keys: Sequence[tuple[str, str]]) -> None:
        """``(key, word)`` in their order."""
        if tuple(keys) != self._keys:
            self._keys = tuple(keys)
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        key_style = self.get_component_rich_style("key-bar--key")
        segments: list[Segment] = []
        used = 0
        for key, word in self._keys:
            piece = cell_len(key) + cell_len(word) + 2
            if used + piece > width:
                break
            segments += [Segment(key, key_style), Segment(f" {word} ", self.rich_style)]
            used += piece
        segments.append(Segment(set_cell_size("", width - used), self.rich_style))
        return Strip(segments, width)
