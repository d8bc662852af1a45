"""The first screen of a live profile: who sits here. Enrolment, name and password, and the two ways without them."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import Screen
from textual.widgets import Static

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.i18n import mark, tr
from operator_tui.letters import to_latin_layout
from operator_tui.sentences import sentence
from widgets.lean import LeanInput
from widgets.line import Line

if TYPE_CHECKING:
    from operator_tui.signin.signin import SignIn


class Way(Enum):
    """How one comes in."""

    ENROL = "enrol"
    PASSWORD = "password"
    VOICE = "voice"
    RESET = "reset"


_TITLES = {
    Way.ENROL: mark("Регистрация рабочего места: код администратора и ваш пароль"),
    Way.PASSWORD: mark("Вход"),
    Way.VOICE: mark("Вход без связи с сервером: код, который администратор назвал по телефону"),
    Way.RESET: mark("Забытый пароль: код сброса от администратора и новый пароль"),
}
_FIELDS: dict[Way, tuple[str, ...]] = {
    Way.ENROL: ("code", "password", "again"),
    Way.PASSWORD: ("login", "password"),
    Way.VOICE: ("login", "password", "code"),
    Way.RESET: ("code", "password", "again"),
}
_PLACEHOLDERS = {
    "login": mark("Имя для входа"),
    "password": mark("Пароль"),
    "again": mark("Пароль ещё раз"),
    "code": mark("Код от администратора"),
}
_HIDDEN = frozenset({"password", "again"})


class SignInScreen(Screen[bool]):
    """Dismissed with True when somebody has signed in. Nothing of the journal is open before."""

    BINDINGS = [  # noqa: RUF012  # Textual's own form
        Binding("f7", "other_person", show=False),
        Binding("f8", "other_way", show=False),
        Binding("escape", "back", show=False),
    ]
    AUTO_FOCUS = ""

    def __init__(self, signin: SignIn) -> None:
        super().__init__()
        self._signin = signin
        self._way = Way.PASSWORD if signin.tag else Way.ENROL
        self._busy = False

    def compose(self) -> ComposeResult:
        yield Line(tr(_TITLES[self._way]), "", id="way", classes="heading")
        with Vertical(id="fields"):
            for name in ("login", "code", "password", "again"):
                yield LeanInput(placeholder=tr(_PLACEHOLDERS[name]), password=name in _HIDDEN, id=f"ask-{name}")
        yield Static("", id="why", markup=False)
        yield Static("", id="hint", markup=False)

    def on_mount(self) -> None:
        if tag := self._signin.tag:
            self._input("login").value = tag.login
        self._show(self._way)

    def _input(self, name: str) -> LeanInput:
        return self.query_one(f"#ask-{name}", LeanInput)

    def _show(self, way: Way) -> None:
        self._way = way
        self.query_one("#way", Line).say(tr(_TITLES[way]), "")
        for name in ("login", "code", "password", "again"):
            self._input(name).display = name in _FIELDS[way]
            if name != "login":
                self._input(name).value = ""
        hints = [tr("Enter — войти"), tr("Esc — выйти из программы")]
        if way is Way.PASSWORD:
            hints[1:1] = [tr("F7 — другой работник"), tr("F8 — забыт пароль")]
        elif way in (Way.RESET, Way.VOICE):
            hints[1] = tr("Esc — назад")
        self.query_one("#hint", Static).update(" · ".join(hints))
        empty = next((name for name in _FIELDS[way] if not self._input(name).value), _FIELDS[way][0])
        self._input(empty).focus()

    def _say(self, text: str) -> None:
        self.query_one("#why", Static).update(text)

    def action_other_person(self) -> None:
        """F7: not who sat here last. A person the server knows needs no code at a workstation that is enrolled."""
        if self._way is Way.PASSWORD and not self._busy:
            self._say(tr("Впервые на этом месте — нужна связь с сервером. Записи других работников вам не видны."))
            for name in ("login", "password"):
                self._input(name).value = ""
            self._input("login").focus()

    def action_other_way(self) -> None:
        """F8: the password is forgotten."""
        if self._way is Way.PASSWORD and not self._busy:
            self._say("")
            self._show(Way.RESET)

    async def action_back(self) -> None:
        """Esc: to name and password, or out of the program."""
        if self._way in (Way.RESET, Way.VOICE):
            self._say("")
            self._show(Way.PASSWORD)
        else:
            await self.app.action_quit()

    @on(LeanInput.Submitted)
    def _entered(self, event: LeanInput.Submitted) -> None:
        names = _FIELDS[self._way]
        later = [name for name in names if not self._input(name).value]
        if later:
            self._input(later[0]).focus()
        elif not self._busy:
            self._come_in()

    @work(exit_on_error=False)
    async def _come_in(self) -> None:
        self._busy = True
        self._say(tr("Проверяется…"))
        try:
            await self._try()
        except Refusal as refusal:
            self._refused(refusal)
        else:
            self.dismiss(True)
        finally:
            self._busy = False

    async def _try(self) -> None:
        login, code = self._input("login").value, to_latin_layout(self._input("code").value)
        password = self._input("password").value
        if "again" in _FIELDS[self._way] and password != self._input("again").value:
            raise Refusal(Code.PASSWORDS_DIFFER)
        match self._way:
            case Way.ENROL:
                await self._signin.enrol(code, password)
            case Way.RESET:
                await self._signin.reset(code, password)
            case Way.PASSWORD:
                await self._signin.sign_in(login, password)
            case Way.VOICE:
                await self._signin.sign_in(login, password, code)

    def _refused(self, refusal: Refusal) -> None:
        if refusal.code is Code.OFFLINE_TOO_LONG:
            self._show(Way.VOICE)
        elif refusal.code is Code.PASSWORD_ELSEWHERE:
            self._show(Way.RESET)
        elif refusal.code is Code.DEVICE_REVOKED:
            self._show(Way.PASSWORD if self._signin.tag else Way.ENROL)
        else:
            for name in _HIDDEN:
                self._input(name).value = ""
            self._input("password").focus()
        self._say(sentence(refusal))
