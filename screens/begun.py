"""A begun form as it was left, to be read: its lines in full, where it goes on, and a key that throws it away."""

from __future__ import annotations

from enum import Enum
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from operator_tui.appeals.begun import Begun
from operator_tui.i18n import tr
from screens.words import local_time
from widgets.line import Line


class Wish(Enum):
    """What is to be done with it."""

    OPEN = "open"
    DROP = "drop"


class BegunScreen(ModalScreen[Wish | None]):
    """Returns what is wanted. ``opens``: there is an appeal or a draft to be opened, in which the form goes on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", show=False, priority=True),
        Binding("enter", "open", show=False, priority=True),
        Binding("f9", "drop", show=False, priority=True),
    ]

    def __init__(self, begun: Begun, zone: str, *, opens: bool) -> None:
        super().__init__()
        self._begun = begun
        self._zone = zone
        self._opens = opens
        self._asked = False

    def compose(self) -> ComposeResult:
        keys = [tr("Enter — открыть карту")] if self._opens else []
        yield Line(self._begun.title, "   ".join((*keys, tr("F9 — выбросить"), tr("Esc — назад"))), classes="heading")
        yield Line(self._words(), id="begun-how")
        with VerticalScroll(id="begun-text", can_focus=True):
            yield Static(Text("\n".join(f"{one.label}: {one.text}" for one in self._begun.lines.values())))

    def on_mount(self) -> None:
        self.query_one("#begun-text").focus()

    def _words(self) -> str:
        when = local_time(self._begun.sent_ms or self._begun.at_ms, self._zone)
        if self._begun.sent_ms:
            return tr("Отправлялось {when}, что вышло — неизвестно: проверьте.").format(when=when)
        return tr("Введено {when}, не отправлено: откройте ту же форму, введённое в ней.").format(when=when)

    def action_open(self) -> None:
        if self._opens:
            self.dismiss(Wish.OPEN)

    def action_drop(self) -> None:
        """F9, and once more: what was typed can not be had again."""
        if self._asked:
            self.dismiss(Wish.DROP)
            return
        self._asked = True
        self.query_one("#begun-how", Line).say(tr("Выбросить введённое? F9 ещё раз — да, Esc — нет."))
