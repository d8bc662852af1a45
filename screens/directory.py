"""The telephone directory: one line to search in, who is free, Enter chooses (K-4.1, K-5.1.8.3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from operator_tui.appeals.people import ROLE_TITLES, Role
from operator_tui.appeals.presence import TITLES, State
from operator_tui.colleagues.directory import Colleague, search
from operator_tui.i18n import mark, tr
from widgets.lean import LeanInput
from widgets.line import Line
from widgets.rows import Column, Row, Rows

if TYPE_CHECKING:
    from operator_tui.desk.desk import Desk
    from screens.base import HasDesk

ROLE_WORDS = {
    Role.OPERATOR_1: mark("опер. 1 ур."),
    Role.OPERATOR_2: mark("опер. 2 ур."),
    Role.INSURER_1: mark("страх. 1 ур."),
    Role.INSURER_2: mark("страх. 2 ур."),
    Role.INSURER_3: mark("страх. 3 ур."),
    Role.ADMINISTRATOR: mark("админ."),
}


class DirectoryScreen(ModalScreen[str | None]):
    """Returns the number of the chosen row, or the number that was typed; None when it was left."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", show=False),
        Binding("down", "move(1)", show=False, priority=True),
        Binding("up", "move(-1)", show=False, priority=True),
    ]

    def __init__(
        self,
        title: str,
        colleagues: tuple[Colleague, ...],
        earlier: Sequence[tuple[Colleague, str]] = (),
        recommended: Sequence[Colleague] = (),
        *,
        dials: bool = True,
    ) -> None:
        """``earlier`` are those who handled the caller's earlier appeals, with the number: they stand first, and
        those ``recommended`` for the theme (K-5.1.5.4) after them. ``dials``: any number may be meant."""
        super().__init__()
        self._title = title
        self._dials = dials
        self._load: dict[int, int] = {}  # open appeals by user
        self._earlier = {one.extension: number for one, number in earlier}
        found = {one.extension: one for one in colleagues}
        self._recommended = {one.extension for one in recommended}
        first = [one for one in (*(one for one, _ in earlier), *recommended) if one.extension in found]
        self._colleagues = {one.extension: one for one in first} | found

    def compose(self) -> ComposeResult:
        yield Line(self._title, tr("Enter — выбрать   Esc — назад"), classes="heading")
        yield LeanInput(placeholder=tr("ФИО, организация или внутренний номер, затем Enter"), id="asked")
        columns = (Column(5), Column(13), Column(30), Column(13), Column())
        yield Rows(columns, id="colleagues", empty=tr("Никого не найдено. Номер наберите целиком, затем Enter"))
        yield Line("", id="about")
        yield Line("", id="knows")

    @property
    def _desk(self) -> Desk:
        return cast("HasDesk", self.app).desk

    def on_mount(self) -> None:
        self.query_one(LeanInput).focus()
        self._show("")
        self._look_at_load()
        self.set_interval(1.0, self._refresh)

    @work(exit_on_error=False)
    async def _look_at_load(self) -> None:
        """How much each has in work, as this desk's journal knows it: the list does not wait for it."""
        self._load = await self._desk.on_journal(lambda journal: journal.workers())
        self._tell()

    def on_unmount(self) -> None:
        self._desk.colleagues.watch(())

    def _refresh(self) -> None:
        self._show(self.query_one(LeanInput).value, keep=True)

    def _show(self, text: str, *, keep: bool = False) -> None:
        rows = self.query_one(Rows)
        found = search(tuple(self._colleagues.values()), text)
        found.sort(key=lambda one: one.extension != text.strip())  # a whole number is that number
        rows.show([*self._as_typed(text.strip(), found), *(self._row(one) for one in found)], keep=keep)
        self._desk.colleagues.watch(one.extension for one in found)
        self._tell()

    def _as_typed(self, typed: str, found: Sequence[Colleague]) -> list[Row]:
        """A whole number with which only longer ones begin: 112 is not 1120."""
        whole = typed.isdigit() and len(typed) > 1 and found and found[0].extension != typed
        return [Row(typed, (typed, "", tr("набрать как есть"), "", ""))] if whole and self._dials else []

    def _row(self, one: Colleague) -> Row:
        role = tr(ROLE_WORDS[one.role]) if one.role is not None else tr("внешний")
        number = self._earlier.get(one.extension, "")
        where = tr("вёл обращение {number}").format(number=number) if number else one.organisation
        sign = "*" if number else "+" if one.extension in self._recommended else " "
        return Row(one.extension, (one.extension, self._state(one), one.name, role, where), mark=sign)

    def _state(self, one: Colleague) -> str:
        if one.role is None:
            return ""
        known = self._desk.colleagues.state(one.extension)
        return tr(TITLES[State(known)]) if known in set(State) else tr("неизвестно")

    def _tell(self) -> None:
        row = self.query_one(Rows).current
        one = self._colleagues.get(row.key) if row else None
        about = knows = ""
        if one is not None:
            role = tr(ROLE_TITLES[one.role]) if one.role is not None else tr("внешний")
            why = tr("рекомендован по тематике") if one.extension in self._recommended else ""
            busy = tr("в работе: {count}").format(count=self._load.get(one.user, 0)) if one.user else ""
            name = one.name if one.role is None else ""  # a colleague's stands whole in his row
            about = " · ".join(filter(None, (name, role, busy, why, one.organisation)))
            knows = " · ".join(filter(None, (self._desk.reference.knows(one), one.skills)))
        self.query_one("#about", Line).say(about)
        self.query_one("#knows", Line).say(knows)

    def action_move(self, step: int) -> None:
        """The arrows move in the list while the cursor stays in the line."""
        self.query_one(Rows).action_move(step)
        self._tell()

    @on(LeanInput.Changed)
    def _typed(self, event: LeanInput.Changed) -> None:
        self._show(event.value)

    @on(LeanInput.Submitted)
    def _done(self, event: LeanInput.Submitted) -> None:
        row = self.query_one(Rows).current
        self.dismiss(row.key if row else event.value.strip() or None)

    @on(Rows.Chosen)
    def _chosen(self, event: Rows.Chosen) -> None:
        self.dismiss(event.key)
