"""F1 and F10: every command with its key and what it does; Enter runs it. A closed one says why."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import ModalScreen

from operator_tui import commands
from operator_tui.i18n import tr
from operator_tui.sentences import sentence
from screens.words import key_name
from widgets.line import Line
from widgets.notice import NoticeLine
from widgets.rows import Column, Row, Rows


class HelpScreen(ModalScreen[str | None]):
    """Returns the id of the command to run, or None."""

    BINDINGS = [Binding("escape,f1,f10", "dismiss(None)", show=False)]  # noqa: RUF012  # Textual's own form

    def __init__(self, situation: commands.Situation) -> None:
        super().__init__()
        self._situation = situation

    def compose(self) -> ComposeResult:
        yield Line(tr("Команды и клавиши: Enter — выполнить, Esc — назад"), classes="heading")
        yield Rows((Column(9), Column(24), Column()), id="commands")
        yield NoticeLine(id="why")

    def on_mount(self) -> None:
        rows = []
        for command in commands.collect().values():
            if command.scope not in ("desk", self._situation.screen):
                continue
            closed = command.refusal(self._situation) is not None
            keys = " ".join(key_name(key) for key in command.keys)
            rows.append(Row(command.id, (keys, tr(command.title), tr(command.help)), mark="-" if closed else " "))
        table = self.query_one(Rows)
        table.show(rows)
        table.focus()

        if table.current is not None:
            self._say_more(table.current.key)

    @on(Rows.Moved)
    def _moved(self, event: Rows.Moved) -> None:
        self._say_more(event.key)

    def _say_more(self, command_id: str) -> None:
        command = commands.collect()[command_id]
        refusal = command.refusal(self._situation)
        help_ = tr(command.help)  # whole here, where the row has it cut
        self.query_one("#why", NoticeLine).say("- " + sentence(refusal) if refusal else help_, urgent=False)

    @on(Rows.Chosen)
    def _run(self, event: Rows.Chosen) -> None:
        self.dismiss(event.key)
