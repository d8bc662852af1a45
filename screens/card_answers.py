"""Themes and typical answers on the work screen (K-5.1.4, K-5.1.5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from textual import on

from operator_tui.appeals.catalogue import AppealType, Theme
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.people import short_name
from operator_tui.appeals.presence import TITLES as PRESENCE_TITLES
from operator_tui.appeals.presence import State
from operator_tui.desk.state import CardAtHand
from operator_tui.i18n import tr
from screens.ask import AskScreen
from screens.base import handles
from screens.card_steps import CardSteps
from widgets.answer_view import AnswerText, AnswerView
from widgets.card_form import CardForm
from widgets.person_search import PersonSearch
from widgets.rows import Row, Rows

if TYPE_CHECKING:
    from operator_tui.answers.scripts import Script
    from operator_tui.colleagues.directory import Colleague

THEMES_SHOWN = 8
# One letter finds nothing but a theme's code, and «нет такой тематики» would be wrong.
LEAST_LETTERS = 2
_NUMBERED = {str(place): type_ for place, type_ in enumerate(AppealType, 1)}


def _theme_rows(themes: Sequence[Theme]) -> list[Row]:
    return [Row(theme.code, (theme.type.value, theme.title)) for theme in themes]


class AnswerSteps(CardSteps):
    """What the theme line, the answer beside the card and their commands do."""

    def __init__(self) -> None:
        super().__init__()
        self._scripts: list[Script] = []
        self._of_type: AppealType | None = None  # the cascade: a type was chosen, its themes are listed

    def paint_answer(self, card: CardAtHand | None) -> None:
        """Paint the answer that stands beside the card."""
        self._scripts = self.desk.scripts.at_hand() if card is not None else []
        place = next((i for i, s in enumerate(self._scripts) if card and s.id == card.script), 0)
        view = self.query_one(AnswerView)
        if not self._scripts:
            view.show(None)
            return
        script = self._scripts[place]
        values = self.desk.scripts.values()
        from operator_tui.answers.scripts import fill

        view.show(
            AnswerText(
                title=f"{script.id} {script.title}",
                place=f"{place + 1}/{len(self._scripts)}",
                ask="; ".join(script.ask),
                say=fill(script, values),
                then=script.next,
                basis=script.basis,
                to=self._recommended(),
            )
        )

    def _recommended(self) -> tuple[str, ...]:
        """At the end of every answer, whom of level 2 to give the appeal to, by its theme (K-5.1.5.4)."""
        found = self.desk.scripts.recommended()
        if self.is_current:
            self.desk.colleagues.watch(one.extension for one in found)
        return tuple(self._colleague_line(one) for one in found)

    def _colleague_line(self, one: Colleague) -> str:
        known = self.desk.colleagues.state(one.extension)
        state = tr(PRESENCE_TITLES[State(known)]) if known in set(State) else ""
        return " · ".join(filter(None, (f"{one.extension} {short_name(one.name)}", state)))

    @on(CardForm.ThemeTyped)
    def _theme_typed(self, event: CardForm.ThemeTyped) -> None:
        form, text = self.query_one(CardForm), event.text.strip()
        if self._types_open and text in _NUMBERED:
            self._open_type(_NUMBERED[text])
        elif len(text) >= LEAST_LETTERS:
            found = [one for one in self.desk.search_themes(text) if self._of_type in (None, one.type)]
            form.open_themes(_theme_rows(found[:THEMES_SHOWN]))
        elif self._of_type is not None:
            form.open_themes(_theme_rows(self.desk.catalogue.themes_of(self._of_type)))
        else:
            form.themes.remove_class("-open")

    @on(Rows.Chosen, "#themes")
    def _theme_chosen(self, event: Rows.Chosen) -> None:
        if event.key in set(AppealType):
            self._open_type(AppealType(event.key))
        else:
            self.guard(lambda: self._choose_theme(event.key))

    def _open_type(self, type_: AppealType) -> None:
        """The themes of a type; letters narrow them."""
        self._of_type = type_
        form = self.query_one(CardForm)
        form.theme.show("")
        form.open_themes(_theme_rows(self.desk.catalogue.themes_of(type_)))

    async def _choose_theme(self, code: str) -> None:
        self._of_type = None
        if self.desk.state.card is None:
            await self.desk.card.open()
        self.desk.card.choose_theme(self.desk.catalogue.theme(code))
        self.query_one(CardForm).close_themes()
        self.query_one(CardForm).comment.focus()

    def on_key(self, event: Any) -> None:
        """The arrows move in the list of themes while the cursor stays in the theme line."""
        form = self.query_one(CardForm)
        if event.key in ("down", "up") and form.theme.input.has_focus and form.themes.has_class("-open"):
            event.stop()
            event.prevent_default()
            form.themes.action_move(1 if event.key == "down" else -1)

    @handles("answers.theme")
    def theme(self) -> None:
        """F6: to the theme line, which searches all themes; once more: a type first, then its themes (K-5.1.4.3)."""
        self.query_one(PersonSearch).fold()
        form = self.query_one(CardForm)
        again, self._of_type = form.theme.input.has_focus, None
        self.go(form.theme.input)
        if again:
            form.theme.show("")
            form.open_themes([Row(type_.value, (place, type_.value)) for place, type_ in _NUMBERED.items()])

    @property
    def _types_open(self) -> bool:
        themes = self.query_one(CardForm).themes
        return themes.has_class("-open") and bool(themes.rows) and themes.rows[0].key in set(AppealType)

    @handles("answers.search")
    def search_scripts(self) -> None:
        """Any typical answer by keywords (K-5.1.5.3)."""
        ask = AskScreen(tr("Поиск по типовым сценариям ответа"), tr("Ключевые слова"), self._find_scripts)
        self.app.push_screen(ask, self._show_script)

    def _find_scripts(self, text: str) -> list[Row]:
        scripts = self.desk.search_scripts(text) if text.strip() else self._scripts
        return [Row(script.id, (script.id, script.title)) for script in scripts]

    def _show_script(self, script_id: str | None) -> None:
        if script_id:
            self.guard(lambda: self.desk.scripts.show(script_id))

    @handles("answers.next")
    def next_answer(self) -> None:
        """The next typical answer."""
        self._step_answer(1)

    @handles("answers.previous")
    def previous_answer(self) -> None:
        """The typical answer before."""
        self._step_answer(-1)

    def _step_answer(self, step: int) -> None:
        card = self.desk.state.card
        if card is None or not self._scripts:
            raise Refusal(Code.FIELD_REQUIRED, field=tr("Тематика обращения"))
        place = next((i for i, script in enumerate(self._scripts) if script.id == card.script), 0)
        self.desk.scripts.show(self._scripts[(place + step) % len(self._scripts)].id)
