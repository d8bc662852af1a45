"""«Перезвоним до …»: the promises that concern the operator, the nearest time first; Enter opens the appeal."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from operator_tui.appeals.promises import ATTEMPTS_WANTED, Stand, Why, vain
from operator_tui.desk.promises import Listed
from operator_tui.i18n import mark, tr
from screens.words import local_time, phone_words
from widgets.line import Line
from widgets.rows import Column, Row, Rows

_WHY = {
    Why.OWN: mark("ваше"),
    Why.GROUP: mark("группы: взять"),
    Why.SUBSTITUTE: mark("замещаете"),
    Why.ABSENT: mark("владельца нет"),
}
_MARKS = {Stand.WAITING: " ", Stand.SOON: "1", Stand.BROKEN: "!"}


def promise_cells(one: Listed, zone: str) -> tuple[str, ...]:
    """A row: until when, number, whom to ask for, where and when, attempts, why it is here."""
    promise = one.promise
    due = local_time(promise.due_ms, zone) if promise.due_ms else ""
    if one.stand is Stand.BROKEN:
        due += " " + tr("ПРОСРОЧЕНО")
    tries = f"{len(vain(promise.attempts))}/{ATTEMPTS_WANTED}"
    whom = " · ".join(filter(None, (promise.ask, phone_words(promise.phone), promise.hours)))
    return (due, str(one.card.value("number")), whom, tries, tr(_WHY[one.why]))


class Wish(StrEnum):
    """What is to be done with the promise that was chosen."""

    OPEN = "open"
    TAKE = "take"
    HEAR = "hear"
    GIVE = "give"


class PromisesScreen(ModalScreen[tuple[Wish, str] | None]):
    """Returns what is to be done, and the id of the appeal that was chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", show=False, priority=True),
        Binding("f5", f"wish('{Wish.TAKE}')", show=False, priority=True),
        Binding("f6", f"wish('{Wish.HEAR}')", show=False, priority=True),
        Binding("f7", f"wish('{Wish.GIVE}')", show=False, priority=True),
    ]

    def __init__(self, listed: Sequence[Listed], zone: str) -> None:
        super().__init__()
        self._listed = listed
        self._zone = zone

    def compose(self) -> ComposeResult:
        broken = sum(1 for one in self._listed if one.stand is Stand.BROKEN)
        title = tr("Перезвоним до …: {count}, просрочено {broken}").format(count=len(self._listed), broken=broken)
        keys = tr("F5 взять  F6 слушать  F7 передать  Esc назад")
        yield Line(title, keys, classes="heading")
        columns = (Column(23), Column(12), Column(), Column(4), Column(14))
        yield Rows(columns, id="promises", empty=tr("Никому ничего не обещано"))

    def on_mount(self) -> None:
        rows = self.query_one(Rows)
        rows.show(
            [
                Row(
                    one.card.id,
                    promise_cells(one, self._zone),
                    mark=_MARKS[one.stand],
                    urgent=one.stand is not Stand.WAITING,
                )
                for one in self._listed
            ]
        )
        rows.focus()

    @on(Rows.Chosen)
    def _chosen(self, event: Rows.Chosen) -> None:
        self.dismiss((Wish.OPEN, event.key))

    def action_wish(self, wish: str) -> None:
        """Something else than opening it."""
        row = self.query_one(Rows).current
        if row is not None:
            self.dismiss((Wish(wish), row.key))
