"""An announcement of the administrator's, in full; Enter: read (it is not shown again until it is changed)."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from operator_tui.appeals.news import News
from operator_tui.i18n import tr
from screens.words import day
from widgets.line import Line


class NewsScreen(ModalScreen[bool]):
    """Returns whether it was read."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(False)", show=False, priority=True),
        Binding("enter", "dismiss(True)", show=False, priority=True),
    ]

    def __init__(self, news: News) -> None:
        super().__init__()
        self._news = news

    def compose(self) -> ComposeResult:
        title = tr("Объявление {day}: {title}").format(day=day(self._news.begins), title=self._news.title)
        yield Line(title, tr("Enter — прочитано   Esc — позже"), classes="heading")
        with VerticalScroll(id="news", can_focus=True):
            yield Static(self._news.text.replace("|", "\n"), markup=False)

    def on_mount(self) -> None:
        self.query_one("#news").focus()
