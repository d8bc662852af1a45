"""A program for the length of a `with`: however its test ends, nothing of it is left to make a later one fail."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any


@contextlib.asynccontextmanager
async def program(*command: str, **how: Any) -> AsyncIterator[asyncio.subprocess.Process]:
    """What `asyncio.create_subprocess_exec` starts; at the end it is killed, waited for, and its pipes are closed."""
    process = await asyncio.create_subprocess_exec(*command, **how)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        # Its end alone closes them only when the loop comes to it, and not while a grandchild holds one of them.
        process._transport.close()  # type: ignore[attr-defined]  # no public face
