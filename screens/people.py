"""The administrator's list of people: search, add, change, block, and the codes he tells them (K-1.2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar

from textual import on
from textual.binding import Binding, BindingType

from operator_tui.appeals.begun import FormOf
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.people import ROLE_TITLES
from operator_tui.commands import Situation
from operator_tui.i18n import tr
from operator_tui.letters import fold
from operator_tui.signin.people import ENROLMENT, RESET, VOICE, Person
from screens.ask import AskScreen
from screens.base import DeskScreen, handles
from screens.code import CodeScreen
from screens.directory import ROLE_WORDS
from screens.person import Draft, PersonScreen, draft_of
from screens.seats import SeatsScreen
from widgets.lean import LeanInput
from widgets.line import Line
from widgets.rows import Column, Row, Rows

_NEW = ""


class PeopleScreen(DeskScreen):
    """Everybody of the region. The cursor stays in the search line; arrows choose, Enter changes."""

    name_in_commands: ClassVar[str] = "people"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "home", show=False),
        Binding("down", "move(1)", show=False, priority=True),
        Binding("up", "move(-1)", show=False, priority=True),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._people: dict[str, Person] = {}
        self._changed = 0  # how often somebody was changed here
        # A telephone's password typed into a form that was left, by login: it is kept nowhere else.
        self._passwords: dict[str, str] = {}

    def body(self) -> Iterator[Any]:
        yield Line("", id="people-title", classes="heading")
        yield LeanInput(placeholder=tr("Поиск: ФИО, имя для входа, номер, организация, группа"), id="people-search")
        columns = (Column(27), Column(12), Column(12), Column(5), Column(7), Column())
        yield Rows(columns, id="people", empty=tr("Список загружается…"))
        yield Line("", id="about-person")
        yield Line("", id="about-groups")

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        self.query_one("#people-search", LeanInput).focus()
        self.guard(self._load)

    async def _load(self) -> None:
        try:
            while True:
                before = self._changed
                people = await self.desk.seat.people.everybody()
                if before == self._changed:
                    break  # else it may be of before the change, and would undo it on the screen
        except Refusal:
            self._rows.show([self._row(one) for one in self._found()], keep=True, empty=tr("Список не получен"))
            raise
        self._people = {one.login: one for one in people}
        self._show(keep=True)

    @property
    def _rows(self) -> Rows:
        return self.query_one("#people", Rows)

    def _found(self) -> list[Person]:
        words = fold(self.query_one("#people-search", LeanInput).value).split()
        return [one for one in self._people.values() if all(word in _searched(one) for word in words)]

    def _show(self, *, keep: bool = False) -> None:
        found = self._found()
        self._rows.show([self._row(one) for one in found], keep=keep, empty=tr("Никого не найдено"))
        blocked = sum(one.blocked for one in self._people.values())
        title = tr("Пользователи контакт-центра: {count}, заблокировано: {blocked}")
        self.query_one("#people-title", Line).say(
            title.format(count=len(self._people), blocked=blocked), tr("Esc — журнал")
        )
        self._describe()

    def _row(self, one: Person) -> Row:
        who = one.operator
        state = tr("ЗАБЛОК.") if one.blocked else "" if one.has_password else tr("не входил")
        cells = (who.name, one.login, tr(ROLE_WORDS[who.role]), who.extension, who.organisation, state)
        return Row(one.login, cells, mark="-" if one.blocked else " ")

    def _describe(self) -> None:
        one = self._current()
        about = groups = ""
        if one is not None:
            who = one.operator
            about = f"{who.name} · {tr(ROLE_TITLES[who.role])} · {tr('доб.')} {who.extension}"
            groups = f"{tr('Организация')}: {who.organisation} ({who.zone}) · {tr('группы')}: "
            groups += ", ".join(one.groups) or tr("нет")
        self.query_one("#about-person", Line).say(about)
        self.query_one("#about-groups", Line).say(groups)
        self._paint_keys()

    def _current(self) -> Person | None:
        row = self._rows.current
        return self._people.get(row.key) if row else None

    def _chosen(self) -> Person:
        one = self._current()
        if one is None:
            raise Refusal(Code.NO_PERSON_CHOSEN)
        return one

    def situation(self) -> Situation:
        return replace(super().situation(), row=self._current() is not None)

    def action_move(self, step: int) -> None:
        """The arrows move in the list while the cursor stays in the line."""
        self._rows.action_move(step)

    def action_home(self) -> None:
        """Back to the journal; words that are searched for are put away first."""
        line = self.query_one("#people-search", LeanInput)
        if line.value:
            line.value = ""
        else:
            self.app.switch_mode("journal")

    @on(LeanInput.Changed, "#people-search")
    def _searched_for(self) -> None:
        self._show()

    @on(Rows.Moved, "#people")
    def _moved(self) -> None:
        self._describe()

    @on(LeanInput.Submitted, "#people-search")
    @on(Rows.Chosen, "#people")
    def _entered(self) -> None:
        if self._current() is not None:
            self.change()

    # commands

    @handles("people.add")
    def add(self) -> None:
        """A new person; what was typed before and left is still there."""
        operator = self.desk.state.operator
        fresh = Draft(organisation=operator.organisation, zone=operator.zone) if operator is not None else Draft()
        self._ask(fresh, _NEW)

    @handles("people.change")
    def change(self) -> None:
        """The person under the cursor."""
        one = self._chosen()
        self._ask(draft_of(one), one.login)

    def _ask(self, before: Draft, login: str) -> None:
        draft = replace(before, sip=self._passwords.get(login, ""))
        known = sorted({one.operator.organisation for one in self._people.values()})

        async def save() -> None:
            await self._save(draft, login)

        form = PersonScreen(draft, save, new=not login, organisations=known, before=before, of=FormOf("person", login))

        def left(_: None) -> None:
            self._passwords[login] = draft.sip

        self.app.push_screen(form, left)

    async def _save(self, draft: Draft, login: str) -> None:
        people, groups = self.desk.seat.people, draft.group_list()
        if login:
            saved = await people.change(login, values=draft.values(), groups=groups, sip=draft.sip or None)
        else:
            saved = await people.add(draft.login, draft.operator(), groups=groups, sip=draft.sip)
        draft.sip = ""
        self._put(saved)
        self._people = dict(sorted(self._people.items(), key=lambda item: item[1].operator.name))
        said = tr("Изменено: {name}.") if login else tr("Добавлен: {name}. Следующий шаг — код рабочего места (^G).")
        self.desk.notice(said.format(name=saved.operator.name))
        self._put_cursor_on(saved.login)

    def _put(self, one: Person) -> None:
        """As the server has answered a change of him."""
        self._changed += 1
        self._people[one.login] = one

    def _put_cursor_on(self, login: str) -> None:
        self.query_one("#people-search", LeanInput).value = ""
        self._show()
        keys = [row.key for row in self._rows.rows]
        self._rows.chosen = keys.index(login)
        self._describe()

    @handles("people.block")
    def block(self) -> None:
        """Block after a question; unblock at once."""
        one = self._chosen()
        if one.blocked:
            self.guard(lambda: self._block(one.login, blocked=False))
            return
        words = tr("Заблокировать: сеансы кончатся сразу, записи останутся")
        ask = AskScreen(one.operator.name, tr("Enter — заблокировать"), lambda text: [Row("yes", (words,))])

        def answered(key: str | None) -> None:
            if key:
                self.guard(lambda: self._block(one.login, blocked=True))

        self.app.push_screen(ask, answered)

    async def _block(self, login: str, *, blocked: bool) -> None:
        one = await self.desk.seat.people.block(login, blocked=blocked)
        self._put(one)
        said = tr("Вход закрыт: {name}.") if blocked else tr("Вход открыт: {name}.")
        self.desk.notice(said.format(name=one.operator.name))
        self._show(keep=True)

    @handles("people.enrolment")
    async def enrolment(self) -> None:
        """A code for one more workstation."""
        one = self._chosen()
        self._tell(one, ENROLMENT, {ENROLMENT: await self.desk.seat.people.enrolment_code(one.login)})

    @handles("people.reset")
    async def reset(self) -> None:
        """A code for a forgotten password."""
        one = self._chosen()
        self._tell(one, RESET, {RESET: await self.desk.seat.people.reset_code(one.login)})

    @handles("people.voice")
    async def voice(self) -> None:
        """The eight-hour code of each workstation."""
        one = self._chosen()
        codes = await self.desk.seat.people.voice_codes(one.login)
        if not codes:
            raise Refusal(Code.NO_WORKSTATION)
        self._tell(one, VOICE, codes)

    def _tell(self, one: Person, kind: str, codes: dict[str, str]) -> None:
        self.app.push_screen(CodeScreen(one.operator.name, kind, codes))

    @handles("people.seats")
    async def seats(self) -> None:
        """His workstations, to look at and to revoke."""
        one = self._chosen()
        seats = await self.desk.seat.people.seats(one.login)
        zone = self.desk.state.operator.zone if self.desk.state.operator else "Europe/Moscow"
        self.app.push_screen(SeatsScreen(one.operator.name, seats, zone, self._revoke))

    async def _revoke(self, device: str) -> None:
        await self.desk.seat.people.revoke(device)
        self.desk.notice(tr("Рабочее место {device} отозвано: его ключи будут уничтожены.").format(device=device))


def _searched(one: Person) -> str:
    who = one.operator
    parts = (who.name, one.login, ROLE_TITLES[who.role], who.extension, who.organisation, *one.groups)
    return fold(" ".join(parts))
