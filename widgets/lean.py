"""Text fields that cost little on a slow line.

Stock Textual lays the whole screen out at every letter, because `Widget.virtual_size` is declared with
`layout=True`. A field whose width comes from CSS never changes the layout by its text, so these do without
(measured: 16.6 -> 7 ms of CPU a key). They never blink, and they leave the painted cursor out where the
driver shows the terminal's own: that one costs no bytes, and braille displays and magnifiers follow it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.events import Key, Paste
from textual.geometry import Offset, Size
from textual.message import Message
from textual.reactive import Reactive, reactive
from textual.widgets import Input, TextArea
from textual.widgets.text_area import EditResult, Location


def shows_hardware_cursor(app: App[object]) -> bool:
    """Whether the terminal's own cursor stands at the focus, so that painting another would double it.

    A driver says so by its class attribute `hardware_cursor` (see operator_tui/terminal/driver.py).
    """
    return not app.is_headless and bool(getattr(app.driver_class, "hardware_cursor", False))


def compose_accents(text: str, before: str) -> tuple[str, int]:
    """Join combining marks with the letter they follow (NFC): some terminals send `й` as `и` and a breve.

    Returns the text to insert and how many characters of `before` it replaces (0 or 1).
    """
    taken = 1 if before and text and unicodedata.combining(text[0]) else 0
    return unicodedata.normalize("NFC", before[len(before) - taken :] + text), taken


def one_line(text: str) -> tuple[str, list[str]]:
    """The first line of `text` that is not blank, and the other such lines; control characters are blanks."""
    lines = [
        "".join(character if character.isprintable() else " " for character in line).strip()
        for line in text.splitlines()
    ]
    kept, *dropped = [line for line in lines if line] or [""]
    return kept, dropped


def leave_to_commands(event: Key) -> None:
    """Alt and a letter is a command's key: where no command takes it (in a window), it is no letter of a field."""
    if event.key.startswith("alt+"):
        event.prevent_default()


# Ctrl+Z is a command of the desk; this is what readline and emacs have (Ctrl+7 sends the same).
UNDO_KEY = "ctrl+underscore"
_MOST_UNDONE = 200


class LeanInput(Input):
    """An `Input` that repaints without laying out; give it its width in CSS (the default is 100 %).

    What was typed can be taken back, edit by edit; a value put in by the program begins anew.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding(UNDO_KEY, "undo", show=False)]

    virtual_size: Reactive[Size] = reactive(Size(0, 0), layout=False)
    cursor_blink: Reactive[bool] = reactive(False, init=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._former: list[tuple[str, int]] = []
        self._edits = False
        super().__init__(*args, **kwargs)

    def watch_value(self, value: str) -> None:
        """A value that was not typed: there is nothing of the operator's behind it."""
        if not self._edits:
            self._former.clear()

    def action_undo(self) -> None:
        """Take the last edit back."""
        if self._former:
            text, cursor = self._former.pop()
            self._edit(lambda: setattr(self, "value", text))
            self.cursor_position = cursor

    def _edit(self, change: Callable[[], None]) -> None:
        self._edits = True
        try:
            change()
        finally:
            self._edits = False

    async def _on_key(self, event: Key) -> None:
        leave_to_commands(event)

    @dataclass
    class LinesLeftOut(Message):
        """A paste held more than one line and the field takes one; the screen must say so.

        `kept` went into the field, `dropped` holds the other lines that were not blank, in their order.
        """

        input: LeanInput
        kept: str
        dropped: list[str]

        @property
        def control(self) -> LeanInput:
            """The field that was pasted into."""
            return self.input

    @property
    def cursor_screen_offset(self) -> Offset:
        """Where the cursor is on the screen. `Input` reports the cell after it when it stands at the end."""
        return super().cursor_screen_offset - Offset(int(self.cursor_at_end), 0)

    def validate__cursor_visible(self, visible: bool) -> bool:
        """Keep the painted cursor out where the terminal shows its own."""
        return visible and not shows_hardware_cursor(self.app)

    def watch_scroll_x(self, old_value: float, new_value: float) -> None:
        """Keep the reported cursor in place: `Input` reports it before it scrolls."""
        super().watch_scroll_x(old_value, new_value)
        if self.has_focus:
            self.app.cursor_position = self.cursor_screen_offset

    def replace(self, text: str, start: int, end: int) -> None:
        """Replace as `Input` does, with combining marks joined to the letter before them."""
        start, end = sorted((max(0, start), min(len(self.value), end)))
        text, taken = compose_accents(text, self.value[:start])
        if not self.password:
            self._former = [*self._former, (self.value, self.cursor_position)][-_MOST_UNDONE:]
        self._edit(lambda: super(LeanInput, self).replace(text, start - taken, end))

    def on_paste(self, event: Paste) -> None:
        """Take the first line of a paste and report the others, where `Input` loses them silently."""
        event.prevent_default()
        event.stop()
        self.paste(event.text)

    def action_paste(self) -> None:
        """Paste the application's clipboard by the same rule."""
        self.paste(self.app.clipboard)

    def paste(self, text: str) -> None:
        """Put the first line of `text` in place of the selection; `LinesLeftOut` tells of the rest."""
        kept, dropped = one_line(text)
        if kept:
            self.replace(kept, *self.selection)
        if dropped:
            self.post_message(self.LinesLeftOut(self, kept, dropped))


class LeanTextArea(TextArea):
    """A `TextArea` without blinking, without a painted cursor line and with the terminal's own cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding(UNDO_KEY, "undo", show=False)]

    cursor_blink: Reactive[bool] = reactive(False, init=False)

    async def _on_key(self, event: Key) -> None:
        leave_to_commands(event)

    def on_mount(self) -> None:
        """Do without the coloured cursor line: it repaints two whole rows at every Up and Down."""
        self.highlight_cursor_line = False

    @property
    def _draw_cursor(self) -> bool:
        return super()._draw_cursor and not shows_hardware_cursor(self.app)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Keep the reported cursor in place after a scroll."""
        super().watch_scroll_y(old_value, new_value)
        if self.has_focus:
            self.app.cursor_position = self.cursor_screen_offset

    def replace(
        self, insert: str, start: Location, end: Location, *, maintain_selection_offset: bool = True
    ) -> EditResult:
        """Replace as `TextArea` does, with combining marks joined to the letter before them."""
        start, end = sorted((start, end))
        row, column = start
        insert, taken = compose_accents(insert, self.document[row][:column])
        return super().replace(insert, (row, column - taken), end, maintain_selection_offset=maintain_selection_offset)
