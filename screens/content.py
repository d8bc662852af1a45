"""«Содержание обращения»: a few labelled lines and a text of any length below them; F9 takes all of it over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.app import ComposeResult

from operator_tui.appeals.begun import FormLine, FormOf
from operator_tui.i18n import tr
from screens.form import Asked, FormScreen, Values
from widgets.field import Field
from widgets.lean import LeanTextArea
from widgets.line import Line
from widgets.wrapped import Wrapped

TEXT = "text"


class ContentScreen(FormScreen):
    """A form with one long text, given back under ``text``. A paste of many lines goes in whole."""

    DEFAULT_CSS = """
    ContentScreen LeanTextArea { height: 1fr; border: none; padding: 0; }
    """

    def __init__(self, title: str, asked: Sequence[Asked], text: str, *, of: FormOf | None = None) -> None:
        super().__init__(title, asked, of=of)
        self._text = text

    def compose(self) -> ComposeResult:
        yield Line(self._title, tr("F9 — принять, Esc — назад"), classes="heading")
        yield self.begun_line()
        for one in self._asked.values():
            yield Field(f"form-{one.name}", one.label, placeholder=one.hint)
        yield Line(tr("Содержание обращения"), classes="heading")
        yield LeanTextArea(self._text, id="content", soft_wrap=True, tab_behavior="focus", show_line_numbers=False)
        yield Wrapped(id="form-hint")

    def form_lines(self) -> Sequence[FormLine]:
        return [*super().form_lines(), FormLine(TEXT, tr("Содержание обращения"))]

    def form_values(self) -> Mapping[str, str]:
        return {**super().form_values(), TEXT: self._area.text}

    def lay(self, values: Mapping[str, str]) -> None:
        super().lay(values)
        if TEXT in values:
            self._area.text = values[TEXT]
            self._area.move_cursor(self._area.document.end)

    def _begin(self) -> LeanTextArea:
        return self._area

    @property
    def _area(self) -> LeanTextArea:
        return self.query_one("#content", LeanTextArea)

    def action_step(self, step: int) -> None:
        """To the next line; in the text the arrows move its cursor, and out of it above its first line."""
        area = self._area
        if not area.has_focus:
            last = list(self._asked)[-1]
            if step > 0 and self._field(last).input.has_focus:
                area.focus()
            else:
                super().action_step(step)
        elif step < 0 and area.cursor_at_first_line:
            self._field(list(self._asked)[-1]).input.focus()
        elif step > 0:
            area.action_cursor_down()
        else:
            area.action_cursor_up()

    def _values(self) -> Values:
        return {**super()._values(), TEXT: self._area.text.strip()}
