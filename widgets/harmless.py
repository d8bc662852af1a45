"""Nothing that somebody wrote is carried out by a terminal."""

from __future__ import annotations

import re

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

# C0, DEL and C1 (ECMA-48): what a terminal obeys instead of showing it. None of them takes a cell.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class HarmlessText(LineFilter):
    """Leaves out control characters of whatever is painted: an appeal from another desk, an imported list and a pasted
    text may hold escape sequences, which write to the clipboard, the title or the whole screen."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        if all(segment.text.isprintable() for segment in segments):
            return segments
        return [
            segment if segment.control else Segment(_CONTROL.sub("", segment.text), segment.style)
            for segment in segments
        ]
