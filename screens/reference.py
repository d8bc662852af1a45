"""«Справочники»: the lists everybody works by, row by row; each change is a version, with a way back (K-1.2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from textual import on
from textual.binding import Binding, BindingType

from operator_tui.appeals.begun import FormOf
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.reference import OFF, Row, Version
from operator_tui.appeals.reference_columns import Column, Holds, ListForm
from operator_tui.appeals.reference_forms import LISTS
from operator_tui.commands import Situation
from operator_tui.desk.state import Topic
from operator_tui.i18n import mark, tr
from operator_tui.letters import fold
from screens.ask import AskScreen
from screens.base import DeskScreen, handles
from screens.form import Asked, FormScreen, Values, iso_day
from screens.reference_words import in_words, of_words
from screens.words import day, local_time
from widgets.lean import LeanInput
from widgets.line import Line
from widgets.rows import Row as Shown
from widgets.rows import Rows

_TITLE = 34  # cells of a list's title, or of what names a row
_WHOLE = mark("Справочники: каждая правка — новая версия, прежние остаются")


class ReferenceScreen(DeskScreen):
    """The lists, and the rows of one. The cursor stays in the search line; arrows choose, Enter goes in."""

    name_in_commands: ClassVar[str] = "reference"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "up", show=False),
        Binding("down", "move(1)", show=False, priority=True),
        Binding("up", "move(-1)", show=False, priority=True),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._list = ""

    def body(self) -> Iterator[Any]:
        yield Line("", id="reference-title", classes="heading")
        yield LeanInput(placeholder=tr("Поиск: код, слова"), id="reference-search")
        yield Rows(id="reference", empty=tr("Ничего не найдено"))
        yield Line("", id="about-row")
        yield Line("", id="about-rest")

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        self.query_one("#reference-search", LeanInput).focus()
        self._show(keep=True)

    def desk_changed(self, topic: Topic) -> None:
        super().desk_changed(topic)
        if topic is Topic.REFERENCE and self.is_current:
            self._show(keep=True)

    @property
    def _rows(self) -> Rows:
        return self.query_one("#reference", Rows)

    @property
    def _form(self) -> ListForm:
        if not self._list:
            raise Refusal(Code.NO_LIST_CHOSEN)
        return LISTS[self._list]

    # what is shown

    def _show(self, *, keep: bool = False) -> None:
        words = fold(self.query_one("#reference-search", LeanInput).value).split()
        shown = self._of_list() if self._list else self._of_lists()
        found = [row for row in shown if all(word in fold(" ".join((row.key, *row.cells))) for word in words)]
        self._rows.show(found, keep=keep)
        title = f"{tr(self._form.title)}: {len(shown)}" if self._list else tr(_WHOLE)
        self.query_one("#reference-title", Line).say(title, tr("Esc — назад"))
        self._describe()

    def _of_lists(self) -> list[Shown]:
        reference = self.desk.reference
        rows = []
        for form in reference.lists():
            count = sum(not row.get(OFF) for row in reference.rows(form.name).values())
            rows.append(Shown(form.name, (f"{tr(form.title):<{_TITLE}} {count:>5}",)))
        return rows

    def _of_list(self) -> list[Shown]:
        form = self._form
        lines: dict[str, list[str]] = {}
        rows = self.desk.reference.rows(form.name)
        for key, row in rows.items():
            lines[key] = [_cell(form.column(name), row.get(name, "")) for name in form.shown]
            if row.get(OFF):
                lines[key].insert(1, tr("ЗАКРЫТО"))
        width = min(max((len(cells[0]) for cells in lines.values()), default=0), _TITLE)
        return [
            Shown(
                key,
                (f"{cells[0]:<{width}}  {' · '.join(filter(None, cells[1:]))}",),
                mark="-" if rows[key].get(OFF) else " ",
            )
            for key, cells in lines.items()
        ]

    def _describe(self) -> None:
        row = self._current()
        lines = [""]
        if row is not None:
            form = self._form
            told = [f"{tr(one.title)}: {_cell(one, row[one.name])}" for one in form.columns if row.get(one.name)]
            lines = _packed(told, max(40, self.size.width - 1))
        self.query_one("#about-row", Line).say(lines[0])
        self.query_one("#about-rest", Line).say(lines[1] if len(lines) > 1 else "")
        self._paint_keys()

    def _current(self) -> Row | None:
        at = self._rows.current
        return self.desk.reference.rows(self._list).get(at.key) if self._list and at else None

    def _chosen(self) -> tuple[str, Row]:
        at, row = self._rows.current, self._current()
        if at is None or row is None:
            raise Refusal(Code.NO_LIST_CHOSEN)
        return at.key, row

    def situation(self) -> Situation:
        return replace(super().situation(), row=self._current() is not None)

    # moving about

    def action_move(self, step: int) -> None:
        """The arrows move in the list while the cursor stays in the line."""
        self._rows.action_move(step)

    def action_up(self) -> None:
        """Words that are searched for are put away first, then the list, then the screen."""
        line = self.query_one("#reference-search", LeanInput)
        if line.value:
            line.value = ""
        elif self._list:
            here, self._list = self._list, ""
            self._show()
            self._put_cursor_on(here)
        else:
            self.app.switch_mode("journal")

    def _put_cursor_on(self, key: str) -> None:
        keys = [row.key for row in self._rows.rows]
        if key in keys:
            self._rows.chosen = keys.index(key)
        self._describe()

    @on(LeanInput.Changed, "#reference-search")
    def _searched(self) -> None:
        self._show()

    @on(Rows.Moved, "#reference")
    def _moved(self) -> None:
        self._describe()

    @on(LeanInput.Submitted, "#reference-search")
    @on(Rows.Chosen, "#reference")
    def _entered(self) -> None:
        at = self._rows.current
        if at is None:
            return
        if self._list:
            self.guard(self.change)
            return
        self._list = at.key
        self.query_one("#reference-search", LeanInput).value = ""
        self._show()

    # commands

    @handles("reference.add")
    def add(self) -> None:
        """A new row."""
        self._ask("", {"version": "1"} if self._form.name == "fields" else {})

    @handles("reference.change")
    def change(self) -> None:
        """The row under the cursor."""
        self._ask(*self._chosen())

    def _ask(self, key: str, row: Row) -> None:
        form = self._form
        name = form.name
        columns = [one for one in form.columns if (name, one.name) != ("fields", "version")]
        asked = [_asked(one, _cell(one, row.get(one.name, ""))) for one in columns]
        of = FormOf("reference", name, key)

        def made(values: Values) -> dict[str, str]:
            kept = {column: text for column, text in row.items() if column not in values and column != OFF}
            return {**kept, **{one: _meant(form.column(one), text) for one, text in values.items()}}

        def done(values: Values | None) -> None:
            if values is not None:
                self.guard(lambda: self.desk.begun.sent(of, lambda: self._put(name, made(values), key)))

        title = tr("Изменить запись") if key else tr("Новая запись")
        check = lambda values: self.desk.reference.check(name, made(values), key)  # noqa: E731  # two lines for one call
        self.app.push_screen(FormScreen(f"{title}: {tr(form.title)}", asked, check, of=of), done)

    async def _put(self, name: str, row: Mapping[str, str], key: str) -> None:
        await self.desk.reference.put(name, row, key)
        self.desk.notice(tr("Записано новой версией: {list}.").format(list=tr(LISTS[name].title)))
        self._show(keep=True)

    @handles("reference.close")
    async def close(self) -> None:
        """Offer the row no more, or again."""
        key, row = self._chosen()
        closed = not row.get(OFF)
        await self.desk.reference.close(self._form.name, key, closed=closed)
        said = tr("Закрыто: {key}. Прежние обращения его помнят.") if closed else tr("Открыто снова: {key}.")
        self.desk.notice(said.format(key=key))
        self._show(keep=True)

    @handles("reference.versions")
    async def versions(self) -> None:
        """Who changed the list and when; Enter goes back to what it was then."""
        name, title = self._form.name, tr(self._form.title)
        found = await self.desk.reference.versions(name)
        rows = [self._version_row(version) for version in found]
        rows.append(Shown("0", ("0", tr("Как в программе: до всех правок"))))

        def chosen(number: str | None) -> None:
            if number:
                self._confirm_back(name, int(number))

        words = tr("Версии: {list}").format(list=title)
        self.app.push_screen(AskScreen(words, tr("Enter — вернуться к версии"), lambda text: rows), chosen)

    def _version_row(self, version: Version) -> Shown:
        zone = self.desk.promises.zone
        when = local_time(version.at_ms, zone, "%d.%m.%Y %H:%M")
        names = self.desk.appeals.names()
        who = names.get(version.by) or (tr("№ {user}").format(user=version.by) if version.by else tr("сервер"))
        what = self.desk.reference.describe(version)
        return Shown(str(version.number), (str(version.number), f"{when} · {who} · {what}"))

    def _confirm_back(self, name: str, number: int) -> None:
        words = tr("Вернуть список к версии {number}: это будет новая версия, правки после неё останутся в истории")
        rows = [Shown("yes", (words.format(number=number),))]

        def answered(key: str | None) -> None:
            if key:
                self.guard(lambda: self._back(name, number))

        self.app.push_screen(AskScreen(tr(LISTS[name].title), tr("Enter — вернуть"), lambda text: rows), answered)

    async def _back(self, name: str, number: int) -> None:
        await self.desk.reference.back(name, number)
        self.desk.notice(tr("Возвращено к версии {number} новой версией.").format(number=number))
        self._show()

    @handles("reference.load")
    def load(self) -> None:
        """Organisations of the region from a federal register."""
        asked = [
            Asked("register", tr("Реестр"), "F002", tr("F002 — страховые, F032 — клиники"), True, ("F002", "F032")),
            Asked("path", tr("Файл XML"), required=True),
        ]

        of = FormOf("register")

        def done(values: Values | None) -> None:
            if values is not None:
                register, path = values["register"], Path(values["path"]).expanduser()
                self.guard(lambda: self.desk.begun.sent(of, lambda: self._load(register, path)))

        self.app.push_screen(FormScreen(tr("Загрузить федеральный реестр"), asked, of=of), done)

    async def _load(self, register: str, path: Path) -> None:
        from operator_tui.registry.federal import Register

        taken = await self.desk.reference.take_register(path, Register(register))
        words = tr("{register}: новых {new}, изменено {changed}, без изменений {same}.")
        self.desk.notice(words.format(register=register, new=taken.new, changed=taken.changed, same=taken.same))
        self._list = "organisations"
        self._show()


def _asked(column: Column, value: str) -> Asked:
    single = [in_words(column, one) for one in column.options] if not column.apart else ()
    hint = f" {column.apart} ".join(column.options) if column.apart and column.options else ""
    if column.apart == "|" and not hint:
        hint = tr("фразы через |")
    return Asked(column.name, tr(column.title), value, hint, column.required, single)


def _cell(column: Column, value: str) -> str:
    """A value as a person reads it."""
    return day(value) if column.holds is Holds.DAY else in_words(column, value)


def _meant(column: Column, text: str) -> str:
    """What was typed, as the list keeps it. Refusal(FIELD_INVALID) for a date that is none."""
    if column.holds is Holds.DAY:
        try:
            return iso_day(text, column.name)
        except Refusal:
            raise Refusal(Code.FIELD_INVALID, field=tr(column.title)) from None
    if column.apart and column.apart != " ":
        return column.apart.join(filter(None, (part.strip() for part in text.split(column.apart))))
    return of_words(column, " ".join(text.split()))


def _packed(parts: list[str], width: int) -> list[str]:
    """The parts in lines of that width, as many of them as it takes."""
    lines = [""]
    for part in parts:
        if lines[-1] and len(lines[-1]) + len(part) + 3 > width:
            lines.append("")
        lines[-1] += f" · {part}" if lines[-1] else part
    return lines
