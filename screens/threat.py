"""A threat: what to say, and whose help is one key away. The recording goes on, the administrator knows already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from operator_tui.colleagues.directory import Colleague
from operator_tui.i18n import tr
from widgets.line import Line
from widgets.rows import Column, Row, Rows


class ThreatScreen(ModalScreen[str | None]):
    """Returns the number to ask for help; None when it was left."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", show=False, priority=True)]

    def __init__(self, script: Sequence[str], helpers: Sequence[Colleague], *, recorded: bool) -> None:
        super().__init__()
        self._recorded = recorded
        self._script = script
        self._helpers = helpers

    def compose(self) -> ComposeResult:
        title = (
            tr("Угроза: запись идёт, администратору сообщено")
            if self._recorded
            else tr("Угроза: сообщено администратору")
        )
        yield Line(title, tr("Esc — к разговору"), classes="heading")
        for line in self._script:
            yield Line(line)
        yield Line(tr("Посоветоваться (Enter) — обратившийся подождёт; передать вызов — F7"), classes="heading")
        yield Rows((Column(8), Column(40), Column()), id="helpers", empty=tr("Номеров помощи в списке нет"))

    def on_mount(self) -> None:
        rows = self.query_one(Rows)
        rows.show([Row(one.extension, (one.extension, one.name, one.organisation)) for one in self._helpers])
        rows.focus()

    @on(Rows.Chosen)
    def _chosen(self, event: Rows.Chosen) -> None:
        self.dismiss(event.key)
