"""What is done with a form that was begun and waits: read, gone on with in its appeal, thrown away."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from operator_tui.appeals.begun import FormOf
from operator_tui.asking import Asking
from operator_tui.desk.shift import Waits
from operator_tui.i18n import tr
from screens.begun import BegunScreen, Wish


class BegunActs(Asking):
    """The acts; «Что ждёт» and «Не закончено» list them."""

    def look_at_begun(self, of: FormOf, again: Callable[[], Awaitable[None]]) -> None:
        """Show it; thrown away, the list is shown once more."""
        self._guard(partial(self._look_at_begun, of, again))

    async def _look_at_begun(self, of: FormOf, again: Callable[[], Awaitable[None]]) -> None:
        one = self.desk.begun.kept(of)
        if one is None:
            return
        card, drafts = await self.desk.on_journal(lambda journal: (journal.card(of.about), journal.drafts()))
        draft = next((draft.id for draft in drafts if draft.id == of.about), "")
        opens = Waits("", "", card.id if card is not None else "", draft) if card is not None or draft else None

        async def wished(wish: Wish | None) -> None:
            if wish is Wish.DROP:
                self.desk.begun.drop(of)
                await again()
            elif wish is Wish.OPEN and opens is not None:
                await self.desk.phone.shift.open(opens)
                self._app.switch_mode("work")
                self.desk.notice(tr("Начата форма «{title}»: введённое в ней на месте.").format(title=one.title))

        def answered(wish: Wish | None) -> None:
            self._guard(lambda: wished(wish))

        self._app.push_screen(BegunScreen(one, self.desk.promises.zone, opens=opens is not None), answered)
