"""The terminal layer: what leaves for the operator's terminal and what comes from it.

The application needs three calls, in this order: `choose` a profile, `prepare_environment` before Textual is
imported, and `App(driver_class=driver_class(profile))`. OPERATOR_TUI_DRIVER=stock gives Textual's own driver, for
comparisons.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from operator_tui.terminal.profiles import LAN, SERIAL, SLOW, TerminalProfile, choose, prepare_environment

if TYPE_CHECKING:
    from textual.driver import Driver

__all__ = ["LAN", "SERIAL", "SLOW", "TerminalProfile", "choose", "driver_class", "prepare_environment"]


def driver_class(profile: TerminalProfile) -> type[Driver] | None:
    """The driver for `App(driver_class=...)`; None leaves Textual its own choice.

    That is so in a browser (TEXTUAL_DRIVER is set), with OPERATOR_TUI_DRIVER=stock and on Windows.
    """
    if os.environ.get("TEXTUAL_DRIVER") or os.environ.get("OPERATOR_TUI_DRIVER") == "stock" or os.name == "nt":
        return None
    from operator_tui.terminal.driver import ThinDriver  # Textual is imported here, after the environment

    return ThinDriver.for_profile(profile)
