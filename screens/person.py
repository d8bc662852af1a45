"""The form of one person: who he is, what he may, where he works."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Static

from operator_tui.appeals.begun import FormLine, FormOf
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.people import ROLE_TITLES, Operator, Role
from operator_tui.i18n import mark, tr
from operator_tui.sentences import sentence
from operator_tui.signin.people import Person
from screens.closing import ClosesItself
from screens.keeping import Keeping
from widgets.field import Field
from widgets.lean import LeanInput
from widgets.line import Line
from widgets.rows import Row, Rows

_ROLES = tuple(role for role in Role if role is not Role.TRAINEE)  # trainees are never at the server (DESIGN rule 9)
# Label of at most ten cells, and what belongs there.
_FIELDS = {
    "login": (mark("Вход"), mark("имя для входа, без пробелов")),
    "name": (mark("ФИО"), mark("фамилия имя отчество")),
    "extension": (mark("Внутр. №"), mark("внутренний номер")),
    "organisation": (mark("Организ."), mark("регион/организация, например 26/tf")),
    "groups": (mark("Группы"), mark("через запятую")),
    "zone": (mark("Час. пояс"), mark("Europe/Moscow")),
    "sip": (mark("Пароль SIP"), mark("пароль внутреннего номера; пусто — прежний")),
}
_ROLE = "role"
_TITLES = {
    "login": mark("Имя для входа"),
    "name": mark("ФИО"),
    "extension": mark("Внутренний номер"),
    "organisation": mark("Организация"),
    "zone": mark("Часовой пояс"),
}


@dataclass
class Draft:
    """What stands in the form. It outlives the form: what was typed is there again when it is opened anew."""

    login: str = ""
    name: str = ""
    role: str = Role.OPERATOR_1.value
    extension: str = ""
    organisation: str = ""
    groups: str = ""
    zone: str = ""
    sip: str = ""

    def demand_whole(self) -> None:
        """Refusal(FIELD_REQUIRED) for the first field that is empty."""
        for name, title in _TITLES.items():
            if not getattr(self, name).strip():
                raise Refusal(Code.FIELD_REQUIRED, field=tr(title))

    def values(self) -> dict[str, str]:
        """The fields of the operator by name."""
        names = ("name", "role", "extension", "organisation", "zone")
        return {name: getattr(self, name).strip() for name in names}

    def operator(self) -> Operator:
        """A new operator; the server gives the number."""
        values = self.values() | {"role": Role(self.role)}
        return Operator(user=0, **values)  # type: ignore[arg-type]  # the role is one, the rest are texts

    def group_list(self) -> list[str]:
        """The groups, one by one."""
        return [name.strip() for name in self.groups.split(",") if name.strip()]


def draft_of(one: Person) -> Draft:
    """A person as he stands at the server."""
    who = one.operator
    return Draft(one.login, who.name, who.role.value, who.extension, who.organisation, ", ".join(one.groups), who.zone)


class PersonScreen(ClosesItself[None], Keeping[None], ModalScreen[None]):
    """Fills a draft. ``save`` writes it; what it refuses is said here, and the form stays. ``before`` is what the draft
    was without the operator; Esc leaves what he has typed for the next time, the password only at this desk."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", show=False),
        Binding("f9", "save", show=False),
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
    ]
    AUTO_FOCUS = ""

    def __init__(
        self,
        draft: Draft,
        save: Callable[[], Awaitable[None]],
        *,
        new: bool,
        organisations: Sequence[str],
        before: Draft | None = None,
        of: FormOf | None = None,
    ) -> None:
        super().__init__()
        self.of = of
        self._was = before or draft
        self._draft = draft
        self._save = save
        self._new = new
        self._organisations = organisations
        self._busy = False

    def compose(self) -> ComposeResult:
        yield Line(self.heading, tr("F9 — сохранить   Esc — назад"), classes="heading")
        yield self.begun_line()
        for name, (label, hint) in _FIELDS.items():
            yield Field(name, tr(label), placeholder=tr(hint))
        yield Line(tr("Роль пользователя"), tr("Пробел или цифра — выбрать"), id="role-title", classes="heading")
        yield Rows(id="roles")
        yield Line(tr("Известные организации: {names}").format(names=", ".join(self._organisations)), id="known")
        yield Static("", id="why", markup=False)

    def on_mount(self) -> None:
        for field in self.query(Field):
            field.show(getattr(self._draft, field.field_name))
        self.query_one("#input-sip", LeanInput).password = True
        self.query_one("#input-login", LeanInput).disabled = not self._new
        self._paint_roles()
        self.query_one("#input-login" if self._new else "#input-name", LeanInput).focus()

    @property
    def heading(self) -> str:
        return tr("Новый пользователь") if self._new else self._draft.login

    def form_lines(self) -> Sequence[FormLine]:
        lines = [
            FormLine(field.field_name, tr(_FIELDS[field.field_name][0]), secret=field.input.password)
            for field in self.query(Field)
        ]
        return [*lines, FormLine(_ROLE, tr("Роль пользователя"))]

    def form_before(self) -> Mapping[str, str]:
        return {name: getattr(self._was, name) for name in (*_FIELDS, _ROLE)}

    def form_values(self) -> Mapping[str, str]:
        values = {field.field_name: field.input.value for field in self.query(Field)}
        return {**values, _ROLE: self._draft.role}

    def lay(self, values: Mapping[str, str]) -> None:
        for field in self.query(Field):
            if field.field_name in values:
                field.show(values[field.field_name])
                field.input.action_end()
                setattr(self._draft, field.field_name, values[field.field_name])
        role = values.get(_ROLE, "")
        if any(role == one.value for one in _ROLES):
            self._draft.role = role
            self._paint_roles()
            self.query_one(Rows).chosen = [one.value for one in _ROLES].index(role)

    def _paint_roles(self) -> None:
        rows = [
            Row(role.value, (f"{place} {tr(ROLE_TITLES[role])}",), mark="+" if role.value == self._draft.role else " ")
            for place, role in enumerate(_ROLES, 1)
        ]
        roles = self.query_one(Rows)
        first = not roles.rows
        roles.show(rows, keep=True)
        if first:
            roles.chosen = next(i for i, row in enumerate(rows) if row.key == self._draft.role)

    @on(Field.Typed)
    def _typed(self, event: Field.Typed) -> None:
        setattr(self._draft, event.field, event.value)
        self.query_one("#why", Static).update("")

    @on(Rows.Ticked)
    def _ticked(self, event: Rows.Ticked) -> None:
        self._take_role(event.key)

    @on(Rows.Chosen)
    def _chosen(self, event: Rows.Chosen) -> None:
        self._take_role(event.key)
        self.action_save()

    def _take_role(self, role: str) -> None:
        self._draft.role = role
        self._paint_roles()
        self.words_typed()

    def on_key(self, event: Key) -> None:
        """A digit chooses a role while the list has the focus."""
        roles = self.query_one(Rows)
        if roles.has_focus and event.key.isdecimal() and 1 <= int(event.key) <= len(_ROLES):
            event.stop()
            roles.chosen = int(event.key) - 1
            self._take_role(_ROLES[roles.chosen].value)

    @on(LeanInput.Submitted)
    def _next(self) -> None:
        self.focus_next()

    def action_save(self) -> None:
        """F9, or Enter on a role."""
        if not self._busy:
            self._write()

    @work(exit_on_error=False)
    async def _write(self) -> None:
        self._busy = True
        try:
            self._draft.demand_whole()
            await self.send(self._save)
        except Refusal as refusal:
            self.query_one("#why", Static).update(sentence(refusal))
        else:
            self.close_itself()
        finally:
            self._busy = False
