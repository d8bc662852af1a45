"""Work that may hang, as on a folder of another machine that is away: on a thread of its own, for a bounded time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

Found = TypeVar("Found")


class Patient:
    """Runs one piece of such work at a time, and waits for at most ``seconds``.

    A thread that hangs in the kernel can not be ended, only left alone: it is a daemon, so that the program's end does
    not wait for it either, and until it comes back no other is begun.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._turn = asyncio.Lock()  # of the thread's, not of whoever waits for it

    async def run(self, work: Callable[[], Found]) -> Found:
        """What ``work`` returns or raises. TimeoutError where it, or the one before, takes too long."""
        loop = asyncio.get_running_loop()
        coming: asyncio.Future[Found] = loop.create_future()

        def done(found: Found | None, error: Exception | None) -> None:
            self._turn.release()
            if coming.done():
                return  # nobody waits any more
            if error is not None:
                coming.set_exception(error)
            else:
                coming.set_result(found)  # type: ignore[arg-type]  # None is a result too

        def thread() -> None:
            found: Found | None = None
            failed: Exception | None = None
            try:
                found = work()
            except Exception as error:
                failed = error
            with suppress(RuntimeError):  # the program has ended meanwhile
                loop.call_soon_threadsafe(done, found, failed)

        async with asyncio.timeout(self._seconds):
            await self._turn.acquire()
            threading.Thread(target=thread, name="patient", daemon=True).start()
            return await coming
