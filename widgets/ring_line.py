"""Who rings, and the key that answers, above a window that covers the telephone's own line."""

from __future__ import annotations

from widgets.line import Line


class RingLine(Line):
    """It stands on top of the window for as long as somebody rings."""

    DEFAULT_CSS = "RingLine { dock: top; text-style: bold reverse; color: $warning; }"
