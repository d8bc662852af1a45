"""The two lines on top: who works here (K-4.4 to K-4.6) and how the parts are."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical

from widgets.line import Line


class Header(Vertical):
    """ФИО, role, extension and presence above; lights for phone, server, registry and the unsent count below."""

    DEFAULT_CSS = """
    Header { height: 2; }
    """

    def compose(self) -> ComposeResult:
        yield Line(id="who")
        yield Line(id="lights")

    def who(self, text: str, right: str) -> None:
        """The operator's line; ``right`` is the profile's mark."""
        self.query_one("#who", Line).say(text, right)

    def lights(self, text: str, right: str, *, trouble: bool) -> None:
        """The lights' line; ``trouble`` when one of them wants somebody to act."""
        line = self.query_one("#lights", Line)
        line.say(text, right)
        line.set_class(trouble, "-trouble")
