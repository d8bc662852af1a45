"""The typical answer beside the card: plain sentences to read out, what to ask first, where to hand on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from operator_tui.i18n import tr
from widgets.line import Line


@dataclass(frozen=True)
class AnswerText:
    """An answer ready to be read out. ``place`` is «1 из 3»."""

    title: str
    place: str
    ask: str
    say: Sequence[str]
    then: str
    basis: str
    to: Sequence[str] = ()  # whom to hand on to, one a line


class AnswerView(VerticalScroll, can_focus=True):
    """Shows one answer; the keys to the next one belong to the screen."""

    DEFAULT_CSS = """
    AnswerView > Static { height: auto; width: 1fr; }
    """

    def __init__(self, empty: str, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._empty = empty
        self._shown: AnswerText | None = None

    def compose(self) -> ComposeResult:
        yield Line(self._empty, id="answer-title")
        yield Static("", id="answer-text", markup=False)

    def show(self, answer: AnswerText | None) -> None:
        """Show an answer, or the hint when there is none."""
        if answer == self._shown:
            return
        self._shown = answer
        title, text = self.query_one("#answer-title", Line), self.query_one("#answer-text", Static)
        if answer is None:
            title.say(self._empty)
            text.update("")
            return
        title.say(answer.title, f" {answer.place}")
        body = Text()
        if answer.ask:
            body.append(tr("Уточните: {ask}").format(ask=answer.ask) + "\n", style="italic")
        for phrase in answer.say:
            body.append(f"- {phrase}\n")
        if answer.then:
            body.append(tr("Дальше: {then}").format(then=answer.then) + "\n", style="italic")
        if answer.basis:
            body.append(tr("Основание: {basis}").format(basis=answer.basis) + "\n", style="dim")
        if answer.to:
            body.append(tr("Операторы 2-го уровня: F7 — Перевести") + "\n")
            body.append("\n".join(answer.to))
        text.update(body)
        self.scroll_home(animate=False)
