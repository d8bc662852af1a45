"""«Вернулось»: what the server refused or joined with another's text, both values, and three keys to settle it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from operator_tui.appeals.card import FIELD_TITLES, STATUS_TITLES, full_name
from operator_tui.appeals.errors import Refusal
from operator_tui.appeals.operations import Kind
from operator_tui.appeals.returned import Choice, Returned
from operator_tui.i18n import mark, tr
from operator_tui.sentences import sentence
from screens.closing import ClosesItself
from screens.words import act_word, day
from widgets.line import Line
from widgets.rows import Column, Row, Rows

if TYPE_CHECKING:
    from operator_tui.desk.desk import Desk
    from screens.base import HasDesk

_KEYS = mark("1 — оставить моё   2 — оставить как в журнале   3 — моё в комментарий   Esc — назад")


class ReturnedScreen(ClosesItself[None], ModalScreen[None]):
    """A list above, the row's reason and both values below; what is settled leaves the list."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", show=False),
        Binding("1", "settle('mine')", show=False),
        Binding("2", "settle('theirs')", show=False),
        Binding("3", "settle('comment')", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._found: dict[str, Returned] = {}

    def compose(self) -> ComposeResult:
        yield Line(tr("Вернулось: решите, чей текст остаётся"), classes="heading")
        yield Rows((Column(12), Column(24), Column()), id="returned", empty=tr("Больше ничего нет"))
        yield VerticalScroll(Static("", id="both", markup=False), can_focus=False)
        yield Line("", id="said")
        yield Line(tr(_KEYS), id="settle-keys", classes="heading")

    @property
    def _desk(self) -> Desk:
        return cast("HasDesk", self.app).desk

    def on_mount(self) -> None:
        self.query_one(Rows).focus()
        self._load()

    @work(exit_on_error=False, group="returned")
    async def _load(self) -> None:
        await self._show()

    async def _show(self) -> None:
        found = await self._desk.appeals.returned()
        self._found = {one.op or "here": one for one in found}
        self.query_one(Rows).show([_row(key, one) for key, one in self._found.items()], keep=True)
        self._describe()

    def _describe(self) -> None:
        row = self.query_one(Rows).current
        one = self._found.get(row.key) if row else None
        self.query_one("#both", Static).update(_both(one) if one else Text(""))

    @on(Rows.Moved)
    def _moved(self) -> None:
        self._describe()

    def action_settle(self, choice: str) -> None:
        """One of the three keys on the row under the cursor."""
        row = self.query_one(Rows).current
        one = self._found.get(row.key) if row else None
        if one is not None:
            self._settle(one, Choice(choice))

    @work(exit_on_error=False, group="returned")
    async def _settle(self, one: Returned, choice: Choice) -> None:
        said = self.query_one("#said", Line)
        try:
            await self._desk.appeals.settle(one, choice)
        except Refusal as refusal:
            said.say("! " + sentence(refusal))
            return
        said.say(tr("Решено, записано в историю обращения."))
        await self._show()
        if not self._found:
            self._desk.notice(tr("Возвращённых записей больше нет."))
            self.close_itself()


def _row(key: str, one: Returned) -> Row:
    card = one.card
    number = str(card.value("number")) if card else str(one.x.get("number", ""))
    who = full_name(card.fields if card else one.x)
    return Row(key, (number, who, _what(one)), mark="!" if one.reason else " ")


def _what(one: Returned) -> str:
    if not one.op:
        return tr("Расхождение: два текста рядом")
    if one.reason is None:
        return tr("Одновременно изменено двумя работниками")
    if one.kind == Kind.CARD_NEW:
        return tr("Новое обращение не принято")
    return tr("Не принято: {act}").format(act=act_word(one.act) if one.act else tr("изменение"))


def _both(one: Returned) -> Text:
    text = Text()
    if one.reason is not None:
        text.append(sentence(one.reason) + "\n", style="bold")
    if one.card is not None:
        text.append(f"{tr('Статус сейчас')}: {tr(STATUS_TITLES[one.card.status])}\n")
    for difference in one.differences:
        text.append(f"{tr(FIELD_TITLES.get(difference.field, difference.field))}\n", style="bold")
        text.append(f"  {tr('Моё')}:      {_value(difference.mine)}\n")
        text.append(f"  {tr('В журнале')}: {_value(difference.theirs)}\n")
    return text


def _value(value: Any) -> str:
    return day(str(value)) if value not in ("", None) else tr("пусто")
