"""Covers identifiers in whatever is painted, so that no place of the screen can forget to."""

from __future__ import annotations

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from operator_tui.signin.cover import covered


class IdentifierCover(LineFilter):
    """Looks at a painted line as one text: an identifier may stand in several segments (a cursor within it)."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        text = "".join(segment.text for segment in segments)
        shown = covered(text)
        if shown == text:
            return segments
        place = 0
        result = []
        for segment in segments:
            end = place + len(segment.text)
            result.append(Segment(shown[place:end], segment.style, segment.control))
            place = end
        return result
