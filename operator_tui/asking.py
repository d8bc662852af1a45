"""How an act of the application asks about the appeal at hand: its card, a form above it, a refusal as a notice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from textual.app import App

from operator_tui.appeals.begun import FormOf
from operator_tui.appeals.card import FIELD_TITLES, STATUS_TITLES, Card
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.lifecycle import Act
from operator_tui.desk.desk import Desk
from operator_tui.i18n import tr
from screens.base import DeskScreen
from screens.form import Asked, FormScreen, Values
from screens.words import act_word, day


class Asking:
    """What the acts of an appeal share; mixed into the application, which has the screens."""

    desk: Desk

    @property
    def _app(self) -> App[int]:
        assert isinstance(self, App)
        return self

    def _at_hand(self) -> str:
        screen = self._app.screen
        return screen.current_appeal() if isinstance(screen, DeskScreen) else ""

    def _guard(self, act: Callable[[], Awaitable[None] | None]) -> None:
        """Do it; a refusal becomes a notice. The desk's own task: what a screen begins ends with that screen."""

        async def run() -> None:
            done = act()
            if done is not None:
                await done

        self.desk.background(run())

    def _send(self, of: FormOf, act: Callable[[], Awaitable[None] | None]) -> None:
        """Do what a form was for; what was typed into it goes when that is done, and stays where it is refused."""
        self._guard(lambda: self.desk.begun.sent(of, act))

    def _form(
        self,
        of: FormOf,
        title: str,
        asked: list[Asked],
        done: Callable[[Values], Awaitable[None] | None],
        check: Callable[[Values], object] | None = None,
    ) -> None:
        def answered(values: Values | None) -> None:
            if values is not None:
                self._send(of, lambda: done(values))

        self._app.push_screen(FormScreen(title, asked, check, of=of), answered)

    async def _card(self) -> Card:
        card_id = self._at_hand()
        card = await self.desk.on_journal(lambda journal: journal.card(card_id)) if card_id else None
        if card is None:
            raise Refusal(Code.CARD_UNSAVED if self._app.current_mode == "work" else Code.NO_ROW_CHOSEN)
        return card

    def _told(self, act: Act, card: Card) -> None:
        words = tr("{act}: обращение {number}, статус «{status}».")
        status = tr(STATUS_TITLES[card.status])
        self.desk.notice(words.format(act=act_word(act.value), number=card.value("number"), status=status))

    def _line(
        self,
        fields: Any,
        name: str,
        *,
        label: str = "",
        options: list[str] | None = None,
        offers: list[str] | None = None,
        date: bool = False,
    ) -> Asked:
        value = str(fields.get(name, ""))
        hint = tr("ДД.ММ.ГГГГ") if date else ""
        value, label = day(value) if date else value, label or tr(FIELD_TITLES[name])
        return Asked(name, label, value, hint, options=options or (), offers=offers or ())
