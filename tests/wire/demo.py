"""A small desk for the wire tests: text field, search line with hits, table, list, a second screen.

Started as a program: `python -m tests.wire.demo`. OPERATOR_TUI_DRIVER chooses the driver, OPERATOR_TUI_TERMINAL_PROFILE
the profile, DEMO_THEME the theme, DEMO_FIELDS=stock Textual as it comes (its own fields and application), DEMO_BLINK=1
their blinking, DEMO_TOLD a file that F12 makes: all keys before it have been taken and painted.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from operator_tui.terminal import choose, driver_class, prepare_environment

PROFILE = choose(os.environ.get("OPERATOR_TUI_TERMINAL_PROFILE", "lan"))
prepare_environment(PROFILE)

from textual.app import App, ComposeResult  # noqa: E402  # the environment comes first
from textual.containers import Horizontal, Vertical  # noqa: E402
from textual.screen import Screen  # noqa: E402
from textual.widgets import DataTable, Footer, Input, Label, OptionList, Static, TextArea  # noqa: E402

from operator_tui.typeahead import KeysInOrder  # noqa: E402
from widgets.lean import LeanInput, LeanTextArea  # noqa: E402

AS_IT_COMES = os.environ.get("DEMO_FIELDS") == "stock"
FIELD: type[Input] = Input if AS_IT_COMES else LeanInput
AREA: type[TextArea] = TextArea if AS_IT_COMES else LeanTextArea
# As on the desk: else a letter behind Home is in its field before Home has come to its binding.
APPLICATION: type[App[int]] = App if AS_IT_COMES else KeysInOrder

PEOPLE = [
    ("Иванова Мария Петровна", "12.03.1961", "9054881200914412", "Альфа-Страх", "действует"),
    ("Иванов Пётр Сергеевич", "02.11.1978", "9050121233445566", "Согаз-Мед", "действует"),
    ("Иваненко Олег Ильич", "30.06.1990", "9052991266778899", "Капитал МС", "закрыт"),
    ("Смирнов Андрей Викторович", "15.08.1985", "9051001122334455", "Альфа-Страх", "действует"),
    ("Смирнова Анна Викторовна", "21.01.1992", "9053002233445566", "Согаз-Мед", "действует"),
]
ANSWER = "Вы имеете право выбрать медицинскую организацию один раз в год, не чаще. " * 6


class Journal(Screen[None]):
    """A main screen of its own: a table of sixty appeals."""

    # By itself the table takes as much as the screen: what stands above it is then scrolled away, or not, as it comes.
    CSS = "DataTable { height: 1fr; }"
    BINDINGS = [("f2", "app.pop_screen", "Карточка")]  # noqa: RUF012  # as Textual declares it

    def compose(self) -> ComposeResult:
        yield Label("ЭЛЕКТРОННЫЙ ЖУРНАЛ ОБРАЩЕНИЙ")
        table: DataTable[str] = DataTable(cursor_type="row")
        table.add_columns("№", "Дата", "Заявитель", "Тема", "Статус")
        for number in range(60):
            status = "В работе" if number % 4 else "Отсроченный ответ"
            person = PEOPLE[number % 5][0]
            table.add_row(str(1000 + number), "12.03.2026", person, "Выбор МО", status)
        yield table
        yield Footer()


class Demo(APPLICATION):  # type: ignore[misc, valid-type]  # chosen at the start
    """The card with its search line."""

    ENABLE_COMMAND_PALETTE = False
    CSS = """
    #top { height: 1; }
    #card { width: 1fr; }
    #menu { width: 24; }
    #hits { height: 7; }
    #comment { height: 4; }
    """ + (
        ""
        if AS_IT_COMES
        else """
    Input, Input:focus { height: 1; border: none; padding: 0; }
    TextArea, TextArea:focus { border: none; padding: 0; }
    OptionList, OptionList:focus { height: auto; border: none; }
    """
    )
    BINDINGS = [  # noqa: RUF012  # as Textual declares it
        ("f2", "push_screen('journal')", "Журнал"),
        ("f5", "focus('search')", "Поиск"),
        ("f6", "focus('comment')", "Текст"),
        ("f3", "focus('menu')", "Меню"),
        ("f8", "state", "Линия"),
        ("ctrl+a", "said('ctrl+a')", ""),
        ("alt+m", "said('alt+m')", ""),
        ("f9", "fail", ""),
        ("f12", "tell", ""),
        ("f10", "quit", "Выход"),
    ]
    SCREENS = {"journal": Journal}  # noqa: RUF012  # as Textual declares it

    def compose(self) -> ComposeResult:
        yield Static("Оператор 12 | линия: свободна | не отправлено 0", id="top")
        with Horizontal():
            with Vertical(id="card"):
                yield FIELD(placeholder="Фамилия Имя Отчество", id="name")
                yield FIELD(placeholder="Поиск по реестру", id="search")
                yield DataTable(id="hits", cursor_type="row")
                yield AREA(id="comment")
                yield Static(ANSWER)
            yield OptionList("Обращение", "Реестр ЗЛ", "Журнал", "Отсроченные", "Справочник", id="menu")
        yield Footer()

    def on_mount(self) -> None:
        self.theme = os.environ.get("DEMO_THEME", "textual-dark")
        self.query_one("#hits", DataTable).add_columns("ФИО", "Рождён", "ЕНП", "СМО", "Полис")
        self.show_hits("")
        for field in (*self.query(Input), *self.query(TextArea)):
            # A stock field would blink: 74 kB a minute, and never a quiet line to count a letter on.
            field.cursor_blink = "DEMO_BLINK" in os.environ
        self.query_one("#name").focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        if event.input.id == "search":
            self.show_hits(event.value.lower())

    def show_hits(self, text: str) -> None:
        table = self.query_one("#hits", DataTable)
        table.clear()
        for person in PEOPLE:
            if text in person[0].lower():
                table.add_row(*person)

    def on_lean_input_lines_left_out(self, event: LeanInput.LinesLeftOut) -> None:
        self.action_said(f"лишние строки: {len(event.dropped)}")

    def action_said(self, what: str) -> None:
        self.query_one("#top", Static).update(f"Нажато: {what}")

    def action_tell(self) -> None:
        # A list that follows its cursor is painted one refresh later than the row.
        self.call_after_refresh(self.call_after_refresh, Path(os.environ["DEMO_TOLD"]).touch)

    def action_fail(self) -> None:
        raise RuntimeError("нарочно")

    def action_state(self) -> None:
        self.query_one("#top", Static).update("Оператор 12 | линия: разговор | не отправлено 3")


if __name__ == "__main__":
    demo = Demo(driver_class=driver_class(PROFILE))
    demo.run()
    sys.exit(demo.return_code)
