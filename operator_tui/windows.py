"""Windows above the desk's screens: who rings is seen in each, one key answers, and what was begun there comes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from textual.events import ScreenResume
from textual.screen import Screen
from textual.widget import AwaitMount

from operator_tui.appeals.errors import Refusal
from operator_tui.attended import AttendedDesk
from operator_tui.desk.shift import Waits
from operator_tui.desk.state import CardAtHand
from operator_tui.i18n import tr
from screens.ask import AskScreen
from screens.base import DeskScreen
from screens.code import CodeScreen
from screens.directory import DirectoryScreen
from screens.files import FilesScreen, PlayerScreen
from screens.form import FormScreen
from screens.help import HelpScreen
from screens.insured import InsuredScreen
from screens.leaving import LeavingScreen
from screens.news import NewsScreen
from screens.password import PasswordScreen
from screens.person import PersonScreen
from screens.promises import PromisesScreen
from screens.returned import ReturnedScreen
from screens.review import SampleScreen
from screens.seats import SeatsScreen
from screens.shift import ShiftScreen, SoundCheckScreen
from screens.state_words import ring_words
from screens.threat import ThreatScreen
from screens.timeline import TimelineScreen
from widgets.ring_line import RingLine

# What may be put away by a key of the telephone: lists and questions, nothing else.
_LAID_ASIDE = (
    AskScreen
    | CodeScreen
    | HelpScreen
    | InsuredScreen
    | LeavingScreen
    | NewsScreen
    | PasswordScreen
    | PersonScreen
    | ReturnedScreen
    | SampleScreen
    | SeatsScreen
    | ThreatScreen
    | TimelineScreen
)
# What only a ringing call's «Ответить» puts away: they have keys of their own that are the telephone's elsewhere.
_LEFT_FOR_A_CALL = (
    DirectoryScreen | FilesScreen | FormScreen | PlayerScreen | PromisesScreen | ShiftScreen | SoundCheckScreen
)
_WINDOWS = _LAID_ASIDE | _LEFT_FOR_A_CALL


def _being_written(window: Screen[Any]) -> bool:
    """Whether something is being written in it that a call must not take away."""
    return isinstance(window, FormScreen | PersonScreen) or (isinstance(window, AskScreen) and window.written)


class WindowedDesk(AttendedDesk):
    """A desk whose windows give way to a call."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._results: WeakKeyDictionary[Screen[Any], Callable[[Any], object] | None] = WeakKeyDictionary()
        self._begun: list[Screen[Any]] = []  # set aside for a call, in the order in which they stood
        self._begun_at: CardAtHand | None = None  # the card they stood above

    def on_mount(self) -> None:
        """Look after each window that comes to lie above, and after each that goes."""
        self.screen_change_signal.subscribe(self, lambda _: self.windows_changed())

    def windows_changed(self) -> None:
        """Another window lies above, or somebody begins or ceases to ring."""
        self.call_after_refresh(self.show_ring)
        self.call_after_refresh(self.bring_back)

    def push_screen(self, screen: Any, *args: Any, **kwargs: Any) -> Any:
        """Show a window; what is done with its answer is known for as long as it is."""
        if isinstance(screen, _WINDOWS):
            self._results[screen] = args[0] if args else kwargs.get("callback")
        return super().push_screen(screen, *args, **kwargs)

    def switch_mode(self, mode: str) -> AwaitMount:
        """Go to a kept screen. What lies above the one that is left comes along, with what was typed in it.

        A call that was answered brings its card while somebody looks for a colleague already: his question, left
        behind on the journal's screen, would be seen no more, and the number typed would go to the card.
        """
        if self.locked or mode == self.current_mode:
            return super().switch_mode(mode)
        stack = self._screen_stack  # moved and not popped: a window that is popped forgets who waits for its answer
        above = [screen for screen in stack if not isinstance(screen, DeskScreen)]
        stack[:] = [screen for screen in stack if isinstance(screen, DeskScreen)]
        if not above or not stack:
            stack += above
            return super().switch_mode(mode)
        mounted = super().switch_mode(mode)
        self._screen_stack.extend(above)
        above[-1].post_message(ScreenResume())
        self.screen_change_signal.publish(above[-1])
        return mounted

    def show_ring(self) -> None:
        """Who rings, in the window that lies above."""
        window = self.screen
        if not isinstance(window, _WINDOWS):
            return
        lines, words = window.query(RingLine), ring_words(self.desk.state)
        if not words:
            lines.remove()
        elif lines:
            lines.first().say(words, tr("F2 Ответить"))
        else:
            window.mount(RingLine(words, tr("F2 Ответить")))

    def lay_aside(self, command_id: str) -> bool:
        """Put away what lies above a screen of the desk. Not the lock, which only its password opens; and what is
        being written only for a call that rings."""
        answers = command_id == "phone.answer" and any(call.rings_here for call in self.desk.state.calls)
        also = _LEFT_FOR_A_CALL if answers else DeskScreen
        if not all(isinstance(screen, DeskScreen | _LAID_ASIDE | also) for screen in self.screen_stack):
            return False
        begun = [screen for screen in self.screen_stack if _being_written(screen)] if answers else []
        for window in begun:
            self.install_screen(window, f"begun-{id(window)}")  # it keeps what was typed while nobody sees it
        while not isinstance(self.screen, DeskScreen):
            self.pop_screen()
        if begun:
            self._begun_at = self._begun_at if self._begun else self.desk.state.card
            self._begun += begun
            self.desk.notice(tr("Отложено до конца вызова: введённое вернётся на экран само."))
        return True

    def bring_back(self) -> None:
        """What was set aside for a call, once nobody is on the line and its card is at hand, or none is."""
        state, screen = self.desk.state, self.screen
        if not self._begun or state.call is not None or self.locked or not isinstance(screen, DeskScreen):
            return
        if state.card is None and self.current_mode != "work":
            self.desk.background(self._bring_back(*self._taken()))
        elif state.card is not None and self._begun_at is not None and state.card.is_of(self._begun_at):
            self._show(self._taken()[0])

    def _taken(self) -> tuple[list[Screen[Any]], CardAtHand | None]:
        """What was set aside, and above which card; once."""
        taken, self._begun, self._begun_at = (self._begun, self._begun_at), [], None
        return taken

    async def _bring_back(self, windows: list[Screen[Any]], card: CardAtHand | None) -> None:
        """With the card that lay below: its draft, or the card as it was saved. Where that can not be had, alone."""
        try:
            if card is None or await self._opened(card):
                self._show(windows)
            else:
                self._begun, self._begun_at = [*windows, *self._begun], card
        except Refusal:
            self._show(windows)
            raise

    async def _opened(self, card: CardAtHand) -> bool:
        """Bring that card before the operator. False where the next caller's has come meanwhile."""
        saved = card.saved.id if card.saved is not None else ""
        drafts = await self.desk.on_journal(lambda journal: journal.drafts())
        if self.desk.state.card is not None or self.desk.state.call is not None:
            return False
        kept = any(one.id == card.draft for one in drafts)
        await self.desk.phone.shift.open(Waits("", "", "" if kept else saved, card.draft if kept else ""))
        self.switch_mode("work")
        return True

    def _show(self, windows: list[Screen[Any]]) -> None:
        for window in windows:
            self.uninstall_screen(window)
            self.push_screen(window, self._results.get(window))
