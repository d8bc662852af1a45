"""Signing in through the provider: a code and a picture of an address, until he has said yes there (RFC 8628, 3.3)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Static
from textual.worker import Worker

from operator_tui.appeals.errors import Refusal
from operator_tui.i18n import tr
from screens.closing import ClosesItself
from widgets.line import Line

if TYPE_CHECKING:
    from operator_tui.signin.provider import DeviceFlow

# Lines above and below the picture.
_FRAME = 2
_MINUTE_S = 60
Outcome = bool | Refusal


class ProviderScreen(ClosesItself[Outcome], ModalScreen[Outcome]):
    """True when he is in, False when he went back, a Refusal when the provider or the server said no."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", show=False)]

    def __init__(self, flow: DeviceFlow, finish: Callable[[], Awaitable[None]]) -> None:
        """``finish`` returns when he has said yes; it is cancelled when he goes back."""
        super().__init__()
        self._flow = flow
        self._finish = finish
        self._waiting: Worker[None] | None = None

    def compose(self) -> ComposeResult:
        yield Line(tr("Подтвердите вход у поставщика"), tr("Esc — назад"), classes="heading")
        with Horizontal():
            yield Static("\n".join(self._picture()), id="picture", markup=False)
            with Vertical(id="words"):
                yield Static(tr("На телефоне наведите камеру на картинку или откройте адрес:"), markup=False)
                yield Static(self._flow.address, id="address", markup=False)
                yield Static(tr("и введите код:"), markup=False)
                yield Static(self._flow.code, id="user-code", markup=False)
                minutes = max(1, self._flow.expires_s // _MINUTE_S)
                yield Static(tr("Код действует {minutes} мин. Когда вход подтверждён, журнал откроется сам.").format(
                    minutes=minutes
                ), markup=False)  # fmt: skip

    def _picture(self) -> tuple[str, ...]:
        """The picture where it fits; half of one is of no use to a camera."""
        rows = self._flow.picture
        fits = len(rows) + _FRAME <= self.app.size.height and all(len(row) <= self.app.size.width // 2 for row in rows)
        return rows if fits else ()

    def on_mount(self) -> None:
        picture = self.query_one("#picture", Static)
        picture.display = bool(self._picture())
        self._waiting = self._wait()

    @work(exit_on_error=False)
    async def _wait(self) -> None:
        try:
            await self._finish()
        except Refusal as refusal:
            self.close_itself(refusal)
        else:
            self.close_itself(True)

    def action_back(self) -> None:
        """Esc: the provider is not asked any more."""
        if self._waiting is not None:
            self._waiting.cancel()
        self.dismiss(False)
