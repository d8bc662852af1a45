"""Screens for when the desk can not be shown: it did not start, or the window is too small."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from operator_tui.i18n import tr

SMALLEST = (80, 24)


class FailureScreen(Screen[None]):
    """One sentence: what happened, what was kept, what to do."""

    BINDINGS = [Binding("enter,escape,ctrl+q", "app.give_up", show=False)]  # noqa: RUF012  # Textual's own form

    def __init__(self, text: str, title: str = "") -> None:
        super().__init__()
        self._text = text
        self._heading = title or tr("Рабочее место не запущено")

    def compose(self) -> ComposeResult:
        yield Static(self._heading, classes="heading", markup=False)
        yield Static(self._text, id="failure", markup=False)
        yield Static(tr("Enter — выйти"), markup=False)


class TooSmallScreen(ModalScreen[None]):
    """Covers the desk while the window is smaller than the desk needs; nothing typed is touched."""

    def compose(self) -> ComposeResult:
        yield Static("", id="too-small", markup=False)

    def on_mount(self) -> None:
        self._paint()

    def on_resize(self) -> None:
        self._paint()

    def on_screen_resume(self) -> None:
        # The window has grown while another screen lay above, or in another mode: the application saw only that one.
        if self.is_active and fits(*self.app.size):
            self.dismiss()

    def _paint(self) -> None:
        size = self.app.size
        self.query_one("#too-small", Static).update(
            tr(
                "Окно {width}x{height} слишком мало: нужно не меньше {w}x{h}. Введённое сохранено. Увеличьте окно."
            ).format(width=size.width, height=size.height, w=SMALLEST[0], h=SMALLEST[1])
        )


def fits(width: int, height: int) -> bool:
    """Whether the desk can be shown in a window of this size."""
    return width >= SMALLEST[0] and height >= SMALLEST[1]
