"""The line below the telephone: what just happened, or what has to be done. It wraps, up to three lines."""

from __future__ import annotations

from widgets.wrapped import Wrapped


class NoticeLine(Wrapped):
    """There is one on every screen of the desk."""
