"""The search in the registry of insured people: one line, at most ten people below it (K-5.1.3)."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message

from widgets.lean import LeanInput
from widgets.line import Line
from widgets.rows import Column, Row, Rows

MOST_SHOWN = 10


class PersonSearch(Vertical):
    """Paints the line and the people found, and reports keys. The list stands open while one searches."""

    DEFAULT_CSS = """
    PersonSearch { height: auto; }
    PersonSearch > Horizontal { height: 1; }
    PersonSearch > Horizontal > Line { width: 24; }
    PersonSearch > Horizontal > LeanInput { width: 1fr; height: 1; border: none; padding: 0; }
    PersonSearch > #hits, PersonSearch > #hits-note { display: none; }
    PersonSearch.-open > #hits { display: block; height: 10; }
    PersonSearch.-open > #hits-note { display: block; }
    """

    class Searched(Message):
        """The line changed."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Line("Поиск застрахованного: ")
            yield LeanInput(placeholder="F5: фамилия имя отчество дата рождения", id="search")
        yield Rows((Column(44), Column()), id="hits")
        yield Line("", id="hits-note")

    @property
    def line(self) -> LeanInput:
        return self.query_one("#search", LeanInput)

    @property
    def hits(self) -> Rows:
        return self.query_one("#hits", Rows)

    def open(self) -> None:
        """Unfold the list and go to the line."""
        self.add_class("-open")
        self.line.focus()

    def fold(self) -> None:
        """«Скрыть»: fold the list; what was typed stays."""
        self.remove_class("-open")

    def clear(self) -> None:
        """«Очистить»: empty line, empty list."""
        self.line.value = ""
        self.show((), "")

    def show(self, rows: Sequence[Row], note: str) -> None:
        """The people found and one line about them. Never more than ten (a rule of privacy)."""
        self.hits.show(rows[:MOST_SHOWN])
        self.note(note)

    def note(self, text: str) -> None:
        """The line below the people."""
        self.query_one("#hits-note", Line).say(text)

    def offer(self, rows: Sequence[Row], note: str) -> None:
        """People found by the caller's number: the list stands open, the cursor in it."""
        self.show(rows, note)
        self.add_class("-open")
        self.hits.focus()

    def on_input_changed(self, event: LeanInput.Changed) -> None:
        event.stop()
        self.post_message(self.Searched(event.value))

    def on_input_submitted(self, event: LeanInput.Submitted) -> None:
        """Enter takes the person under the cursor without leaving the line."""
        event.stop()
        self.hits.choose()

    def on_key(self, event: events.Key) -> None:
        """The arrows move in the list while the cursor stays in the line; a letter in the list goes to the line."""
        if event.key in ("down", "up") and self.line.has_focus:
            event.stop()
            self.hits.action_move(1 if event.key == "down" else -1)
        elif self.hits.has_focus and event.is_printable and event.character and event.character != " ":
            event.stop()
            event.prevent_default()
            self.line.focus()
            self.line.insert_text_at_cursor(event.character)
