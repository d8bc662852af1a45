"""The peer of bench.journal: appeals in Textual's own DataTable, as one would build it, and a second screen."""

from __future__ import annotations

import os
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import DataTable, Static

ROWS = int(os.environ.get("BENCH_JOURNAL_ROWS", "1000"))
_COLUMNS = ("Номер", "Дата", "ФИО", "Тематика", "Статус", "Срок")


class Table(Screen[None]):
    """All rows in one table."""

    def compose(self) -> ComposeResult:
        yield DataTable(cursor_type="row")

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        table.add_columns(*_COLUMNS)
        rows = ((f"99-{ROWS - n:06d}-0", "21.11 10:15", "Пробнов П. П.", "Потерян полис", "В работе", "30 дн")
                for n in range(ROWS))  # fmt: skip
        table.add_rows(rows)
        table.focus()


class Card(Screen[None]):
    """Somewhere else to come from."""

    def compose(self) -> ComposeResult:
        yield Static("КАРТА")


class Peer(App[None]):
    """Two kept screens, as the desk has."""

    MODES = {"table": Table, "card": Card}  # noqa: RUF012  # Textual's own form
    DEFAULT_MODE = "table"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f2", "other", priority=True)]

    def action_other(self) -> None:
        """From one screen to the other."""
        self.switch_mode("card" if self.current_mode == "table" else "table")


if __name__ == "__main__":
    Peer().run()
