"""A labelled field of a form in one line."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message

from widgets.lean import LeanInput
from widgets.line import Line


class Field(Horizontal):
    """Label and input. Reports what the operator typed, not what the program put in."""

    DEFAULT_CSS = """
    Field { height: 1; }
    Field > Line { width: 11; }
    Field > LeanInput { width: 1fr; height: 1; border: none; padding: 0; }
    """

    class Typed(Message):
        """The operator changed the value."""

        def __init__(self, field: str, value: str) -> None:
            super().__init__()
            self.field = field
            self.value = value

    def __init__(self, name: str, label: str, *, placeholder: str = "") -> None:
        super().__init__(id=f"field-{name}")
        self.field_name = name
        self._slot = name
        self._label = label
        self._placeholder = placeholder
        self._shown = ""

    def compose(self) -> ComposeResult:
        yield Line(self._label)
        yield LeanInput(placeholder=self._placeholder, select_on_focus=False, id=f"input-{self._slot}")

    @property
    def input(self) -> LeanInput:
        """The input itself, to focus it."""
        return self.query_one(LeanInput)

    def show(self, value: str, *, over_typing: bool = True) -> None:
        """Put a value in without reporting it. Not ``over_typing``: a field one is typing in is left alone, since
        letters may be under way that ``value`` does not have yet."""
        if self.input.has_focus and not over_typing:
            return
        self._shown = value
        if self.input.value != value:
            self.input.value = value

    def on_input_changed(self, event: LeanInput.Changed) -> None:
        event.stop()
        if event.value != self._shown:
            self._shown = event.value
            self.post_message(self.Typed(self.field_name, event.value))
