"""Everything the registry has of one person: names, policies, attachments, telephones, who may speak for him."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain, repeat
from textwrap import wrap

from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import ModalScreen

from operator_tui.i18n import tr
from operator_tui.registry.people import Person
from screens.insured_words import facts
from widgets.line import Line
from widgets.rows import Column, Row, Rows

ATTACH, REPORT = "attach", "report"
_LABEL, _MARGIN = 11, 3


def folded(told: Iterable[tuple[str, str]], width: int) -> list[tuple[str, str]]:
    """Texts longer than a line go on below it, without the label: the days of a policy stand at its end."""
    return [
        (label if first else "", line)
        for label, text in told
        for first, line in zip(chain((True,), repeat(False)), wrap(text, max(width, 20)), strict=False)
    ]


class InsuredScreen(ModalScreen[str | None]):
    """Returns what is to be done with the person (ATTACH, REPORT); None when it was only read."""

    BINDINGS = [  # noqa: RUF012  # Textual's own form
        Binding("escape", "dismiss(None)", show=False),
        Binding("f5", f"dismiss('{ATTACH}')", show=False, priority=True),
        Binding("f8", f"dismiss('{REPORT}')", show=False, priority=True),
    ]

    def __init__(self, person: Person) -> None:
        super().__init__()
        self._person = person

    def compose(self) -> ComposeResult:
        yield Line(
            tr("Застрахованный: {name}").format(name=self._person.full_name), tr("Esc — назад"), classes="heading"
        )
        yield Rows((Column(_LABEL), Column()), id="facts")
        yield Line(tr("Enter, F5 — прикрепить · F8 — двойник / ошибка в регистре"), id="facts-keys")

    def on_mount(self) -> None:
        told = folded(facts(self._person), self.app.size.width - _LABEL - _MARGIN)
        self.query_one(Rows).show([Row(str(place), line) for place, line in enumerate(told)])
        self.query_one(Rows).focus()

    def on_about_row(self, event: Rows.AboutRow) -> None:
        event.stop()

    def on_rows_chosen(self, event: Rows.Chosen) -> None:
        event.stop()
        self.dismiss(ATTACH)
