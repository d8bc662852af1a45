"""Asks for one thing: a number to transfer to, words to look for; with a list below where there is one to choose.

Words of one's own (a reason, a remark, a note) are kept as a form's are: they say ``of`` what.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import ModalScreen

from operator_tui.appeals.begun import FormLine, FormOf
from operator_tui.i18n import mark, tr
from screens.keeping import Keeping
from widgets.lean import LeanInput
from widgets.line import Line
from widgets.rows import Column, Row, Rows

Find = Callable[[str], Sequence[Row]]
_LINE = "asked"


def offering(words: Sequence[str]) -> Find | None:
    """Words of the administration's that may be taken instead of one's own; what was typed stands first, and Enter on
    nothing takes nothing. None where there are no such words."""
    if not words:
        return None

    def find(text: str) -> list[Row]:
        typed = text.strip()
        first = Row(typed, (typed or tr("впишите или выберите стрелками"),))
        fitting = [word for word in words if typed.casefold() in word.casefold() and word != typed]
        return [first, *(Row(word, (word,)) for word in fitting)]

    return find


WORKER_OR_WORDS = mark("Номер работника или слова, затем Enter")
NUMBER_OR_WORD = mark("Номер строки или слово, затем Enter")


def numbered(options: Sequence[tuple[str, str]]) -> Find:
    """``(key, words)`` as rows with their places in front: a place alone is that row, anything else its words."""
    rows = [Row(key, (str(place), words)) for place, (key, words) in enumerate(options, 1)]

    def find(text: str) -> list[Row]:
        wanted = text.strip().casefold()
        exact = [row for row in rows if row.cells[0] == wanted]
        return exact or [row for row in rows if wanted in row.cells[1].casefold()]

    return find


def by_words(rows: Sequence[Row]) -> Find:
    """The rows that hold every word typed."""

    def find(text: str) -> list[Row]:
        words = text.casefold().split()
        return [row for row in rows if all(word in " ".join(row.cells).casefold() for word in words)]

    return find


class AskScreen(Keeping[str | None], ModalScreen[str | None]):
    """Returns the chosen row's key, or the text typed where there is no list; None when it was left."""

    BINDINGS = [  # noqa: RUF012  # Textual's own form
        Binding("escape", "leave", show=False),
        Binding("down", "move(1)", show=False, priority=True),
        Binding("up", "move(-1)", show=False, priority=True),
    ]

    def __init__(self, title: str, placeholder: str, find: Find | None = None, *, of: FormOf | None = None) -> None:
        super().__init__()
        self.of = of
        self._title = title
        self._placeholder = placeholder
        self._find = find

    def compose(self) -> ComposeResult:
        yield Line(self._title, tr("Esc — назад"), classes="heading")
        yield self.begun_line()
        yield LeanInput(placeholder=self._placeholder, id="asked")
        if self._find is not None:
            yield Rows((Column(8), Column()), id="found", empty=tr("Ничего не найдено"))

    @property
    def written(self) -> bool:
        """Whether words of the operator's own stand there, and not a search in a list."""
        text = "".join(line.value for line in self.query(LeanInput)).strip()  # a key may come before it is composed
        return bool(text) and (self._find is None or any(row.key == text for row in self._find(text)))

    @property
    def heading(self) -> str:
        return self._title

    def form_lines(self) -> Sequence[FormLine]:
        return [FormLine(_LINE, self._title, secret=self.query_one(LeanInput).password)]

    def form_values(self) -> Mapping[str, str]:
        return {_LINE: self.query_one(LeanInput).value}

    def lay(self, values: Mapping[str, str]) -> None:
        line = self.query_one(LeanInput)
        line.value = values.get(_LINE, line.value)
        line.action_end()

    def action_leave(self) -> None:
        """Esc: what was typed is not wanted."""
        self.thrown_away()
        self.dismiss(None)

    def _answer(self, answer: str | None) -> None:
        if answer:
            self.accepted()
        else:
            self.thrown_away()
        self.dismiss(answer)

    def on_mount(self) -> None:
        self.query_one(LeanInput).focus()
        self._show("")

    def _show(self, text: str) -> None:
        if self._find is not None:
            self.query_one(Rows).show(self._find(text))

    def action_move(self, step: int) -> None:
        """The arrows move in the list while the cursor stays in the line."""
        if self._find is not None:
            self.query_one(Rows).action_move(step)

    @on(LeanInput.Changed)
    def _typed(self, event: LeanInput.Changed) -> None:
        self._show(event.value)

    @on(LeanInput.Submitted)
    def _done(self, event: LeanInput.Submitted) -> None:
        if self._find is None:
            self._answer(event.value.strip() or None)
        else:
            rows = self.query_one(Rows)
            if rows.current is not None or not rows.rows:
                self._answer(rows.current.key if rows.current else None)

    @on(Rows.Chosen)
    def _chosen(self, event: Rows.Chosen) -> None:
        self._answer(event.key)
