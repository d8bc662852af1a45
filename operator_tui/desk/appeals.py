"""What an operator does with appeals beyond writing them: what came back is settled."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from operator_tui.appeals.returned import Choice, Returned, is_new, rivals
from operator_tui.desk import card as steps
from operator_tui.desk.state import Topic

if TYPE_CHECKING:
    from operator_tui.desk.desk import Desk


class AppealDesk:
    """The acts of appeals on one desk; the state they change is the desk's own."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    # what came back

    async def returned(self) -> list[Returned]:
        """What waits for the operator: two values beside one another on the open card first, then what came back."""
        found = await self._desk.on_journal(lambda journal: journal.returned())
        card = self._desk.state.card
        saved = card.saved if card is not None else None
        if saved is None or not saved.rival or any(one.card and one.card.id == saved.id for one in found):
            return found
        return [Returned("", "", "", None, saved, rivals(saved)), *found]

    async def settle(self, returned: Returned, choice: Choice) -> None:
        """Write the decision. An appeal that was refused whole becomes a draft again, unless it is given up."""
        desk = self._desk
        if returned.op:
            await desk.on_journal(lambda journal: journal.settle_returned(returned.op, choice))
            if is_new(returned) and returned.card is None and choice is not Choice.THEIRS:
                await desk.flush_draft()
                fields = {key: value for key, value in returned.x.items() if key not in _OF_THE_JOURNAL}
                desk.put_card(replace(steps.opened(None), fields=fields, typed=frozenset(fields)))
        elif returned.card is not None:
            card_id = returned.card.id
            await desk.on_journal(lambda journal: journal.settle_rivals(card_id, choice))
        await self.reload()
        await desk.refresh_journal()
        desk.parts.kick()

    async def reload(self) -> None:
        """The open card as the journal has it now; what was typed into it and not saved stays."""
        desk = self._desk
        card = desk.state.card
        if card is None or card.saved is None:
            return
        saved_id = card.saved.id
        saved = await desk.on_journal(lambda journal: journal.card(saved_id))
        now = desk.state.card
        if saved is not None and now is not None and now.draft == card.draft:
            desk.change(Topic.CARD, card=steps.refreshed(now, saved))


_OF_THE_JOURNAL = frozenset({"number", "zone", "catalogue", "deadline"})
