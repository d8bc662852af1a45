"""«Выход» with unsent work: how much is left, and when it does not get through, what to do with it.

Files are never waited for: they go by themselves, and what is said of them is what will be.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Static

from operator_tui.desk import leaving
from operator_tui.desk.leaving import Leaving, Left, Pile
from operator_tui.desk.state import Light
from operator_tui.i18n import mark, tr
from widgets.line import Line
from widgets.rows import Column, Row, Rows

if TYPE_CHECKING:
    from operator_tui.desk.desk import Desk
    from screens.base import HasDesk

_LOOK_S = 0.25
_MB = 1 << 20
_BACK = "back"
_GOES = mark("Файлов: {count} ({size}), ждать их не нужно: до {till} уходят сами, остальные уйдут после вашего входа.")
_STAYS = mark("Файлов: {count} ({size}), уйдут после вашего следующего входа на это место.")
_SLOW = mark("Отправить не успели.")
_WHY = {
    Light.AWAY: mark("Связи с сервером нет."),
    Light.TROUBLE: mark("Сервер сейчас ничего не принимает от этого места."),
}


class LeavingScreen(ModalScreen[None]):
    """It goes on trying for as long as it stands, also below another window; when all operations are sent he is out.
    Where files alone are left there is nothing to wait for: he is asked at once."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "no_more", show=False),
        Binding("ctrl+q", "ask", show=False, priority=True),
    ]

    def __init__(self, left: Left, go: Callable[[Leaving], None]) -> None:
        """``left`` waits; ``go`` is called once when he goes, with what becomes of it."""
        super().__init__()
        self._left = left
        self._tries = left.records > 0
        self._go = go
        self._gone = False
        self._looks = False
        self._asks = False
        self._can_send = False
        self._till = ""

    @property
    def desk(self) -> Desk:
        """The desk that is left."""
        return cast("HasDesk", self.app).desk

    def compose(self) -> ComposeResult:
        yield Line(tr("Выход"), tr("Esc — не ждать"), classes="heading", id="going")
        yield Static("", id="left", markup=False)
        yield Rows((Column(),), id="ways")

    async def on_mount(self) -> None:
        clock, way_out = self.desk.clock, self.desk.leaving
        self._until = clock.monotonic() + leaving.TRY_S
        self.query_one(Rows).display = False
        way_out.hurry()
        self._can_send, self._till = await way_out.can_send(), await way_out.until()
        if not self._tries or way_out.server in (Light.AWAY, Light.TROUBLE):
            self.action_ask()
        self._say()
        self.set_interval(_LOOK_S, self._look)
        self.set_interval(cast("HasDesk", self.app).timer_step_s, self._say)

    @property
    def _left_s(self) -> float:
        return max(0.0, self._until - self.desk.clock.monotonic())

    def _say(self) -> None:
        self.query_one("#left", Static).update(f"{self._of_records()}\n{self._of_files()}".strip())

    def _of_records(self) -> str:
        if not self._tries:
            return tr("Отправлено всё, кроме файлов. Они сохранены на этом месте и не пропадут.")
        count = self._left.records
        if not self._asks:
            return tr("Отправляем: осталось {count}. Ждём ещё {seconds} с.").format(
                count=count, seconds=round(self._left_s)
            )
        why = tr(_WHY.get(self.desk.leaving.server, _SLOW))
        kept = tr("Записи сохранены на этом месте и не пропадут.")
        return f"{why} {tr('Не отправлено: {count}.').format(count=count)} {kept}"

    def _of_files(self) -> str:
        """How many files are left, and when they go: also without him only where a sender can stay."""
        going, later = self._left.files, self._left.later
        if not self._can_send:
            going, later = Pile(), Pile(going.count + later.count, going.size + later.size)
        said = []
        if going.count:
            said.append(tr(_GOES).format(count=going.count, size=_size(going.size), till=self._till))
        if later.count:
            said.append(tr(_STAYS).format(count=later.count, size=_size(later.size)))
        return " ".join(said)

    @work(exit_on_error=False)
    async def _look(self) -> None:
        if self._gone or self._looks:
            return
        self._looks = True  # on a busy machine a look takes longer than the time between two
        try:
            await self._look_once()
        finally:
            self._looks = False

    async def _look_once(self) -> None:
        left = await self.desk.leaving.left()
        if not left.records and (self._tries or not left.files.count):
            self._leave_by(await self.desk.leaving.by_itself(left))
            return
        if left != self._left:
            self._left = left
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
        self._can_send = await self.desk.leaving.can_send()
        if self._can_send:
            send = tr("Выйти и отправить без меня (до конца смены)") if self._tries else tr("Выйти: файлы уйдут сами")
            ways.insert(0, Row(Leaving.SEND.value, (send,)))
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


def _size(size: int) -> str:
    """Bytes in words, rounded up."""
    return tr("{size} КБ").format(size=-(-size >> 10)) if size < _MB else tr("{size} МБ").format(size=-(-size >> 20))
