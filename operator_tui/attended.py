"""Whether somebody sits at the desk: identifiers are covered when nobody has for a while, then the desk is locked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from textual.events import Event, Key
from textual.filter import LineFilter
from textual.widget import AwaitMount, Widget

from operator_tui.acts import DeskActs
from operator_tui.signin.idle import Idle
from operator_tui.signin.settings import SignInSettings
from screens.leaving import LeavingScreen
from screens.lock import LockScreen
from screens.trouble import FailureScreen, TooSmallScreen
from widgets.cover import IdentifierCover
from widgets.harmless import HarmlessText

IDLE_LOOK_S = 5.0
# Without a key for so long he does not type just now.
PAUSE_S = 1.0
# They show nothing of the desk.
_ABOVE_LOCK = FailureScreen | LeavingScreen | TooSmallScreen


class AttendedDesk(DeskActs):
    """A desk that looks after itself while its operator is away. Any key is a sign of him; the lock wants his word."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._idle: Idle | None = None
        self._harmless = HarmlessText()
        self._cover = IdentifierCover()
        self._cover_s = 0.0
        self._covered = False
        self._behind_lock: list[Callable[[], object]] = []
        self.in_pause: Callable[[], object] | None = None
        """Called in each pause of typing: what may take a tenth of a second."""
        self._pause_due: asyncio.TimerHandle | None = None

    def watch_idleness(self) -> None:
        """Begin to look whether a key was pressed; the settings are read."""
        settings = self.desk.settings.get(SignInSettings)
        self._idle = Idle(settings.lock_minutes, self.desk.clock)
        self._cover_s = settings.cover_seconds
        self.set_interval(IDLE_LOOK_S, self._look_whether_idle)
        self._pause_soon()

    def _pause_soon(self) -> None:
        if self.in_pause is not None:
            if self._pause_due is not None:
                self._pause_due.cancel()
            self._pause_due = asyncio.get_running_loop().call_later(PAUSE_S, self._pause)

    def _pause(self) -> None:
        if not self.desk.state.ready:
            self._pause_soon()
        elif self.in_pause is not None:
            self.in_pause()

    def acts(self) -> dict[str, Callable[[], Any]]:
        return {**super().acts(), "desk.lock": self.lock}

    @property
    def locked(self) -> bool:
        """Whether the lock covers the desk, whatever lies over the lock."""
        return any(isinstance(screen, LockScreen) for screen in self.screen_stack)

    async def on_event(self, event: Event) -> None:
        if self._idle is not None and isinstance(event, Key):
            self._idle.touched()
            self._pause_soon()
            if not self.locked:
                self._set_covered(False)
        await super().on_event(event)

    def _look_whether_idle(self) -> None:
        if self._idle is None or not self.desk.state.ready:
            return
        if self.desk.state.phone_word() == "talking":
            self._idle.touched()  # who talks sits before it, and reads the card
        elif self._idle.due:
            self.lock()
        elif 0 < self._cover_s <= self._idle.quiet_s:
            self._set_covered(True)

    def lock(self) -> None:
        """Cover the desk until its operator gives his password. A lock that stands stays."""
        if self.locked:
            return
        self.desk.background(self.desk.seat.lock())
        self._set_covered(True)
        self.push_screen(LockScreen(), lambda _: self.unlocked())

    def unlocked(self) -> None:
        """The operator is back."""
        self._set_covered(False)
        waiting, self._behind_lock = self._behind_lock, []
        for show in waiting:
            show()

    # What a key before the lock has set going may end while it stands: its screen would lie over the lock.

    def switch_mode(self, mode: str) -> AwaitMount:
        """Go to a kept screen; from behind the lock only when the operator is back."""
        if not self.locked:
            return super().switch_mode(mode)
        self._behind_lock.append(partial(self.switch_mode, mode))
        return AwaitMount(self.screen, [])

    def push_screen(self, screen: Any, *args: Any, **kwargs: Any) -> Any:
        """Show a list or a question; from behind the lock only when the operator is back."""
        if not self.locked or isinstance(screen, _ABOVE_LOCK):
            return super().push_screen(screen, *args, **kwargs)
        self._behind_lock.append(partial(self.push_screen, screen, *args, **kwargs))
        return AwaitMount(self.screen, [])

    def get_line_filters(self) -> Sequence[LineFilter]:
        """No text carries an order to the terminal. While nobody sits here, identifiers are covered in whatever is
        painted. The lock covers its own."""
        filters = [*super().get_line_filters(), self._harmless]
        return [*filters, self._cover] if self._covered and not isinstance(self.screen, LockScreen) else filters

    def _set_covered(self, covered: bool) -> None:
        if covered == self._covered:
            return
        self._covered = covered
        # Every kept screen has lines painted before: none of them may show the other state when it comes forward.
        for stack in self._screen_stacks.values():
            for screen in stack:
                for widget in screen.walk_children(Widget, with_self=True):
                    widget.refresh()
