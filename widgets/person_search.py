"""The search in the registry of insured people: one line or the manual's four fields, at most ten people (K-5.1.3)."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message

from operator_tui.i18n import mark, tr
from widgets.field import Field
from widgets.lean import LeanInput
from widgets.line import Line
from widgets.rows import Column, Row, Rows

MOST_SHOWN = 10
# The four fields of the manual (K-5.1.3.1), two in a row of the screen.
_FIELDS = (
    (("surname", mark("Фамилия")), ("name", mark("Имя"))),
    (("patronymic", mark("Отчество")), ("birth_date", mark("Дата рожд."))),
)


class PersonSearch(Vertical):
    """Paints the line or the fields and the people found, and reports keys. The list stands open while one searches."""

    DEFAULT_CSS = """
    PersonSearch { height: auto; }
    PersonSearch > Horizontal { height: 1; }
    PersonSearch > #one-line > Line { width: 24; }
    PersonSearch > #one-line > LeanInput { width: 1fr; height: 1; border: none; padding: 0; }
    PersonSearch > #hits, PersonSearch > #hits-note, PersonSearch > .four-fields { display: none; }
    PersonSearch.-fields > #one-line { display: none; }
    PersonSearch.-fields > .four-fields { display: block; }
    PersonSearch > .four-fields > Field { width: 1fr; }
    PersonSearch.-open > #hits { display: block; height: 10; }
    PersonSearch.-open > #hits-note { display: block; }
    """

    class Searched(Message):
        """The line changed."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class FieldsSearched(Message):
        """One of the four fields changed. ``pressed``: Enter was, so that four empty fields deserve an answer."""

        def __init__(self, values: dict[str, str], *, pressed: bool = False) -> None:
            super().__init__()
            self.values = values
            self.pressed = pressed

    class EnteredEarly(Message):
        """Enter came before the people who are looked for: see ``expect``."""

    def __init__(self, *, id: str | None = None) -> None:  # Textual's word for it
        super().__init__(id=id)
        self._expecting: tuple[str, ...] | None = None  # what stood here when others were looked for

    def compose(self) -> ComposeResult:
        with Horizontal(id="one-line"):
            yield Line(tr("Поиск застрахованного: "))
            # Not selected by the focus: a letter typed in the list leads here, and the next must not replace it.
            yield LeanInput(
                placeholder=tr("F5: фамилия имя отчество дата рождения"), select_on_focus=False, id="search"
            )
        for row in _FIELDS:
            with Horizontal(classes="four-fields"):
                for name, label in row:
                    yield Field(f"find-{name}", tr(label))
        yield Rows((Column(44), Column()), id="hits")
        yield Line("", id="hits-note")

    @property
    def line(self) -> LeanInput:
        return self.query_one("#search", LeanInput)

    @property
    def hits(self) -> Rows:
        return self.query_one("#hits", Rows)

    @property
    def four(self) -> bool:
        """Whether the four fields stand here, and not the line."""
        return self.has_class("-fields")

    @property
    def start(self) -> LeanInput:
        """Where a search is typed first."""
        return self._field("surname").input if self.four else self.line

    @property
    def text(self) -> str:
        """What stands in the line; empty while the four fields stand here."""
        return "" if self.four else self.line.value

    @property
    def values(self) -> dict[str, str]:
        """What stands in the four fields."""
        return {name: self._field(name).input.value.strip() for row in _FIELDS for name, _ in row}

    @property
    def words(self) -> tuple[str, ...]:
        """All that stands in the line and in the four fields."""
        return (self.line.value, *self.values.values())

    def _field(self, name: str) -> Field:
        return self.query_one(f"#field-find-{name}", Field)

    @property
    def typing(self) -> bool:
        """Whether the cursor is in the line or in one of the fields."""
        return self.has_focus_within and not self.hits.has_focus

    def open(self) -> None:
        """Unfold the list and go to the line; from there, to the four fields, and back."""
        if self.has_class("-open") and self.typing:
            self.toggle_class("-fields")
            # Who stood in the list was found by the other form: Enter here must not take him.
            self.show((), "")
            self.post_message(self.FieldsSearched(self.values) if self.four else self.Searched(self.line.value))
        self.add_class("-open")
        if not self.typing:
            self.start.action_select_all()
        self.start.focus()

    @property
    def folded(self) -> bool:
        """Whether the form is folded away."""
        return not self.has_class("-open")

    def fold(self) -> None:
        """«Скрыть»: fold the list; what was typed stays."""
        self.remove_class("-open")

    def put_away(self) -> None:
        """Somebody was found: the one empty line again, and nothing unfolded."""
        self.fold()
        self.clear()
        self.remove_class("-fields")

    def clear(self) -> None:
        """«Очистить»: empty line, empty fields, empty list."""
        self.line.value = ""
        for row in _FIELDS:
            for name, _ in row:
                self._field(name).show("")
        self.show((), "")

    def show(self, rows: Sequence[Row], note: str, *, keep: bool = False) -> None:
        """The people found and one line about them. Never more than ten (a rule of privacy)."""
        self.hits.show(rows[:MOST_SHOWN], keep=keep)
        self.note(note)

    def note(self, text: str) -> None:
        """The line below the people."""
        self.query_one("#hits-note", Line).say(text)

    def expect(self, looked_for: bool) -> None:
        """A card has come. Where people are being looked for, and will be offered, Enter is meant for them, not for who
        stands here still; unless something is typed, or somebody chosen, first."""
        self._expecting = self._standing() if looked_for else None

    def _standing(self) -> tuple[str, ...]:
        return (*self.words, self.hits.current.key if self.hits.current is not None else "")

    def _early(self) -> bool:
        """Whether an Enter now is meant for people who do not stand here yet; then it is reported."""
        early = self._expecting is not None and self._expecting == self._standing()
        if early:
            self.post_message(self.EnteredEarly())
        return early

    def offer(self, rows: Sequence[Row], note: str) -> None:
        """People found by the caller's number: the list stands open, the cursor in it.

        Not when the operator types elsewhere by now: his next letters are not the list's. It is there at F5.
        """
        self._expecting = None
        self.show(rows, note)
        focused = self.screen.focused
        if focused is None or self in focused.ancestors:
            with self.line.prevent(LeanInput.Changed):
                self.line.value = ""  # it was about somebody before, and the next letters are not
            self.add_class("-open")
            self.hits.focus()

    def take_back(self) -> None:
        """People offered for another card are nobody's here; those who were searched for by words stay."""
        if not self.text and not any(self.values.values()):
            self.show((), "")
            self.fold()

    def on_input_changed(self, event: LeanInput.Changed) -> None:
        event.stop()
        self.post_message(self.Searched(event.value))

    def on_field_typed(self, event: Field.Typed) -> None:
        event.stop()  # a field of the search is none of the card's
        self.post_message(self.FieldsSearched(self.values))

    def on_input_submitted(self, event: LeanInput.Submitted) -> None:
        """Enter takes the person under the cursor without leaving the line; with nobody there it asks again."""
        event.stop()
        if not self._early():
            self.enter()

    def on_rows_chosen(self, event: Rows.Chosen) -> None:
        if self._early():
            event.stop()

    def enter(self) -> None:
        """As Enter in the line."""
        self._expecting = None
        if self.hits.current is not None:
            self.hits.choose()
        elif self.four:
            self.post_message(self.FieldsSearched(self.values, pressed=True))
        else:
            self.post_message(self.Searched(self.line.value))

    def on_key(self, event: events.Key) -> None:
        """The arrows move in the list while the cursor stays in the line; a letter in the list goes to the line."""
        if event.key in ("down", "up") and self.typing:
            event.stop()
            self.hits.action_move(1 if event.key == "down" else -1)
        elif self.hits.has_focus and event.is_printable and event.character and event.character != " ":
            event.stop()
            event.prevent_default()
            self.remove_class("-fields")
            self.line.focus()
            self.line.insert_text_at_cursor(event.character)
