"""The viewer of a paper ends with the desk that showed it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from operator_tui.desk.viewer import shown


async def test_a_viewer_that_is_open_when_the_desk_ends_is_ended(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    command = f"sh -c 'echo $$ > {told}.part; mv {told}.part {told}; exec sleep 600'"
    showing = asyncio.ensure_future(shown(b"paper", "paper.pdf", command))
    for _ in range(3000):
        if not told.exists():
            await asyncio.sleep(0.01)
    pid = int(told.read_text())
    showing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await showing
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
