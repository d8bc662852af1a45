"""«История обращения»: everything that happened to one appeal, in order, with the values written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from operator_tui.i18n import tr
from widgets.line import Line
from widgets.rows import Column, Row, Rows


class TimelineScreen(ModalScreen[None]):
    """The time line above, the chosen entry in full below."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter", "dismiss(None)", show=False, priority=True)]

    def __init__(self, title: str, entries: Sequence[tuple[str, str, str]], about: str) -> None:
        super().__init__()
        self._title = title
        self._entries = entries
        self._about = about

    def compose(self) -> ComposeResult:
        yield Line(self._title, tr("Esc — назад"), classes="heading")
        yield VerticalScroll(Static(Text(self._about), id="appeal-about", markup=False), can_focus=False)
        yield Line(tr("История обращения"), classes="heading")
        yield Rows((Column(11), Column(14), Column()), id="timeline", empty=tr("Ничего не записано"))
        yield VerticalScroll(Static("", id="entry", markup=False), id="entry-box", can_focus=False)

    def on_mount(self) -> None:
        self.query_one(Rows).focus()
        self._show()

    def show_entries(self, entries: Sequence[tuple[str, str, str]]) -> None:
        """Other entries in the place of those that stand there; the cursor stays on its own."""
        self._entries = entries
        if self.is_running and self.query(Rows):  # it may have been put away meanwhile
            self._show()

    def _show(self) -> None:
        self.query_one(Rows).show([Row("\t".join(cells), cells) for cells in self._entries], keep=True)
        self._moved()

    @on(Rows.Moved)
    def _moved(self) -> None:
        row = self.query_one(Rows).current
        self.query_one("#entry", Static).update(Text(row.cells[2].replace(" · ", "\n") if row else ""))
