"""The workstations of one person: when each was last heard of, what it had not sent; one that is lost is revoked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Static

from operator_tui.appeals.errors import Refusal
from operator_tui.i18n import tr
from operator_tui.sentences import sentence
from operator_tui.signin.people import SeatOfPerson
from screens.closing import ClosesItself
from screens.words import local_time
from widgets.line import Line
from widgets.rows import Column, Row, Rows


class SeatsScreen(ClosesItself[None], ModalScreen[None]):
    """F9 twice revokes: the first time it says what will happen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", show=False),
        Binding("f9", "revoke", show=False),
    ]

    def __init__(
        self, name: str, seats: Sequence[SeatOfPerson], zone: str, revoke: Callable[[str], Awaitable[None]]
    ) -> None:
        super().__init__()
        self._name = name
        self._seats = list(seats)
        self._zone = zone
        self._revoke = revoke
        self._agreed_to = ""

    def compose(self) -> ComposeResult:
        yield Line(tr("Рабочие места: {name}").format(name=self._name), tr("Esc — назад"), classes="heading")
        columns = (Column(6), Column(9), Column(19), Column(18), Column())
        yield Rows(columns, id="seats", empty=tr("Рабочих мест ещё нет: дайте код рабочего места (^G)"))
        yield Static("", id="why", markup=False)
        yield Line(tr("F9 — отозвать: ключи места уничтожаются, неотправленное запечатывается для сервера"))

    def on_mount(self) -> None:
        rows = self.query_one(Rows)
        rows.show([self._row(seat) for seat in self._seats])
        rows.focus()

    def _row(self, seat: SeatOfPerson) -> Row:
        seen = local_time(seat.seen_ms, self._zone, "%d.%m.%Y %H:%M") if seat.seen_ms else tr("связи не было")
        unsent = tr("неизвестно") if seat.unsent is None else str(seat.unsent)
        state = tr("ОТОЗВАНО") if seat.revoked else tr("сеанс идёт") if seat.open else ""
        number = tr("№ {number}").format(number=seat.number)
        cells = (number, seat.device, seen, tr("не отпр.: {count}").format(count=unsent), state)
        return Row(seat.device, cells, mark="-" if seat.revoked else " ")

    def action_revoke(self) -> None:
        """Say what will happen; do it at the second F9 on the same workstation."""
        row = self.query_one(Rows).current
        if row is None:
            return
        if self._agreed_to != row.key:
            self._agreed_to = row.key
            words = tr("Отозвать место {device}? Вернуть его нельзя, нужен будет новый код. F9 — да, Esc — нет.")
            self._say(words.format(device=row.key))
        else:
            self._agreed_to = ""
            self._do(row.key)

    def _say(self, text: str) -> None:
        self.query_one("#why", Static).update(text)

    @work(exit_on_error=False)
    async def _do(self, device: str) -> None:
        try:
            await self._revoke(device)
        except Refusal as refusal:
            self._say(sentence(refusal))
        else:
            self.close_itself()
