"""Windows above the desk's screens: who rings is seen in each, one key answers, and what was begun there comes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from textual.events import ScreenResume
from textual.screen import Screen
from textual.widget import AwaitMount

from operator_tui.attended import AttendedDesk
from operator_tui.desk.shift import Waits
from operator_tui.desk.state import CardAtHand, Notice
from operator_tui.i18n import tr
from screens.ask import AskScreen
from screens.base import DeskScreen
from screens.begun import BegunScreen
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
from screens.state_words import call_words, ring_words
from screens.threat import ThreatScreen
from screens.timeline import TimelineScreen
from widgets.ring_line import RingLine

# What gives way to a key of the telephone: lists and questions, nothing else.
_LAID_ASIDE = (
    AskScreen
    | BegunScreen
    | CodeScreen
    | FormScreen
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
_LEFT_FOR_A_CALL = DirectoryScreen | FilesScreen | PlayerScreen | PromisesScreen | ShiftScreen | SoundCheckScreen
_WINDOWS = _LAID_ASIDE | _LEFT_FOR_A_CALL
# They leave the talk as it is: whoever is threatened reads on.
_TALK_GOES_ON = ("phone.hold", "phone.mute", "phone.louder", "phone.quieter")


def _comes_back(window: Screen[Any], command_id: str) -> bool:
    """Whether it holds what can not be had again by its own key: what is being written, a code that is shown once."""
    if isinstance(window, AskScreen | PasswordScreen):
        return window.written
    if isinstance(window, ThreatScreen):
        return command_id in _TALK_GOES_ON
    return isinstance(window, CodeScreen | FormScreen | PersonScreen)


@dataclass(eq=False)
class _SetAside:
    """Windows that gave way together, in the order in which they stood, and the card they stood above. ``after_call``:
    they wait for the end of a call that was answered."""

    windows: list[Screen[Any]]
    card: CardAtHand | None
    after_call: bool


class WindowedDesk(AttendedDesk):
    """A desk whose windows give way to a call."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._results: WeakKeyDictionary[Screen[Any], Callable[[Any], object] | None] = WeakKeyDictionary()
        self._set_aside: list[_SetAside] = []  # the newest last
        self._bringing = False  # some come back with their card just now: one card at a time
        self._shows_call: WeakSet[Screen[Any]] = WeakSet()  # back after a key of the telephone
        self._said_before: Notice | None = None  # what the notice said when it was pressed
        self._key_said = ""  # what has been said since: the screen below may forget it

    def on_mount(self) -> None:
        """Look after each window that comes to lie above, and after each that goes."""
        self.screen_change_signal.subscribe(self, lambda _: self.windows_changed())

    def windows_changed(self) -> None:
        """Another window lies above, or somebody begins or ceases to ring."""
        self.call_after_refresh(self.show_ring)
        self.call_after_refresh(self.bring_back)

    def push_screen(self, screen: Any, *args: Any, **kwargs: Any) -> Any:
        """Show a window; what is done with its answer is known for as long as it is. An answer that names its window
        would keep it for ever."""
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
        """Who rings, in the window that lies above; in one that has come back, what the telephone's key has done."""
        window, state = self.screen, self.desk.state
        if not isinstance(window, _WINDOWS):
            return
        lines, words, key = window.query(RingLine), ring_words(state), tr("F2 Ответить")
        if not words and window in self._shows_call:
            self._hear_key()
            words, key = self._key_said or call_words(state), ""
        if not words:
            lines.remove()
        elif lines:
            lines.first().say(words, key)
        else:
            window.mount(RingLine(words, key))

    def lay_aside(self, command_id: str) -> bool:
        """Put away what lies above a screen of the desk for a key of the telephone. Not the lock, which only its
        password opens. What is being written there comes back: when an answered call is over; after another key by
        ``bring_back``, as soon as nothing else lies above."""
        answers = command_id == "phone.answer" and any(call.rings_here for call in self.desk.state.calls)
        also = _LEFT_FOR_A_CALL if answers else DeskScreen
        if not all(isinstance(screen, DeskScreen | _LAID_ASIDE | also) for screen in self.screen_stack):
            return False
        begun = [screen for screen in self.screen_stack if _comes_back(screen, command_id)]
        for window in begun:
            self.install_screen(window, f"begun-{id(window)}")  # it keeps what was typed while nobody sees it
        while not isinstance(self.screen, DeskScreen):
            self.pop_screen()
        if answers:
            for earlier in self._set_aside:
                earlier.after_call = True
        if begun:
            self._set_aside.append(_SetAside(begun, self.desk.state.card, after_call=answers))
        if not answers:
            self._said_before, self._key_said = self.desk.state.notice, ""
        if begun and answers:
            self.desk.notice(tr("Отложено до конца вызова: введённое вернётся на экран само."))
        return True

    def bring_back(self) -> None:
        """What was set aside, above the card it stood above. After an answered call: once nobody is on the line."""
        if self.locked or not isinstance(self.screen, DeskScreen):
            return
        for aside in reversed(self._set_aside):
            if self._comes_now(aside):
                return

    def _comes_now(self, aside: _SetAside) -> bool:
        """Bring these windows back, if it is their time."""
        state, there = self.desk.state, aside.card
        if aside.after_call and state.call is not None:
            return False
        if state.card is there or (state.card is not None and there is not None and state.card.is_of(there)):
            self._set_aside.remove(aside)
            if not aside.after_call:
                self._shows_call.update(aside.windows)
                self._hear_key()
            self._show(aside.windows)
            return True
        if state.card is None and self.current_mode != "work" and not self._bringing:
            self._set_aside.remove(aside)
            self._bringing = True
            self.desk.background(self._bring_back(aside))
            return True
        return False

    def _hear_key(self) -> None:
        notice = self.desk.state.notice
        if notice.text and notice is not self._said_before:
            self._key_said = notice.text

    async def _bring_back(self, aside: _SetAside) -> None:
        """With the card that lay below: its draft, or the card as it was saved. Where that can not be had, alone."""
        try:
            if aside.card is None or await self._opened(aside.card):
                self._show(aside.windows)
            else:
                aside.after_call = True
                self._set_aside.append(aside)
        except Exception:
            self._show(aside.windows)
            raise
        finally:
            self._bringing = False

    async def _opened(self, card: CardAtHand) -> bool:
        """Bring that card before the operator. False where the next caller's has come meanwhile."""
        saved = card.saved.id if card.saved is not None else ""
        drafts = await self.desk.on_journal(lambda journal: journal.drafts())
        if self.desk.state.card is not None or self.desk.state.call is not None:
            return False
        kept = any(one.id == card.draft for one in drafts)
        await self.desk.phone.shift.open(Waits("", "", "" if kept else saved, card.draft if kept else ""))
        now = self.desk.state.card
        if now is not None and not now.is_of(card):
            return False
        self.switch_mode("work")
        return True

    def _show(self, windows: list[Screen[Any]]) -> None:
        for window in windows:
            self.uninstall_screen(window)
            self.push_screen(window, self._results.get(window))
