"""A window that closes by itself when what it has waited for is there."""

from __future__ import annotations

from typing import TypeVar

from textual.screen import Screen

Result = TypeVar("Result")


class ClosesItself(Screen[Result]):
    """Closes itself only: ``dismiss`` puts away whatever lies above by then, with the answer meant for this one."""

    _closes_with: tuple[Result | None] | None = None

    def close_itself(self, result: Result | None = None) -> None:
        """Dismiss with that, now or when this screen is the uppermost again. One that was left meanwhile stays so."""
        self._closes_with = (result,)
        self._close_if_above()

    def on_screen_resume(self) -> None:
        self._close_if_above()

    def _close_if_above(self) -> None:
        if self._closes_with is not None and self.is_active:
            self.dismiss(*self._closes_with)
