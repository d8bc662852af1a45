"""The administrator's queue: look, approve, return, group by what appeals share, approve a group after a sample."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar

import msgspec
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from operator_tui.appeals.begun import FormOf
from operator_tui.appeals.card import Card, Status
from operator_tui.appeals.correction import CORRECTION
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.lifecycle import EXTENSION, Act
from operator_tui.commands import Situation
from operator_tui.desk.state import Topic
from operator_tui.i18n import mark, tr
from operator_tui.journal.sieve import Order, Sieve
from screens.ask import AskScreen, offering
from screens.base import DeskScreen, handles
from screens.words import appeal_text, day, review_cells
from widgets.line import Line
from widgets.rows import Column, Row, Rows

QUEUE = Sieve(statuses=(Status.IN_REVIEW,), order=Order.DUE)
CORRECTIONS = Sieve(review=CORRECTION)
SHOWN = 200
SAMPLE = 8
_BY = {"result": mark("Результат"), "theme": mark("Тематика"), "closer": mark("Закрыл")}


class ReviewScreen(DeskScreen):
    """Appeals in review, what is due first in front; what the row says in full stands below."""

    name_in_commands: ClassVar[str] = "review"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "home", show=False)]

    def __init__(self) -> None:
        super().__init__()
        self._sieve = QUEUE
        self._named = ""
        self._cards: dict[str, Card] = {}

    def body(self) -> Iterator[Any]:
        yield Line("", id="review-title", classes="heading")
        yield Rows((Column(12), Column(16), Column(4), Column(5), Column()), id="review", empty=tr("Очередь пуста"))
        yield VerticalScroll(Static("", id="appeal", markup=False), id="about", can_focus=False)

    def desk_changed(self, topic: Topic) -> None:
        super().desk_changed(topic)
        if topic is Topic.JOURNAL and self.is_current:
            self.guard(self._paint_queue, asked=False)

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        self.query_one("#review", Rows).focus()

    async def _paint_queue(self) -> None:
        cards, count = await self.desk.appeals.page(self._sieve, SHOWN)
        self._cards = {card.id: card for card in cards}
        title = f"{tr('На рассмотрении')}: {count}"
        if self._named:
            title += f" · {tr('отбор')}: {self._named}"
        self.query_one("#review-title", Line).say(title, tr("Esc — журнал"))
        names = self.desk.appeals.names()
        rows = [Row(card.id, self._cells(card, names), mark=_mark(card)) for card in cards]
        self.query_one("#review", Rows).show(rows, keep=True)
        self._describe()

    def _cells(self, card: Card, names: Mapping[int, str]) -> tuple[str, ...]:
        return review_cells(card, self.desk.catalogue, names, self.desk.promises.zone)

    def _describe(self) -> None:
        card = self.current_card()
        text = appeal_text(card, self.desk.catalogue, self.desk.promises.zone) if card else ""
        self.query_one("#appeal", Static).update(Text(text))
        self._paint_keys()

    def current_card(self) -> Card | None:
        """The appeal under the cursor."""
        row = self.query_one("#review", Rows).current
        return self._cards.get(row.key) if row else None

    def current_appeal(self) -> str:
        card = self.current_card()
        return card.id if card else ""

    def situation(self) -> Situation:
        return replace(super().situation(), row=bool(self.current_appeal()))

    @on(Rows.Moved, "#review")
    def _moved(self) -> None:
        self._describe()

    @on(Rows.Chosen, "#review")
    def _open(self, event: Rows.Chosen) -> None:
        self.guard(lambda: self._look(event.key))

    async def _look(self, card_id: str) -> None:
        await self.desk.card.edit(card_id)
        self.app.switch_mode("work")

    def action_home(self) -> None:
        """Back to the journal; a filter is put away first."""
        if self._named:
            self._sift(QUEUE, "")
        else:
            self.app.switch_mode("journal")

    @handles("review.approve")
    async def approve(self) -> None:
        """«Утвердить»: the result, or the new date of an extension."""
        card = self.current_card()
        if card is None:
            raise Refusal(Code.NO_ROW_CHOSEN)
        await self.desk.appeals.move(card.id, Act.APPROVE)
        number = card.value("number")
        if card.review == CORRECTION:
            self.desk.notice(tr("Обращение {number} исправлено.").format(number=number))
            return
        if card.review == EXTENSION:
            until = day(str(card.value("new_date")))
            self.desk.notice(tr("Срок обращения {number} продлён до {day}.").format(number=number, day=until))
        else:
            self.desk.notice(tr("Обращение {number} утверждено и закрыто.").format(number=number))

    @handles("review.return")
    def give_back(self) -> None:
        """«Вернуть с замечанием»; for an extension: refuse it."""
        card = self.current_card()
        if card is None:
            raise Refusal(Code.NO_ROW_CHOSEN)
        title = tr("Отказать в продлении") if card.review == EXTENSION else tr("Вернуть с замечанием")
        find = offering(self.desk.reference.reasons("return"))
        of = FormOf("return", card.id)
        ask = AskScreen(f"{title}: {card.value('number')}", tr("Замечание, затем Enter"), find, of=of)

        def returned(remark: str | None) -> None:
            if remark:
                self.guard(lambda: self.desk.begun.sent(of, lambda: self._return(card.id, remark)))

        self.app.push_screen(ask, returned)

    async def _return(self, card_id: str, remark: str) -> None:
        card = await self.desk.appeals.move(card_id, Act.RETURN, remark=remark)
        self.desk.notice(tr("Обращение {number} возвращено с замечанием.").format(number=card.value("number")))

    @handles("review.sift")
    async def sift(self) -> None:
        """«Отбор»: the queue by result, theme or the one who closed."""
        _, asked = await self.desk.appeals.page(CORRECTIONS, 1)
        rows: list[Row] = [Row("all", ("", tr("Вся очередь"))), Row("asked", (str(asked), tr("Просят исправить")))]
        for by, title in _BY.items():
            for heap in await self.desk.appeals.heaps(QUEUE, by):
                words = self.desk.appeals.heap_words(by, heap.value)
                rows.append(Row(f"{by}:{heap.value}", (str(heap.count), f"{tr(title)}: {words}")))

        def find(text: str) -> list[Row]:
            words = text.casefold().split()
            return [row for row in rows if all(word in row.cells[1].casefold() for word in words)]

        ask = AskScreen(tr("Отбор очереди"), tr("Слова: результат, тематика, работник"), find)
        self.app.push_screen(ask, self._sifted)

    def _sifted(self, key: str | None) -> None:
        if key == "all":
            self._sift(QUEUE, "")
        elif key == "asked":
            self._sift(CORRECTIONS, tr("просят исправить"))
        elif key:
            by, _, value = key.partition(":")
            sieve = msgspec.structs.replace(QUEUE, **{by: int(value) if by == "closer" else value})
            self._sift(sieve, f"{tr(_BY[by])}: {self.desk.appeals.heap_words(by, value)}")

    def _sift(self, sieve: Sieve, named: str) -> None:
        self._sieve, self._named = sieve, named
        self.guard(self._paint_queue)

    @handles("review.approve_all")
    async def approve_all(self) -> None:
        """Approve all of the filter, after a look at a sample of it."""
        sieve = self._sieve
        cards, heap = await self.desk.appeals.sample(sieve, SAMPLE)
        if not cards:
            raise Refusal(Code.NO_ROW_CHOSEN)
        names = self.desk.appeals.names()
        rows = [Row(card.id, self._cells(card, names), mark=_mark(card)) for card in cards]
        title = tr("Утвердить весь отбор: {count}. Выборка: {shown}").format(count=len(heap), shown=len(rows))
        texts = {card.id: appeal_text(card, self.desk.catalogue, self.desk.promises.zone) for card in cards}

        def looked(agreed: bool | None) -> None:
            if agreed:
                self.guard(lambda: self._approve_all(sieve, heap))

        self.app.push_screen(SampleScreen(title, rows, texts), looked)

    async def _approve_all(self, sieve: Sieve, heap: Collection[str]) -> None:
        moved, refused = await self.desk.appeals.approve_all(sieve, heap)
        text = tr("Утверждено: {count}.").format(count=moved)
        if refused:
            text += " " + tr("Осталось в очереди: {count} (свои закрытия утверждает другой).").format(count=refused)
        self.desk.notice(text, urgent=bool(refused))


class SampleScreen(ModalScreen[bool | None]):
    """Some appeals of a group, chosen by chance, to look at before the whole group is approved."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", show=False),
        Binding("f5", "dismiss(True)", show=False),
    ]

    def __init__(self, title: str, rows: list[Row], texts: dict[str, str]) -> None:
        super().__init__()
        self._title = title
        self._sample = rows
        self._texts = texts

    def compose(self) -> ComposeResult:
        yield Line(self._title, tr("Esc — назад"), classes="heading")
        yield Rows((Column(12), Column(16), Column(4), Column(5), Column()), id="sample")
        yield VerticalScroll(Static("", id="sampled", markup=False), can_focus=False)
        yield Line(tr("F5 — утвердить весь отбор"), classes="heading")

    def on_mount(self) -> None:
        rows = self.query_one(Rows)
        rows.show(self._sample)
        rows.focus()
        self._moved()

    @on(Rows.Moved)
    def _moved(self) -> None:
        row = self.query_one(Rows).current
        self.query_one("#sampled", Static).update(Text(self._texts.get(row.key, "") if row else ""))


def _mark(card: Card) -> str:
    return tr("П") if card.review == EXTENSION else " "
