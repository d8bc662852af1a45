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
        """``(key, word)``, the most wanted first; those that fit are shown in the order of the keyboard."""
        if tuple(keys) != self._keys:
            self._keys = tuple(keys)
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        key_style = self.get_component_rich_style("key-bar--key")
        fitting: list[tuple[str, str]] = []
        used = 0
        for key, word in self._keys:
            piece = cell_len(key) + cell_len(word) + 2
            if used + piece <= width:
                fitting.append((key, word))
                used += piece
        segments: list[Segment] = []
        for key, word in sorted(fitting, key=_place_on_keyboard):
            segments += [Segment(f"{key} ", key_style), Segment(f"{word} ", self.rich_style)]
        segments.append(Segment(set_cell_size("", width - used), self.rich_style))
        return Strip(segments, width)


def _place_on_keyboard(item: tuple[str, str]) -> tuple[int, int, str]:
    key, _ = item
    number = key[1:]
    return (0, int(number), "") if key.startswith("F") and number.isdigit() else (1, 0, key)
