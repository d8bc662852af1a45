"""The settings of the terminal layer."""

from __future__ import annotations

from typing import Literal

import msgspec

from operator_tui.settings import section


@section("terminal")
class TerminalSettings(msgspec.Struct, frozen=True):
    """``[terminal]``: what the line between the desk and the operator's terminal can carry.

    ``profile`` is lan, slow (64 kbit/s) or serial (9,600 bit/s); auto looks at TERM and at the line's own speed.
    """

    profile: Literal["auto", "lan", "slow", "serial"] = "auto"
