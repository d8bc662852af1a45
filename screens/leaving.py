"""«Выход» with unsent work: how much is left, and when it does not get through, what to do with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Static

from operator_tui.desk import leaving
from operator_tui.desk.leaving import Leaving
from operator_tui.desk.state import Light
from operator_tui.i18n import mark, tr
from widgets.line import Line
from widgets.rows import Column, Row, Rows

if TYPE_CHECKING:
    from operator_tui.desk.desk import Desk
    from screens.base import HasDesk

_LOOK_S = 0.25
_BACK = "back"
_SLOW = mark("Отправить не успели.")
_WHY = {
    Light.AWAY: mark("Связи с сервером нет."),
    Light.TROUBLE: mark("Сервер сейчас ничего не принимает от этого места."),
}


class LeavingScreen(ModalScreen[None]):
    """It goes on trying for as long as it stands, also below another window; when all is sent he is out."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "no_more", show=False),
        Binding("ctrl+q", "ask", show=False, priority=True),
    ]

    def __init__(self, unsent: int, go: Callable[[Leaving], None]) -> None:
        """``unsent`` operations wait; ``go`` is called once when he goes, with what becomes of them."""
        super().__init__()
        self._unsent = unsent
        self._go = go
        self._gone = False
        self._asks = False

    @property
    def desk(self) -> Desk:
        """The desk that is left."""
        return cast("HasDesk", self.app).desk

    def compose(self) -> ComposeResult:
        yield Line(tr("Выход"), tr("Esc — не ждать"), classes="heading", id="going")
        yield Static("", id="left", markup=False)
        yield Rows((Column(),), id="ways")

    def on_mount(self) -> None:
        clock = self.desk.clock
        self._until = clock.monotonic() + leaving.TRY_S
        self.query_one(Rows).display = False
        self.desk.leaving.hurry()
        if self.desk.leaving.server in (Light.AWAY, Light.TROUBLE):
            self.action_ask()
        self._say()
        self.set_interval(_LOOK_S, self._look)
        self.set_interval(cast("HasDesk", self.app).timer_step_s, self._say)

    @property
    def _left_s(self) -> float:
        return max(0.0, self._until - self.desk.clock.monotonic())

    def _say(self) -> None:
        kept = tr("Записи сохранены на этом месте и не пропадут.")
        if not self._asks:
            words = tr("Отправляем: осталось {count}. Ждём ещё {seconds} с.").format(
                count=self._unsent, seconds=round(self._left_s)
            )
        else:
            why = tr(_WHY.get(self.desk.leaving.server, _SLOW))
            words = f"{why} {tr('Не отправлено: {count}.').format(count=self._unsent)} {kept}"
        self.query_one("#left", Static).update(words)

    @work(exclusive=True, exit_on_error=False)
    async def _look(self) -> None:
        if self._gone:
            return
        left = await self.desk.leaving.unsent()
        if not left:
            self._leave_by(Leaving.KEEP)
            return
        if left != self._unsent:
            self._unsent = left
            self._say()
        if not self._left_s:
            self.action_ask()

    def action_no_more(self) -> None:
        """Esc: first not to wait any more, then to stay."""
        if self._asks:
            self.dismiss()
        else:
            self.action_ask()

    def action_ask(self) -> None:
        """It did not get through, or he does not wait: what now."""
        if not self._asks:
            self._asks = True
            self._offer()

    @work(exit_on_error=False)
    async def _offer(self) -> None:
        ways = [
            Row(Leaving.KEEP.value, (tr("Выйти и оставить до следующего входа на это место"),)),
            Row(_BACK, (tr("Вернуться к работе"),)),
        ]
        if await self.desk.leaving.can_send():
            ways.insert(0, Row(Leaving.SEND.value, (tr("Выйти и отправить без меня (до конца смены)"),)))
        rows = self.query_one(Rows)
        rows.show(ways)
        rows.display = True
        rows.focus()
        self.query_one("#going", Line).say(tr("Выход"), tr("Esc — вернуться"))
        self._say()

    @on(Rows.Chosen)
    def _chosen(self, event: Rows.Chosen) -> None:
        if event.key == _BACK:
            self.dismiss()
        else:
            self._leave_by(Leaving(event.key))

    def _leave_by(self, how: Leaving) -> None:
        if not self._gone:
            self._gone = True
            self._go(how)
