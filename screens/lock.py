"""Covers the desk until its operator is back. The call goes on; a ringing one is seen, its number only in part."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.timer import Timer
from textual.widgets import Static

from operator_tui.appeals.errors import Refusal
from operator_tui.i18n import tr
from operator_tui.phone.line import Call, CallState
from operator_tui.sentences import sentence
from screens.state_words import quiet_words
from screens.words import phone_words
from widgets.lean import LeanInput
from widgets.line import Line

if TYPE_CHECKING:
    from operator_tui.desk.desk import Desk
    from screens.base import HasDesk

_SHOWN_DIGITS = 2
# A terminal tells no key's release: a held key repeats itself, and the number is seen until it has not for so long.
REVEAL_S = 1.0
_LEFT_TO_SAY = 2  # tries of a password: before that nobody needs to count


class LockScreen(ModalScreen[None]):
    """Opaque: nothing of the desk is seen through it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f8", "reveal", show=False),
        Binding("ctrl+q", "app.quit", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._busy = False
        self._opened = False
        self._reveals: Timer | None = None

    @property
    def desk(self) -> Desk:
        """The desk it covers."""
        return cast("HasDesk", self.app).desk

    def compose(self) -> ComposeResult:
        yield Line(tr("Экран закрыт"), "", classes="heading")
        yield Line("", "", id="locked-call")
        yield Line("", "", id="locked-others")
        asks = self.desk.seat.has_password
        placeholder = tr("Пароль, затем Enter") if asks else tr("Enter — открыть")
        if self.desk.seat.has_pin:
            placeholder = tr("ПИН-код этого места, затем Enter")
        yield LeanInput(placeholder=placeholder, password=True, id="unlock")
        yield Static("", id="why", markup=False)
        if asks:
            yield Line(tr("^Q — выйти: сядет другой работник; ваше неотправленное останется"))

    def on_mount(self) -> None:
        self.query_one(LeanInput).focus()
        self._paint_call()

    def on_screen_resume(self) -> None:
        # The password was found right while another screen lay above: that one was not to be put away by it.
        if self._opened and self.is_active:
            self.dismiss()

    def show_call(self) -> None:
        """The telephone changed."""
        if self.is_mounted:
            self._paint_call()

    def _paint_call(self) -> None:
        state = self.desk.state
        quiet = quiet_words(state, self.desk.phone.states.kind(state.presence.kind).title)
        whole = self._reveals is not None
        text = locked_call_text(state.call, quiet, whole=whole)
        others = " · ".join(locked_call_text(call, "", whole=whole) for call in state.others)
        self.query_one("#locked-call", Line).say(text, tr("F8 держать — номер") if "•" in text + others else "")
        behind = self.query_one("#locked-others", Line)
        behind.say(others)
        behind.display = bool(others)

    def action_reveal(self) -> None:
        """F8 held: who calls, in full, until the key is let go."""
        if self._reveals is not None:
            self._reveals.stop()
        self._reveals = self.set_timer(REVEAL_S, self._cover_again)
        self._paint_call()

    def _cover_again(self) -> None:
        self._reveals = None
        self._paint_call()

    @on(LeanInput.Submitted)
    def _entered(self, event: LeanInput.Submitted) -> None:
        if not self._busy:
            self._unlock(event.value)

    @work(exit_on_error=False)
    async def _unlock(self, password: str) -> None:
        self._busy = True
        try:
            if await self.desk.seat.unlock(password):
                self._opened = True
                if self.is_active:
                    self.dismiss()
                return
            self._say(await self._wrong_password())
        except Refusal as refusal:
            self._say(sentence(refusal))
        finally:
            self._busy = False

    async def _wrong_password(self) -> str:
        left = await asyncio.to_thread(lambda: self.desk.seat.tries_left)
        said = tr("Пароль не подходит. Проверьте раскладку и повторите.")
        if left > _LEFT_TO_SAY:
            return said
        return f"{said} " + tr("Попыток до паузы: {count}.").format(count=left)

    def _say(self, text: str) -> None:
        self.query_one("#why", Static).update(text)
        self.query_one(LeanInput).value = ""


def locked_call_text(call: Call | None, quiet: str, *, whole: bool = False) -> str:
    """The call without what tells who it is: the last two digits alone, unless the number is wanted ``whole``.

    ``quiet`` is said while there is no call.
    """
    if call is None or call.state is CallState.ENDED:
        return quiet
    digits = "".join(filter(str.isdigit, call.number))
    number = "•••" + digits[-_SHOWN_DIGITS:] if len(digits) > _SHOWN_DIGITS else "•••"
    if whole:
        number = phone_words(call.number) or tr("номер скрыт")
    if call.rings_here:
        return tr("ВХОДЯЩИЙ ЗВОНОК {number}: откройте экран и ответьте").format(number=number)
    if call.held:
        return tr("На удержании: {number}").format(number=number)
    return tr("Разговор продолжается: {number}").format(number=number)
