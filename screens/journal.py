"""The home screen: the electronic journal of active appeals (K-3.2, K-4.2)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import msgspec
from textual import on

from operator_tui.appeals.begun import FormOf
from operator_tui.appeals.card import STATUS_TITLES, Card, Status
from operator_tui.appeals.correction import CORRECTION
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.report import By
from operator_tui.appeals.rights import Right, demand
from operator_tui.desk.state import Topic
from operator_tui.i18n import tr
from operator_tui.journal.sieve import Order, Sieve
from operator_tui.signin.people import SeatOfPerson
from screens.ask import NUMBER_OR_WORD, AskScreen, numbered
from screens.base import DeskScreen, handles
from screens.form import Asked, FormScreen, Values
from screens.words import appeal_cells, local_time, urgency
from widgets.lean import LeanInput
from widgets.line import Line
from widgets.rows import Column, Row, Rows

PAGE = 200
# What was scrolled through is read again when something changes, but no more than this.
MOST_READ_AGAIN = 1000
_NEAR_END = 60
_AT_ONCE = 50
MOST_FOUND = 50  # by words in appeals of every status; who sees so many had better say more


class JournalScreen(DeskScreen):
    """Active appeals, newest first, or what a filter lets through; Enter opens one for editing."""

    name_in_commands: ClassVar[str] = "journal"

    def __init__(self) -> None:
        super().__init__()
        self._sieve = Sieve()
        self._named = ""
        self._total = 0
        self._cut = False  # more was found than is shown
        self._reading = False

    def body(self) -> Iterator[Any]:
        yield Line("", id="journal-title", classes="heading")
        yield LeanInput(placeholder=tr("Поиск по журналу: номер, ФИО, телефон, слова"), id="journal-search")
        columns = (Column(12), Column(11), Column(17, more=16), Column(), Column(17), Column(6, right=True))
        yield Rows(columns, id="journal", empty=tr("Журнал открывается…"))

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#journal-search").display = False
        self.query_one("#journal", Rows).focus()

    def desk_changed(self, topic: Topic) -> None:
        super().desk_changed(topic)
        if topic is Topic.JOURNAL and self.desk.state.ready and self.is_current:
            self.guard(self._paint_journal, asked=False)

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        self.query_one("#journal", Rows).focus()

    @property
    def _rows(self) -> Rows:
        return self.query_one("#journal", Rows)

    async def _paint_journal(self) -> None:
        text = self.query_one("#journal-search", LeanInput).value.strip()
        if text and self._sieve == Sieve():
            found = await self.desk.find_appeals(text, MOST_FOUND + 1)
            cards, self._cut = found[:MOST_FOUND], len(found) > MOST_FOUND
            self._total = len(cards)
        else:
            self._cut = False
            wanted = min(max(PAGE, len(self._rows.rows)), MOST_READ_AGAIN)
            cards, self._total = await self.desk.appeals.page(self.shown_sieve(), wanted)
        self._paint_title()
        empty = tr("Ничего не найдено") if text or self._named else tr("Активных обращений нет")
        self._rows.show([self._row(card) for card in cards], keep=True, empty=empty)

    def _paint_title(self) -> None:
        counts = self.desk.state.counts
        parts = [f"{tr(title)}: {counts[status]}" for status, title in STATUS_TITLES.items() if counts.get(status)]
        if self._named:
            parts = [f"{tr('отбор')} «{self._named}»: {self._total}", *parts]
        parts = [*(self._elsewhere(seat) for seat in self.desk.state.elsewhere if seat.unsent != 0), *parts]
        if self._cut:
            parts.insert(0, tr("показаны первые {count}: уточните слова").format(count=MOST_FOUND))
        if fresh := len(self.desk.state.fresh):
            parts.insert(0, f"{tr('Новых у вас')}: {fresh}")
        if returned := self.desk.state.returned:
            parts.insert(0, f"{tr('Вернулось')}: {returned}")
        self.query_one("#journal-title", Line).say(" · ".join([tr("Электронный журнал"), *parts]))

    @staticmethod
    def _elsewhere(seat: SeatOfPerson) -> str:
        """Work of his that waits at another workstation: it goes when he signs in there."""
        unsent = tr("неизвестно сколько") if seat.unsent is None else seat.unsent
        return tr("НЕ ОТПРАВЛЕНО на месте {number}: {unsent}").format(number=seat.number, unsent=unsent)

    def _row(self, card: Card) -> Row:
        zone = self.desk.state.operator.zone if self.desk.state.operator else "Europe/Moscow"
        now_ms = self.desk.clock.now_ms()
        sign = urgency(card, self.desk.catalogue, now_ms, zone)
        cells = appeal_cells(card, self.desk.catalogue, zone, now_ms)
        return Row(card.id, cells, mark=sign, urgent=sign == "!")

    @on(Rows.Moved, "#journal")
    def _moved(self) -> None:
        """Near the end of what was read the next page is read: a hundred thousand rows are never held at once."""
        rows = self._rows
        read = len(rows.rows)
        if rows.chosen >= read - _NEAR_END and read < self._total and not self._reading:
            self._reading = True
            self.desk.background(self._read_on(read))  # not this key's act: the next one does not wait for it

    async def _read_on(self, offset: int) -> None:
        try:
            cards = await self.desk.appeals.more(self.shown_sieve(), PAGE, offset)
            rows: list[Row] = []
            for first in range(0, len(cards), _AT_ONCE):
                # The next key is looked at between a few rows and the next few; the scroll bar is painted once.
                await asyncio.sleep(0)
                rows += [self._row(card) for card in cards[first : first + _AT_ONCE]]
            if len(self._rows.rows) == offset:
                self._rows.append(rows)
        finally:
            self._reading = False

    def current_appeal(self) -> str:
        row = self._rows.current
        return row.key if row is not None else ""

    def situation(self) -> Any:
        return self.desk.situation(screen=self.name_in_commands, row=bool(self.current_appeal()))

    @on(Rows.Chosen, "#journal")
    def _open_row(self, event: Rows.Chosen) -> None:
        self.guard(lambda: self._edit(event.key))

    @on(LeanInput.Changed, "#journal-search")
    def _search(self) -> None:
        self.guard(self._paint_journal)

    @on(LeanInput.Submitted, "#journal-search")
    def _to_rows(self) -> None:
        self._rows.focus()

    async def _edit(self, card_id: str) -> None:
        await self.desk.card.edit(card_id)
        self.app.switch_mode("work")

    @handles("card.edit")
    async def edit(self) -> None:
        """«Редактирование» of the row under the cursor."""
        row = self._rows.current
        if row is not None:
            await self._edit(row.key)

    @handles("journal.search")
    def search(self) -> None:
        """Open the journal's search line, or close it and show all again."""
        line = self.query_one("#journal-search", LeanInput)
        # An empty line that stands there is to be typed into, not to be put away.
        line.display = not line.display or not (line.value or line.has_focus)
        if line.display:
            line.focus()
        else:
            line.value = ""
            self._rows.focus()

    # filters

    @handles("journal.sift")
    async def sift(self) -> None:
        """«Отбор»: one of the ready filters, or one kept by name."""
        filters = {**self._ready_filters(), **await self.desk.appeals.sieves()}
        rows = [Row(name, (name,)) for name in filters]

        def find(text: str) -> list[Row]:
            return [row for row in rows if text.casefold() in row.key.casefold()]

        def chosen(name: str | None) -> None:
            if name:
                self._sift(filters[name], "" if filters[name] == Sieve() else name)

        self.app.push_screen(AskScreen(tr("Отбор"), tr("Название отбора"), find), chosen)

    def _ready_filters(self) -> dict[str, Sieve]:
        operator = self.desk.state.operator
        user = operator.user if operator else 0
        own = Sieve(statuses=(Status.IN_WORK, Status.DEFERRED), worker=user, order=Order.DUE)
        return {
            tr("Все активные"): Sieve(),
            tr("Мои: в работе и отсроченные"): own,
            tr("По сроку: ближайшие первыми"): Sieve(order=Order.DUE),
            tr("Ещё никем не взятые"): Sieve(unclaimed=True),
            tr("Моих групп"): Sieve(unclaimed=True, groups=operator.groups if operator else ()),
            tr("Сообщить заявителю"): Sieve(owed=True, worker=user),
            tr("Просят исправить"): Sieve(review=CORRECTION),
            tr("Передано в другие организации"): Sieve(sent=True),
            **{tr(title): Sieve(statuses=(status,)) for status, title in STATUS_TITLES.items()},
        }

    def _sift(self, sieve: Sieve, named: str) -> None:
        self._sieve, self._named = sieve, named
        self.query_one("#journal-search", LeanInput).value = ""
        self._rows.show(())
        self.guard(self._paint_journal)

    @handles("journal.keep_sieve")
    def keep_sieve(self) -> None:
        """Keep the filter, together with the words that are searched for, under a name."""
        sieve = self.shown_sieve()
        if sieve == Sieve():
            raise Refusal(Code.FIELD_REQUIRED, field=tr("Отбор"))

        def named(name: str | None) -> None:
            if name:
                self.guard(lambda: self._keep(name, sieve))

        self.app.push_screen(AskScreen(tr("Сохранить отбор"), tr("Название, затем Enter")), named)

    # reports

    def shown_sieve(self) -> Sieve:
        """What the list shows: words are looked for among appeals of every status, or within the filter."""
        text = self.query_one("#journal-search", LeanInput).value.strip()
        if not text:
            return self._sieve
        return msgspec.structs.replace(
            self._sieve, text=text, any_status=self._sieve == Sieve() or self._sieve.any_status
        )

    @handles("journal.export")
    def export(self) -> None:
        """The list that is shown, as CSV or XLSX, with its purpose."""
        role = self.desk.situation(screen="").role
        demand(role, Right.EXPORT)
        stamp = local_time(self.desk.clock.now_ms(), self.desk.promises.zone, "%Y-%m-%d-%H%M")
        offered = self.desk.export.folder() / f"journal-{stamp}.xlsx"
        lines = [
            Asked("path", tr("Файл (xlsx или csv)"), str(offered), required=True, passing=True),
            Asked("reason", tr("Цель выгрузки"), required=True),
        ]

        of = FormOf("export")

        def done(values: Values | None) -> None:
            if values is not None:
                path, reason = Path(values["path"]), values["reason"]
                self.guard(lambda: self.desk.begun.sent(of, lambda: self._export(path, reason)))

        self.app.push_screen(FormScreen(tr("Выгрузить показанный отбор"), lines, of=of), done)

    async def _export(self, path: Path, purpose: str) -> None:
        count = await self.desk.export.write(self.shown_sieve(), path, purpose)
        self.desk.notice(tr("Выгружено обращений: {count}. Файл {path}.").format(count=count, path=path))

    @handles("journal.counts")
    def count_appeals(self) -> None:
        """Counts of what is shown: by type, theme, clinic, insurer, row of the form, justified or not."""
        kinds = numbered([(by.name, by.value) for by in By])

        def chosen(name: str | None) -> None:
            if name:
                self.guard(lambda: self._count(By[name]))

        self.app.push_screen(AskScreen(tr("Сводка по отбору: считать по"), tr(NUMBER_OR_WORD), kinds), chosen)

    async def _count(self, by: By) -> None:
        found = await self.desk.export.counts(self.shown_sieve(), by)
        rows = [
            Row(
                str(place),
                (str(oral + letters), f"{value or '—'} ({tr('устных')} {oral}, {tr('письменных')} {letters})"),
            )
            for place, (value, oral, letters) in enumerate(found)
        ]
        total = sum(oral + letters for _, oral, letters in found)
        title = tr("Сводка: {by}, всего {total}").format(by=by.value, total=total)
        self.app.push_screen(AskScreen(title, tr("Esc — назад"), lambda text: rows))

    async def _keep(self, name: str, sieve: Sieve) -> None:
        await self.desk.appeals.keep_sieve(name, sieve)
        self.desk.notice(tr("Отбор «{name}» сохранён.").format(name=name))
        self._sift(sieve, name)
