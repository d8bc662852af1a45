"""The thin driver: Textual's Linux driver with a shadow screen between Textual and the terminal.

Textual sends every changed region whole; here only changed cells leave (design: 2,040 bytes a letter become 6 to 40).
The terminal's own cursor stands at the focus. Modes whose answers or events would cost bytes or lose keys stay off:
any-motion mouse (1003), focus reports (1004), the kitty keyboard protocol, in-band resize (2048).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import selectors
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from operator_tui.terminal.cursor import locus
from operator_tui.terminal.keyboard import KeyReader
from operator_tui.terminal.layouts import chord
from operator_tui.terminal.pacing import QUERY, Pacer
from operator_tui.terminal.pen import Pen
from operator_tui.terminal.profiles import LAN, TerminalProfile
from operator_tui.terminal.shadow import Shadow
from operator_tui.terminal.signs import PLAIN_SIGNS

if TYPE_CHECKING:
    from textual.app import App

# Textual writes these by itself: focus reports, and the end of a kitty protocol that was never begun (a terminal
# that does not know it may print its last letter).
_UNWANTED = frozenset({"\x1b[?1004h", "\x1b[?1004l", "\x1b[<u"})

# After noise: ASCII characters, no insert mode, no wrapping, as the desk expects them.
_REPAIR = "\x1b(B\x0f\x1b[4l\x1b[?7l"

_TICK_S = 0.1  # how long a read waits before it looks whether the end has come


class ThinDriver(LinuxDriver):
    """Sends differences of cells instead of regions."""

    hardware_cursor: ClassVar[bool] = True
    """Widgets ask for it before they paint a cursor of their own (widgets/lean.py)."""

    profile: ClassVar[TerminalProfile] = LAN

    @classmethod
    def for_profile(cls, profile: TerminalProfile) -> type[ThinDriver]:
        """The driver's class for a profile: Textual makes the object by itself, without arguments of ours."""
        return type(cls.__name__, (cls,), {"profile": profile})

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse and self.profile.mouse, size=size)
        columns, rows = app.size
        pen = Pen(
            columns,
            erases_in_colour=self.profile.erases_in_colour,
            erases_cells=self.profile.erases_cells,
        )
        self._shadow = Shadow(pen, rows)
        self._pacer = Pacer(self.profile.bits_per_second) if self.profile.paced else None
        self._overdue: asyncio.TimerHandle | None = None
        self._lock = threading.RLock()
        self._loop_thread = threading.get_ident()
        # Outside the application's own time all goes through as it is: entering, leaving, suspended.
        self._direct = True
        self._busy = False

    @property
    def round_trip(self) -> float | None:
        """Seconds that the last paced frame took to the terminal and back; None without pacing."""
        return self._pacer.round_trip if self._pacer else None

    # Out

    def write(self, data: str) -> None:
        """Take a frame or a control sequence of Textual."""
        if self._direct or self._busy:
            # `_busy` in the same thread is a signal handler that interrupted a frame.
            if data not in _UNWANTED:
                super().write(data)
            return
        with self._frame():
            if self.profile.plain_signs:
                data = data.translate(PLAIN_SIGNS)
            if self._shadow.size != self._app.size:
                self._shadow.resize(*self._app.size)
            if through := self._shadow.paint(data):
                super().write(through)
            self._send()

    @contextlib.contextmanager
    def _frame(self) -> Iterator[None]:
        with self._lock:
            self._busy = True
            try:
                yield
            finally:
                self._busy = False

    def _send(self) -> None:
        """Send the differences, unless a frame is still under way: then they wait and grow into the next one."""
        if threading.get_ident() != self._loop_thread:
            self._soon(self._continue)
            return
        now = time.monotonic()
        if self._pacer and not self._pacer.may_send(now):
            return
        drawn = self._shadow.render(locus(self._app))
        if not drawn:
            return
        if self._pacer and self._pacer.sending(len(drawn.encode()), now):
            drawn += QUERY
            self._watch(self._pacer.lost_at or now)
        super().write(drawn)

    def _watch(self, lost_at: float) -> None:
        """Go on by itself should no answer come."""
        if self._overdue:
            self._overdue.cancel()
        delay = max(0.0, lost_at - time.monotonic())
        self._overdue = self._loop.call_later(delay, self._continue)

    def _continue(self) -> None:
        """Send what has waited; runs in the event loop."""
        if not self._direct:
            with self._frame():
                self._send()

    def redraw(self) -> None:
        """Draw the whole screen anew, whatever the terminal shows now; runs in the event loop."""
        if self._direct:
            return
        with self._frame():
            super().write(_REPAIR)
            self._shadow.forget()
            if self._pacer:
                self._pacer.restart()
            self._send()

    # In

    def process_message(self, message: Message) -> None:
        """Translate keys and take acknowledgements; runs in the input thread."""
        if isinstance(message, events.CursorPosition) and self._pacer and self._pacer.answered(time.monotonic()):
            self._soon(self._continue)
            return
        if isinstance(message, events.Key):
            if message.key == "ctrl+l":
                self._soon(self.redraw)
            elif meant := chord(message.key):
                message = events.Key(meant, None)
        super().process_message(message)

    def run_input_thread(self) -> None:
        """Read keys until the end, or until the line is hung up: SIGHUP tells the application of that."""
        reader = KeyReader(debug=self._debug)
        with selectors.DefaultSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(_TICK_S):
                    try:
                        data = os.read(self.fileno, 4096)
                    except OSError:
                        return
                    if not data:
                        return
                    for message in reader.feed(data):
                        self.process_message(message)
                for message in reader.tick():
                    self.process_message(message)

    def _soon(self, act: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended, and so has the screen
            self._loop.call_soon_threadsafe(act)

    # Modes and life

    def start_application_mode(self) -> None:
        """Enter; after a suspension all is drawn as it was."""
        self._direct = True
        super().start_application_mode()  # type: ignore[no-untyped-call]  # Textual leaves it untyped
        with self._frame():
            self._shadow.forget()
            # Hidden by `super`; nothing else is sure.
            self._shadow.pen.shown = False
            if self._pacer:
                self._pacer.restart()
            self._direct = False
            self._send()

    def stop_application_mode(self) -> None:
        """Leave the terminal as it was found: plain style, cursor shown, the old screen back."""
        self._direct = True
        if self._overdue:
            self._overdue.cancel()
        # A terminal without an alternate screen would keep the desk's last picture under the prompt.
        self.write("\x1b[m" if self.profile.name != "serial" else "\x1b[m\x1b[H\x1b[2J")
        super().stop_application_mode()

    def _sigcont_application(self, *arguments: object) -> None:
        """Come back from a stop. One that was not announced (SIGSTOP) left the application mode on."""
        if self._direct:
            super()._sigcont_application(*arguments)
        else:
            self._soon(self.redraw)

    def _get_terminal_size(self) -> tuple[int, int]:
        size = super()._get_terminal_size()
        if not self._direct and size == self._shadow.size:
            # Asked at SIGWINCH. The old size has come back at once, but the terminal has cut what it showed.
            self._soon(self.redraw)
        return size

    def _enable_mouse_support(self) -> None:
        """Report presses and the wheel only: motion costs bytes in both directions."""
        if self._mouse:
            self.write("\x1b[?1000h\x1b[?1006h")

    def _disable_mouse_support(self) -> None:
        if self._mouse:
            self.write("\x1b[?1000l\x1b[?1006l")

    def _request_terminal_sync_mode_support(self) -> None:
        if self.profile.synchronized:
            super()._request_terminal_sync_mode_support()

    def _query_in_band_window_resize(self) -> None:
        """SIGWINCH tells of a new size; a report in band would cost a mode and its answers."""
