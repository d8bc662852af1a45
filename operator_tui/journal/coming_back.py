"""Operations that came back, until the operator has decided whose text stays."""

from __future__ import annotations

from operator_tui.appeals.card import Card
from operator_tui.appeals.returned import Choice, Returned
from operator_tui.journal import confirm, settling
from operator_tui.journal.confirm import Attention
from operator_tui.journal.part import Part


class ComingBack(Part):
    """What was refused or stands beside another value."""

    def attention(self) -> list[Attention]:
        """Operations that were refused or joined with another's text, until the operator has dealt with them."""
        with self._store.reading():
            return confirm.attention(self._store)

    def dismiss(self, op: str) -> None:
        """The operator has dealt with it."""
        with self._store.writing():
            confirm.dismiss(self._store, op)

    def returned(self) -> list[Returned]:
        """``attention`` with both values of each field, as the operator is shown it, oldest first."""
        with self._store.reading():
            return settling.returned(self._store)

    def waiting(self) -> int:
        """How many operations came back and wait for the operator."""
        with self._store.reading():
            return settling.waiting(self._store)

    def settle_returned(self, op: str, choice: Choice) -> Card | None:
        """Write what the operator decided and end the question, or none of both.

        None for an appeal that was refused whole. Refusals: BAD_REQUEST, and those of ``save`` and ``move``.
        """
        with self._store.writing():
            return settling.settle(self._store, op, choice)

    def settle_rivals(self, card_id: str, choice: Choice) -> Card:
        """Settle «расхождение»: the values that stand beside one another on a card. Refusals: those of ``save``."""
        with self._store.writing():
            return settling.settle_rivals(self._store, card_id, choice)
