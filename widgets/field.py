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
        """The operator changed the value. ``of`` is what the field belonged to when he did (``belong``)."""

        def __init__(self, field: str, value: str, of: str = "") -> None:
            super().__init__()
            self.field = field
            self.value = value
            self.of = of

    def __init__(self, name: str, label: str, *, placeholder: str = "") -> None:
        super().__init__(id=f"field-{name}")
        self.field_name = name
        self._slot = name
        self._label = label
        self._placeholder = placeholder
        self._shown = ""
        self._of = ""

    def compose(self) -> ComposeResult:
        yield Line(self._label)
        yield LeanInput(placeholder=self._placeholder, select_on_focus=False, id=f"input-{self._slot}")

    @property
    def input(self) -> LeanInput:
        """The input itself, to focus it."""
        return self.query_one(LeanInput)

    def belong(self, of: str) -> None:
        """What is typed from now on belongs to that; what has been typed and not reported yet, to what was before."""
        if of != self._of:
            self._report(self.input.value)
            self._of = of

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
        if event.value == self.input.value:  # else there is a newer value already, typed or put in
            self._report(event.value)

    def _report(self, value: str) -> None:
        if value != self._shown:
            self._shown = value
            self.post_message(self.Typed(self.field_name, value, self._of))
