"""A paper in the viewer the administrator chose, without a plain byte on a disk: it lies in memory and goes with it.

The viewer gets a path of /proc that leads to anonymous memory of this process (memfd_create(2)); when it ends, or the
desk does, nothing is left of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal

from operator_tui.appeals.errors import Code, Refusal


async def shown(content: bytes, name: str, command: str) -> None:
    """Start the viewer and wait for its end. Refusals: VIEWER_UNSET, VIEWER_FAILED."""
    if not command:
        raise Refusal(Code.VIEWER_UNSET, file=name)
    memory = os.memfd_create("paper", os.MFD_CLOEXEC)
    try:
        with os.fdopen(os.dup(memory), "wb") as file:
            file.write(content)
        viewer = await asyncio.create_subprocess_exec(
            *shlex.split(command),
            f"/proc/self/fd/{memory}",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            pass_fds=(memory,),
            start_new_session=True,
        )
        code = await _ended(viewer)
    except (OSError, ValueError) as error:
        raise Refusal(Code.VIEWER_FAILED, reason=getattr(error, "strerror", "") or type(error).__name__) from None
    finally:
        os.close(memory)
    if code:
        raise Refusal(Code.VIEWER_FAILED, reason=str(code))


async def _ended(viewer: asyncio.subprocess.Process) -> int:
    """Its exit code. When the desk ends first, it ends too: it holds the paper's memory."""
    try:
        return await viewer.wait()
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(viewer.pid, signal.SIGKILL)
        await viewer.wait()
        raise
