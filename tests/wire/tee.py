"""The thin driver with a tee: a file gets what Textual wrote, byte for byte what the stock driver would send.

Chosen by TEXTUAL_DRIVER=tests.wire.tee:TeeDriver; OPERATOR_TUI_TEE names the file. One run then has both pictures, so
that no clock, draft or telephone can make a difference between them.
"""

from __future__ import annotations

import os
from pathlib import Path

from operator_tui.terminal import choose
from operator_tui.terminal.driver import ThinDriver


class TeeDriver(ThinDriver):
    """Writes down what comes in, and does what the thin driver does."""

    profile = choose(os.environ.get("OPERATOR_TUI_TERMINAL_PROFILE", "auto"))
    _tee = Path(os.environ["OPERATOR_TUI_TEE"]).open("ab", buffering=0)  # noqa: SIM115  # as long as the program

    def write(self, data: str) -> None:
        self._tee.write(data.replace("\n", "\r\n").encode())
        super().write(data)
