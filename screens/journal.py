"""The home screen: the electronic journal of active appeals (K-3.2, K-4.2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from textual import on

from operator_tui.appeals.card import STATUS_TITLES, Card
from operator_tui.desk.state import Topic
from operator_tui.i18n import tr
from screens.base import DeskScreen, handles
from screens.words import appeal_cells
from widgets.lean import LeanInput
from widgets.line import Line
from widgets.rows import Column, Row, Rows


class JournalScreen(DeskScreen):
    """Active appeals, newest first; Enter opens one for editing."""

    name_in_commands: ClassVar[str] = "journal"

    def body(self) -> Iterator[Any]:
        yield Line("", id="journal-title", classes="heading")
        yield LeanInput(placeholder=tr("Поиск по журналу: номер, ФИО, телефон, слова"), id="journal-search")
        columns = (Column(12), Column(11), Column(24), Column(), Column(17), Column(5))
        yield Rows(columns, id="journal", empty=tr("Журнал открывается…"))

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#journal-search").display = False
        self.query_one("#journal", Rows).focus()

    def desk_changed(self, topic: Topic) -> None:
        super().desk_changed(topic)
        if topic is Topic.JOURNAL and self.desk.state.ready and self.is_current:
            self.guard(self._paint_journal)

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        self.query_one("#journal", Rows).focus()

    async def _paint_journal(self) -> None:
        text = self.query_one("#journal-search", LeanInput).value.strip()
        cards = await (self.desk.find_appeals(text) if text else self.desk.active())
        counts = self.desk.state.counts
        parts = [f"{tr(title)}: {counts[status]}" for status, title in STATUS_TITLES.items() if counts.get(status)]
        if returned := self.desk.state.returned:
            parts.append(f"{tr('Вернулось')}: {returned}")
        self.query_one("#journal-title", Line).say(" · ".join([tr("Электронный журнал"), *parts]))
        empty = tr("Ничего не найдено") if text else tr("Активных обращений нет")
        self.query_one("#journal", Rows).show([self._row(card) for card in cards], keep=True, empty=empty)

    def _row(self, card: Card) -> Row:
        zone = self.desk.state.operator.zone if self.desk.state.operator else "Europe/Moscow"
        return Row(card.id, appeal_cells(card, self.desk.catalogue, zone))

    def current_appeal(self) -> str:
        row = self.query_one("#journal", Rows).current
        return row.key if row is not None else ""

    def situation(self) -> Any:
        row = self.query_one("#journal", Rows).current is not None
        return self.desk.situation(screen=self.name_in_commands, row=row)

    @on(Rows.Chosen, "#journal")
    def _open_row(self, event: Rows.Chosen) -> None:
        self.guard(lambda: self._edit(event.key))

    @on(LeanInput.Changed, "#journal-search")
    def _search(self) -> None:
        self.guard(self._paint_journal)

    @on(LeanInput.Submitted, "#journal-search")
    def _to_rows(self) -> None:
        self.query_one("#journal", Rows).focus()

    async def _edit(self, card_id: str) -> None:
        await self.desk.edit(card_id)
        self.app.switch_mode("work")

    @handles("card.edit")
    async def edit(self) -> None:
        """«Редактирование» of the row under the cursor."""
        row = self.query_one("#journal", Rows).current
        if row is not None:
            await self._edit(row.key)

    @handles("journal.search")
    def search(self) -> None:
        """Open the journal's search line, or close it and show all again."""
        line = self.query_one("#journal-search", LeanInput)
        line.display = not line.display
        if line.display:
            line.focus()
        else:
            line.value = ""
            self.query_one("#journal", Rows).focus()
