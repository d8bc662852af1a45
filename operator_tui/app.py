"""The Textual application: one desk, two kept screens, every key from the one registry of commands.

The terminal's environment has to be prepared before this module is imported (operator_tui/start.py does).
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from importlib import resources
from typing import Any

from textual import work
from textual.app import ScreenStackError
from textual.driver import Driver
from textual.events import Resize
from textual.message import Message

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.desk.desk import Desk
from operator_tui.desk.leaving import Leaving
from operator_tui.desk.state import Topic
from operator_tui.i18n import tr, use
from operator_tui.keyed import KeyedDesk
from operator_tui.sentences import sentence
from screens.base import DeskScreen
from screens.journal import JournalScreen
from screens.leaving import LeavingScreen
from screens.lock import LockScreen
from screens.people import PeopleScreen
from screens.reference import ReferenceScreen
from screens.review import ReviewScreen
from screens.settings import ScreenSettings
from screens.themes import THEMES
from screens.trouble import FailureScreen, TooSmallScreen, fits
from screens.work import WorkScreen


class DeskChanged(Message, bubble=False):
    """The desk changed; posted so that widgets are touched only by the application's own task."""

    def __init__(self, topic: Topic) -> None:
        super().__init__()
        self.topic = topic

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, DeskChanged) and message.topic is self.topic


