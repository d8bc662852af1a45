"""The first screen of a live profile: who sits here. Enrolment, name and password, and the two ways without them."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Static

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.i18n import mark, tr
from operator_tui.letters import to_latin_layout
from operator_tui.sentences import sentence
from operator_tui.signin.settings import SignInSettings
from screens.closing import ClosesItself
from screens.provider import ProviderScreen
from widgets.lean import LeanInput
from widgets.line import Line

if TYPE_CHECKING:
    from operator_tui.signin.signin import SignIn
    from screens.base import HasDesk


class Way(Enum):
    """How one comes in."""

    ENROL = "enrol"
    PASSWORD = "password"
    VOICE = "voice"
    CHANGED = "changed"
    RESET = "reset"


_TITLES = {
    Way.ENROL: mark("Регистрация рабочего места: код администратора и ваш пароль"),
    Way.PASSWORD: mark("Вход"),
    Way.VOICE: mark("Вход без связи с сервером: код, который администратор назвал по телефону"),
    Way.CHANGED: mark("Пароль изменён на другом месте: введите новый, он откроет и это место"),
    Way.RESET: mark("Забытый пароль: код сброса от администратора и новый пароль"),
}
# The same ways where the provider vouches for people: a PIN opens this workstation.
_BY_PROVIDER = {
    Way.ENROL: mark("Регистрация рабочего места: код администратора и ПИН-код этого места"),
    Way.PASSWORD: mark("Вход: ПИН-код этого места, затем подтверждение у поставщика"),
    Way.VOICE: mark("Вход без связи с сервером: ПИН-код и код, который администратор назвал по телефону"),
}
_FIELDS: dict[Way, tuple[str, ...]] = {
    Way.ENROL: ("code", "password", "again"),
    Way.PASSWORD: ("login", "password"),
    Way.VOICE: ("login", "password", "code"),
    Way.CHANGED: ("password",),
    Way.RESET: ("code", "password", "again"),
}
_PLACEHOLDERS = {
    "login": mark("Имя для входа"),
    "password": mark("Пароль"),
    "again": mark("Пароль ещё раз"),
    "code": mark("Код от администратора"),
}
_PIN = {"password": mark("ПИН-код этого места"), "again": mark("ПИН-код ещё раз")}
_HIDDEN = frozenset({"password", "again"})


class SignInScreen(ClosesItself[bool]):
    """Dismissed with True when somebody has signed in. Nothing of the journal is open before."""

    BINDINGS = [  # noqa: RUF012  # Textual's own form
        Binding("f6", "by_code", show=False),
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
        self._former = ""  # the password that opens this place alone, until the server's is given

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

    @property
    def _by_provider(self) -> bool:
        """Whether the provider vouches for who signs in now: his place says so, a new place is as the settings say."""
        tag = self._signin.tag
        login = self._input("login").value.strip().casefold()
        if tag is not None and login == tag.login and self._way is not Way.ENROL:
            return tag.oidc
        return cast("HasDesk", self.app).desk.settings.get(SignInSettings).oidc

    def _input(self, name: str) -> LeanInput:
        return self.query_one(f"#ask-{name}", LeanInput)

    def _show(self, way: Way) -> None:
        self._way = way
        if way is not Way.CHANGED:
            self._former = ""
        titles, words = _TITLES, _PLACEHOLDERS
        if self._by_provider and way in _BY_PROVIDER:
            titles, words = _BY_PROVIDER, _PLACEHOLDERS | _PIN
        self.query_one("#way", Line).say(tr(titles[way]), "")
        for name in ("login", "code", "password", "again"):
            self._input(name).display = name in _FIELDS[way]
            self._input(name).placeholder = tr(words[name])
            if name != "login":
                self._input(name).value = ""
        hints = [tr("Enter — войти"), tr("Esc — выйти из программы")]
        if way is Way.PASSWORD:
            hints[1:1] = [tr("F6 — есть код места"), tr("F7 — другой работник"), tr("F8 — забыт пароль")]
        elif way in (Way.RESET, Way.VOICE, Way.CHANGED) or self._signin.tag:
            hints[1] = tr("Esc — назад")
        if way is Way.CHANGED:
            hints[1:1] = [tr("F8 — забыт пароль")]
        self.query_one("#hint", Static).update(" · ".join(hints))
        empty = next((name for name in _FIELDS[way] if not self._input(name).value), _FIELDS[way][0])
        self._input(empty).focus()

    def _say(self, text: str) -> None:
        self.query_one("#why", Static).update(text)

    def action_by_code(self) -> None:
        """F6: one more person of this workstation, by a code of his own."""
        if self._way is Way.PASSWORD and not self._busy:
            self._say("")
            self._show(Way.ENROL)

    def action_other_person(self) -> None:
        """F7: not who sat here last. A person the server knows needs no code at a workstation that is enrolled."""
        if self._way is Way.PASSWORD and not self._busy:
            self._say(tr("Впервые на этом месте — нужна связь с сервером. Записи других работников вам не видны."))
            for name in ("login", "password"):
                self._input(name).value = ""
            self._input("login").focus()

    def action_other_way(self) -> None:
        """F8: the password is forgotten."""
        if self._way in (Way.PASSWORD, Way.CHANGED) and not self._busy:
            self._say("")
            self._show(Way.RESET)

    async def action_back(self) -> None:
        """Esc: to name and password, or out of the program."""
        if self._way is not Way.PASSWORD and self._signin.tag:
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
            if await self._try():
                self.close_itself(True)
            else:
                self._say("")
                self._show(Way.PASSWORD)
        except Refusal as refusal:
            self._refused(refusal)
        finally:
            self._busy = False

    async def _try(self) -> bool:
        """Whether he is in; not when he came back from the provider's page."""
        login, code = self._input("login").value, to_latin_layout(self._input("code").value)
        password = self._input("password").value
        if "again" in _FIELDS[self._way] and password != self._input("again").value:
            raise Refusal(Code.PASSWORDS_DIFFER)
        by_provider = self._by_provider
        match self._way:
            case Way.ENROL:
                await self._signin.enrol(code, password, oidc=by_provider)
                tag = self._signin.tag
                login = tag.login if tag is not None else login
            case Way.RESET:
                await self._signin.reset(code, password)
                return True
            case Way.CHANGED:
                await self._signin.sign_in_anew(login, self._former, password)
                return True
        if by_provider:
            return await self._vouched(login, password, code if self._way is Way.VOICE else "")
        if self._way is not Way.ENROL:
            await self._signin.sign_in(login, password, code if self._way is Way.VOICE else "")
        return True

    async def _vouched(self, login: str, pin: str, voice: str) -> bool:
        """The PIN opens this place, then he says yes at the provider's page. Without the server the PIN is enough."""
        flow = await self._signin.begin_oidc(login, pin, voice)
        if flow is None:
            return True
        outcome = await self.app.push_screen_wait(ProviderScreen(flow, lambda: self._signin.finish_oidc(pin)))
        if isinstance(outcome, Refusal):
            raise outcome
        return outcome

    def _refused(self, refusal: Refusal) -> None:
        if refusal.code is Code.OFFLINE_TOO_LONG:
            self._show(Way.VOICE)
        elif refusal.code is Code.PASSWORD_ELSEWHERE:
            self._former = self._input("password").value
            self._show(Way.CHANGED)
        elif refusal.code is Code.DEVICE_REVOKED:
            self._show(Way.PASSWORD if self._signin.tag else Way.ENROL)
        else:
            for name in _HIDDEN:
                self._input(name).value = ""
            self._input("password").focus()
        self._say(sentence(refusal))
