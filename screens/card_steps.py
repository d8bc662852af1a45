"""Where the operator goes on: the way through a card that the parts of the work screen share."""

from __future__ import annotations

from typing import Protocol, cast

from textual.widget import Widget

from operator_tui.appeals.card import missing_to_close
from operator_tui.appeals.catalogue import AppealType
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.forms import PREFIX
from operator_tui.i18n import tr
from screens.base import DeskScreen, handles
from widgets.card_form import CardForm
from widgets.person_search import PersonSearch
from widgets.rows import Row


class HasClarify(Protocol):
    """The application, as far as a card's missing fields by type are asked for there."""

    def clarify(self) -> None:
        """Ask for them."""


class CardSteps(DeskScreen):
    """A screen with one card: it knows what comes next on it."""

    def __init__(self) -> None:
        super().__init__()
        self._guided_for: str | None = None

    def paint_card(self) -> None:
        """Paint the card from the desk's state now."""
        raise NotImplementedError

    def go(self, widget: Widget) -> None:
        """The operator says where he goes on. At once: ``Widget.focus`` would come after what is painted next."""
        card = self.desk.state.card
        self._guided_for = card.draft if card else ""
        self.paint_card()  # it may have come a moment ago: only then can be written in it
        self.set_focus(widget)

    def focus_next_step(self) -> None:
        """Where the operator goes on: the candidates, else the theme, else the comment."""
        card = self.desk.state.card
        search = self.query_one(PersonSearch)
        form = self.query_one(CardForm)
        if card is None:
            self.set_focus(search.line)
        elif search.has_class("-open") and search.hits.current is not None:
            self.set_focus(search.hits)
        elif card.person is None and not card.fields.get("surname"):
            self.set_focus(search.line)
        elif not card.fields.get("theme"):
            self.set_focus(form.theme.input)
        else:
            self.set_focus(form.comment)

    def go_to(self, field: str) -> None:
        """To where a field of the card is filled in."""
        form = self.query_one(CardForm)
        if field in ("type", "theme"):
            form.theme.input.focus()
        elif field.startswith(PREFIX):
            cast("HasClarify", self.app).clarify()
        elif field == "comment":
            form.comment.focus()
        elif (asked := form.asked(field)) is not None:
            asked.input.focus()
        else:
            self.choose_result()

    def to_first_missing(self) -> None:
        """After another result was chosen: where the next thing is to be filled in, else the comment."""
        card = self.desk.state.card
        if card is None:
            return
        missing = [f for f in missing_to_close(card.fields, card.fields, self.desk.catalogue) if f != "comment"]
        self.go_to(missing[0] if missing else "comment")

    @handles("card.result")
    def choose_result(self) -> None:
        """Choose another result than the theme's own."""
        card = self.desk.state.card
        type_ = card.fields.get("type") if card else None
        if not type_:
            raise Refusal(Code.FIELD_REQUIRED, field=tr("Тематика обращения"))
        results = self.desk.catalogue.results_of(AppealType(type_))
        rows = [Row(r.code, (r.code, r.title)) for r in results]
        self.query_one(CardForm).open_results(rows, str(card.fields.get("result", "")) if card else "")

    async def put_away(self) -> None:
        """The card is done: away with it, and free for the next call. Not while its call still goes on."""
        call = self.desk.state.call
        if call is None or call.rings_here:
            await self.desk.card.leave()
            if self.desk.state.card is None:  # the next caller's may have come already: he is not left for the journal
                self.app.switch_mode("journal")
            await self.desk.phone.ready()
