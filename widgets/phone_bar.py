"""The softphone block: the caller's number on top, the state, the timer and the key to press next (K-5.1.1)."""

from __future__ import annotations

from widgets.line import Line


class PhoneBar(Line):
    """One line. A ringing call is marked by words and a class, never by colour alone."""

    def call(self, text: str, keys: str, *, ringing: bool = False, talking: bool = False) -> None:
        """Show a call or the quiet line."""
        self.say(text, keys)
        self.set_class(ringing, "-ringing")
        self.set_class(talking, "-talking")
