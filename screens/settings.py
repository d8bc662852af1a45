"""Settings of the screens."""

from __future__ import annotations

import msgspec

from operator_tui.settings import section


@section("screen")
class ScreenSettings(msgspec.Struct, frozen=True):
    """``theme``: desk, contrast, vt or mono (empty: chosen by the terminal); ``language``: ru, kk or en."""

    theme: str = ""
    language: str = "ru"
