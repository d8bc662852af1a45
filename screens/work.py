"""The work screen: one call's card, the search in the registry, the answer beside it and the caller's history.

What its parts do stands in card_people.py, card_answers.py and card_closing.py; here they come to one screen.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from textual import on
from textual.containers import Horizontal, Vertical

from operator_tui.appeals.card import Source, asked_with
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.desk.state import CardAtHand, Topic
from operator_tui.i18n import tr
from screens.ask import WORKER_OR_WORDS, AskScreen, by_words
from screens.base import handles
from screens.card_answers import AnswerSteps
from screens.card_closing import ClosingSteps
from screens.card_people import PeopleSteps
from screens.card_words import (
    asked_label,
    card_title,
    hint,
    history_title,
    policy_line,
    result_line,
    shown_value,
    theme_line,
    typed_value,
)
from screens.words import appeal_cells, calls_in_week, phone_words
from widgets.answer_view import AnswerView
from widgets.card_form import PERSONAL, CardForm
from widgets.field import Field
from widgets.lean import LeanInput
from widgets.line import Line
from widgets.person_search import PersonSearch
from widgets.rows import Column, Row, Rows

_MOST_PAINTED = 3


class WorkScreen(PeopleSteps, AnswerSteps, ClosingSteps):
    """Everything of one call on one screen; the focus is always where the next thing is to be done."""

    name_in_commands: ClassVar[str] = "work"

    def __init__(self) -> None:
        super().__init__()
        self._offered_for = ""
        self._came = ""  # the draft of the card that came last
        self._words_before: tuple[str, ...] = ()  # what stood in the search when it did
        self._painted: dict[str, CardAtHand] = {}  # the last cards that were painted, by their drafts

    def body(self) -> Iterator[Any]:
        yield PersonSearch(id="person")
        with Horizontal(id="work"):
            yield CardForm(id="card")
            with Vertical(id="side"):
                yield AnswerView(tr("Типовые сценарии ответов: F6 — тема"), id="answer")
                yield Line(tr("История обращений"), id="history-title", classes="heading")
                columns = (Column(11), Column(), Column(15))
                yield Rows(columns, id="history", empty=tr("Ранее не обращались"))

    def desk_changed(self, topic: Topic) -> None:
        super().desk_changed(topic)
        if topic is Topic.CARD and self.is_current:
            self.paint_card()

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        self._guide()

    def on_resize(self) -> None:
        """A title that had no room, or now has none, is said the other way."""
        if self.is_mounted:
            self.call_after_refresh(self.paint_card)

    def _guide(self) -> None:
        """Put the focus where a card begins, once a card: a key pressed meanwhile has already said where to go."""
        card = self.desk.state.card
        here = card.draft if card else ""
        comes = self._guided_for != here
        if comes or self.focused is None:
            self._guided_for = here
            self.focus_next_step()
            line = self.query_one(PersonSearch).line
            if comes and self.focused is line:
                line.action_select_all()  # it was about somebody before: the next letters are not

    def paint_card(self) -> None:
        card, catalogue = self.desk.state.card, self.desk.catalogue
        form = self.query_one(CardForm)
        if self._offered_for and self._offered_for != (card.draft if card else ""):
            self._offered_for = ""
            self.query_one(PersonSearch).take_back()
        if card is None:
            self._came = ""
            self.query_one(PersonSearch).expect(False)
            form.show(tr("Регистрационная карта: Ins — добавить"), {}, theme="", policy="", result="", edition=None)
            form.set_locked(True)
            self.paint_answer(None)
            self.query_one("#history", Rows).show(())
            return
        search = self.query_one(PersonSearch)
        if self._came != card.draft:
            self._came, self._words_before = card.draft, search.words
            search.expect(self.desk.card.looks_for_people(card))
        self._painted = {**dict(list(self._painted.items())[-_MOST_PAINTED:]), card.draft: card}
        values = {name: shown_value(card, name) for name, _ in PERSONAL}
        values["comment"] = str(card.fields.get("comment", ""))
        wanted = asked_with(str(card.fields.get("result", "")), catalogue) if card.editable else ()
        values |= {name: shown_value(card, name) for name in wanted}
        asked = [(name, asked_label(name), hint(card, name)) for name in wanted]
        room = form.content_size.width
        form.show(
            card_title(card, room), values, theme=theme_line(card, catalogue, room),
            policy=policy_line(card, room), result=result_line(card, catalogue), edition=(card.draft, card.edition),
            asked=asked,
        )  # fmt: skip
        form.set_locked(not card.editable)
        self.paint_answer(card)
        self._paint_history(card)
        self._guide()
        if card.candidates and card.person is None and self._offered_for != card.draft:
            self._offered_for = card.draft
            by_hand = card.saved is not None
            note = tr("Внесено вручную, в реестре есть похожие люди: Enter — прикрепить") if by_hand else tr(
                "По номеру {phone}: Enter — прикрепить"
            ).format(phone=phone_words(str(card.fields.get("phone", ""))))  # fmt: skip
            if search.words == self._words_before:  # else he has begun to search by himself
                search.offer(self.person_rows(card.candidates), note)

    def _paint_history(self, card: CardAtHand) -> None:
        zone = self.desk.state.operator.zone if self.desk.state.operator else "Europe/Moscow"
        rows = []
        for earlier in card.history:
            _, registered, _, theme, status, _ = appeal_cells(earlier, self.desk.catalogue, zone)
            rows.append(Row(earlier.id, (registered, theme, status), mark=self._history_mark(card, earlier.id)))
        self.query_one("#history", Rows).show(rows, keep=True)
        line = self.query_one("#history-title", Line)
        again = calls_in_week(card.history, self.desk.clock.now_ms()) if card.call and card.saved is None else 1
        line.say(*history_title(card, again, line.size.width))

    @staticmethod
    def _history_mark(card: CardAtHand, earlier: str) -> str:
        if earlier in card.fields.get("links", ()):
            return "+"
        return tr("ц") if earlier in card.of_centre else " "

    @on(Field.Typed)
    def _field_typed(self, event: Field.Typed) -> None:
        self._type(event.of, event.field, typed_value(event.field, event.value))

    @on(CardForm.CommentTyped)
    def _comment_typed(self, event: CardForm.CommentTyped) -> None:
        self._type(event.of, "comment", event.text)

    def _type(self, of: str, field: str, value: str) -> None:
        """Into the card it was typed into: a call that is taken by itself may have brought its own meanwhile."""
        asked, now = self._painted.get(of), self.desk.state.card
        if asked is None and now is None:
            return
        if asked is None or (now is not None and now.same_as(asked)):
            self.guard(lambda: self.desk.card.type_field(field, value))
        else:
            self.guard(lambda: self._type_there(asked, field, value))

    async def _type_there(self, asked: CardAtHand, field: str, value: str) -> None:
        await self.desk.card.type_all(asked, {field: value})

    @on(LeanInput.LinesLeftOut)
    def _lines_left_out(self) -> None:
        self.desk.notice(tr("Вставлена только первая строка: остальное поместите в комментарий."), urgent=True)

    @on(Rows.Ticked, "#history")
    def _earlier_ticked(self, event: Rows.Ticked) -> None:
        self.guard(lambda: self.desk.card.tick_earlier(event.key))

    @handles("card.history")
    def to_history(self) -> None:
        """To the caller's earlier appeals."""
        self.go(self.query_one("#history", Rows))

    @handles("card.source")
    def choose_source(self) -> None:
        """How the appeal came: written, by e-mail, in person … (K-4.3, K-5.2.0.3)."""
        card = self.desk.state.card
        if card is None:
            raise Refusal(Code.NO_CARD_OPEN)
        ways = [way for way in self.desk.catalogue.ways.values() if way.offered and way.title != Source.CALL]
        rows = [Row(way.title, (tr("письм.") if way.written else tr("устн."), way.title)) for way in ways]

        def find(text: str) -> list[Row]:
            return [row for row in rows if text.casefold() in row.key.casefold()]

        def chosen(name: str | None) -> None:
            if name:
                self.guard(lambda: self._take_source(name, card))

        self.app.push_screen(AskScreen(tr("Способ поступления"), tr("Слово"), find), chosen)

    def _take_source(self, source: str, asked: CardAtHand) -> None:
        self.desk.card.still(asked)
        self.desk.card.choose_source(source)
        if source == Source.EMAIL:
            # Since 2025-03-30 only ЕПГУ and systems that identify the sender count (law 547-ФЗ).
            self.desk.notice(tr("Письмо по электронной почте не является обращением по закону 59-ФЗ."), urgent=True)

    @handles("card.operator")
    def choose_operator(self) -> None:
        """Whom to hand on to, from those who have worked on appeals here; which organisation, where the result wants
        that."""
        card = self.desk.state.card
        wanted = asked_with(str(card.fields.get("result", "")), self.desk.catalogue) if card is not None else ()
        if card is not None and "organisation" in wanted:
            self._ask_organisation(card)
        else:
            self.guard(self._ask_operator)

    def _ask_organisation(self, card: CardAtHand) -> None:
        """From the administration's list; one that does not stand there is typed."""

        def take(name: str) -> None:
            self.desk.card.still(card)
            self.desk.card.choose_organisation(name)

        def chosen(name: str | None) -> None:
            if name:
                self.guard(lambda: take(name))

        known = [Row(name, (name,)) for name in self.desk.reference.named()]

        def find(text: str) -> list[Row]:
            typed, found = text.strip(), list(by_words(known)(text))
            return [*found, Row(typed, (typed,))] if typed and all(row.key != typed for row in found) else found

        self.app.push_screen(AskScreen(tr("Какая организация"), tr("Слово названия, затем Enter"), find), chosen)

    async def _ask_operator(self) -> None:
        people = await self.desk.appeals.workers()
        rows = [Row(str(user), (str(user), words)) for user, words in people.items()]
        card = self.desk.state.card
        # Who handled an earlier appeal of this person comes first (K-5.1.7.3).
        before = {
            str(earlier.worker): str(earlier.value("number")) for earlier in reversed(card.history if card else ())
        }
        rows = [
            Row(row.key, (row.cells[0], f"{tr('вёл')} {before[row.key]} · {row.cells[1]}"), mark="+")
            if row.key in before
            else row
            for row in sorted(rows, key=lambda row: row.key not in before)
        ]

        ask = AskScreen(tr("Кому передать обращение"), tr(WORKER_OR_WORDS), by_words(rows))

        def take(user: str) -> None:
            if card is not None:
                self.desk.card.still(card)
            self.desk.card.choose_operator(user)

        def chosen(user: str | None) -> None:
            if user:
                self.guard(lambda: take(user))

        self.app.push_screen(ask, chosen)
