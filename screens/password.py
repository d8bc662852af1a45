"""One's own password: the old one, and the new one twice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.i18n import mark, tr
from operator_tui.sentences import sentence
from screens.closing import ClosesItself
from widgets.lean import LeanInput
from widgets.line import Line

_PIN = {"old": mark("Прежний ПИН-код"), "new": mark("Новый ПИН-код"), "again": mark("Новый ПИН-код ещё раз")}
_FIELDS = {"old": mark("Прежний пароль"), "new": mark("Новый пароль"), "again": mark("Новый пароль ещё раз")}


class PasswordScreen(ClosesItself[bool], ModalScreen[bool]):
    """Dismissed with True when the password is another one. Nothing is changed before the server has agreed."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(False)", show=False)]
    AUTO_FOCUS = ""

    def __init__(self, change: Callable[[str, str], Awaitable[None]], *, pin: bool = False) -> None:
        super().__init__()
        self._pin = pin
        self._change = change
        self._busy = False

    def compose(self) -> ComposeResult:
        title = tr("Сменить ПИН-код этого места") if self._pin else tr("Сменить пароль")
        yield Line(title, tr("Enter — дальше   Esc — назад"), classes="heading")
        with Vertical(id="fields"):
            for name, words in (_PIN if self._pin else _FIELDS).items():
                yield LeanInput(placeholder=tr(words), password=True, id=f"ask-{name}")
        yield Static("", id="why", markup=False)

    def on_mount(self) -> None:
        self._input("old").focus()

    @property
    def written(self) -> bool:
        """Whether something stands there, or is on its way to the server: that is not broken off."""
        return self._busy or any(line.value for line in self.query(LeanInput))

    def _input(self, name: str) -> LeanInput:
        return self.query_one(f"#ask-{name}", LeanInput)

    def _chosen(self) -> str:
        new = self._input("new").value
        if new != self._input("again").value:
            raise Refusal(Code.PASSWORDS_DIFFER)
        return new

    @on(LeanInput.Submitted)
    def _entered(self) -> None:
        empty = [name for name in _FIELDS if not self._input(name).value]
        if empty:
            self._input(empty[0]).focus()
        elif not self._busy:
            self._write()

    @work(exit_on_error=False)
    async def _write(self) -> None:
        self._busy = True
        why = self.query_one("#why", Static)
        why.update(tr("Проверяется…"))
        try:
            await self._change(self._input("old").value, self._chosen())
        except Refusal as refusal:
            why.update(sentence(refusal))
            again = "old" if refusal.code is Code.SIGN_IN_WRONG else "new"
            for name in ("old", "new", "again") if again == "old" else ("new", "again"):
                self._input(name).value = ""
            self._input(again).focus()
        else:
            self.close_itself(True)
        finally:
            self._busy = False