class DeskApp(KeyedDesk):
    """The face of one desk."""

    CSS = resources.files("assets").joinpath("desk.tcss").read_text(encoding="utf-8")
    MODES = {  # noqa: RUF012  # Textual's own form
        "journal": JournalScreen,
        "work": WorkScreen,
        "review": ReviewScreen,
        "people": PeopleScreen,
        "reference": ReferenceScreen,
    }
    DEFAULT_MODE = "journal"
    ENABLE_COMMAND_PALETTE = False

    def __init__(
        self, desk: Desk, *, theme: str, driver: type[Driver] | None = None, timer_step_s: float = 1.0
    ) -> None:
        self.desk = desk
        self.timer_step_s = timer_step_s
        super().__init__(driver_class=driver)
        for known in THEMES:
            self.register_theme(known)
        self.theme = theme
        self._ending = False
        self._left = False
        self._exit_code = 0
        self._ends_seen = 0

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """The roles of our own that every theme fills."""
        return {
            "heading": "ansi_default",
            "dim": "ansi_default",
            "bar": "ansi_default",
            "field": "ansi_default",
            "cursor-text": "ansi_default",
            "cursor-back": "ansi_default",
        }

    def clear_selection(self) -> None:
        """On Python 3.12 and later a field of the first screen asks before its screen stands on the stack.

        Textual then ends the application (its issue 6444), because it expects only NoScreen there.
        """
        with suppress(ScreenStackError):
            super().clear_selection()

    def on_mount(self) -> None:
        self.title = "operator-tui"
        self.desk.listen(self._desk_changed)
        for number in (signal.SIGTERM, signal.SIGHUP):
            self._on_signal(number)
        self.call_after_refresh(self._start)
        self.watch_idleness()

    def _desk_changed(self, topic: Topic) -> None:
        self.post_message(DeskChanged(topic))

    def _on_signal(self, number: signal.Signals) -> None:
        import asyncio

        try:
            asyncio.get_running_loop().add_signal_handler(number, partial(self.leave, leave=False))
        except (NotImplementedError, RuntimeError, ValueError):
            return  # not in the main thread (tests), or a system without signals

    @work(exit_on_error=False)
    async def _start(self, *, signed_in: bool = False) -> None:
        """After the first paint: open the parts, and show what can not be opened as a sentence."""
        try:
            if not signed_in and not await self.desk.seat.admitted():
                self._ask_who()
                return
            await self.desk.start(self.desk.notice)
        except Refusal as refusal:
            self.push_screen(FailureScreen(sentence(refusal)))
            return
        if self.desk.state.card is not None and self.current_mode != "work":
            self.switch_mode("work")
        self._refresh_screen()

    def _ask_who(self) -> None:
        from screens.sign_in import SignInScreen

        signin = self.desk.parts.signin
        assert signin is not None  # nobody is asked where nobody signs in
        self.push_screen(SignInScreen(signin), self._signed_in)

    def _signed_in(self, done: bool | None) -> None:
        if done:
            self._start(signed_in=True)

    def unlocked(self) -> None:
        """What changed behind the lock is shown now: a card that came with its call, a call that is over."""
        super().unlocked()
        for topic in (Topic.CARD, Topic.PHONE):
            self._desk_changed(topic)

    def _refresh_screen(self) -> None:
        if isinstance(self.screen, DeskScreen):
            self.screen.paint_all()

    def on_desk_changed(self, message: DeskChanged) -> None:
        if self.desk.state.revoked:
            if not isinstance(self.screen, FailureScreen):  # nothing can be saved here any more
                why = sentence(Refusal(Code.DEVICE_REVOKED))
                self.push_screen(FailureScreen(why, tr("Рабочее место отозвано")))
            return
        if self.locked:
            # No screen is changed behind the lock: another one would come to lie over it.
            if message.topic is Topic.PHONE:
                self._announce()
                if isinstance(self.screen, LockScreen):
                    self.screen.show_call()
            return
        if message.topic is Topic.CARD and self.desk.state.card is not None and self.current_mode != "work":
            state = self.desk.state
            if state.call is not None and state.card is not None and state.card.call == state.call.id:
                self.switch_mode("work")  # answering brings the card of that call to the front
                return
        if message.topic is Topic.LIGHTS and self.desk.state.bells != getattr(self, "_belled", 0):
            self._belled = self.desk.state.bells
            self.bell()
        if message.topic is Topic.PHONE:
            self._announce()
            self._put_away_when_done()
            self._tell_left()
        if message.topic in (Topic.PHONE, Topic.CARD, Topic.NOTICE):
            self.windows_changed()
        if isinstance(self.screen, DeskScreen):
            self.screen.show_change(message.topic)

    def _announce(self) -> None:
        """A new ringing call: the terminal's bell, once; the engine rings aloud, the screen by text (K-5.1.1.1)."""
        ringing = next((call.id for call in self.desk.state.calls if call.rings_here), "")
        if ringing and ringing != getattr(self, "_rung", ""):
            self.bell()
        self._rung = ringing

    def _put_away_when_done(self) -> None:
        """The call is over and its appeal is closed: back to the journal, ready for the next."""
        state = self.desk.state
        card = state.card
        done = state.call is None and card is not None and card.finished
        if done and self.current_mode == "work" and card is not None and card.call:
            self.desk.background(self.desk.card.leave())
            self.switch_mode("journal")

    def _tell_left(self) -> None:
        """The end of work that was chosen in a talk has come: what is unfinished, unless he writes just now."""
        state = self.desk.state
        ends, self._ends_seen = self._ends_seen, state.ends
        writes = self.current_mode == "work" and state.card is not None and not state.card.finished
        if state.ends != ends and not writes:
            self.desk.background(self._show_left())

    def on_resize(self, event: Resize) -> None:
        covered = isinstance(self.screen, TooSmallScreen)
        if fits(event.size.width, event.size.height):
            if covered:
                self.pop_screen()
        elif not covered:
            self.push_screen(TooSmallScreen())

    def acts(self) -> dict[str, Callable[[], Any]]:
        return {
            **super().acts(),
            "desk.quit": lambda: self.leave(leave=True),
        }

    # end

    def leave(self, *, leave: bool) -> None:
        """End within two seconds: draft kept, journal closed, engine let go (DESIGN rule 12). «Выход» (``leave``) with
        unsent work waits for that first."""
        if self._ending:
            return
        if leave and self.desk.leaving.asks:
            self._go_out()
        else:
            self._end_now(leave)

    @work(exit_on_error=False)
    async def _go_out(self) -> None:
        left = await self.desk.leaving.left()
        by_itself = await self.desk.leaving.by_itself(left)
        # Who sits down at a locked desk has nothing to say about another's files.
        if not left.records and (by_itself is Leaving.KEEP or self.locked):
            self._end_now(True, by_itself)
        elif not any(isinstance(screen, LeavingScreen) for screen in self.screen_stack):
            self.push_screen(LeavingScreen(left, lambda how: self._end_now(True, how)))

    def _end_now(self, leave: bool, how: Leaving | None = None) -> None:
        if not self._ending:
            self._ending = True
            self._left = leave
            self._end(leave, how)

    @work(exit_on_error=False)
    async def _end(self, leave: bool, how: Leaving | None) -> None:
        try:
            await self.desk.stop(leave=leave, how=how)
        finally:
            self.exit(self._exit_code)

    async def action_quit(self) -> None:
        """From a screen above the desk. At a locked desk somebody else wants to sit down: that is «Выход».

        Not while somebody talks behind the lock: he would be left alone on the line.
        """
        if not (self.locked and self.desk.phone.in_talk):
            self.leave(leave=self.locked)

    @property
    def seat_is_free(self) -> bool:
        """Whether it ended by «Выход» where people sign in: the next one is asked who he is."""
        return self._left and self.desk.seat.has_password

    def action_give_up(self) -> None:
        """The desk could not start or go on, and he has read why. A revoked place leads to the first screen."""
        revoked = self.desk.state.revoked
        self._exit_code = 0 if revoked else 1
        self.leave(leave=revoked)


def make_app(
    desk: Desk, *, colours: int = 256, driver: type[Driver] | None = None, timer_step_s: float = 1.0
) -> DeskApp:
    """The application for a desk, in the language and the theme of the settings."""
    screen = desk.settings.get(ScreenSettings)
    use(screen.language)
    theme = screen.theme or ("vt" if colours == 16 else "desk")
    return DeskApp(desk, theme=theme, driver=driver, timer_step_s=timer_step_s)
