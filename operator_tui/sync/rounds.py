"""Work that is done again and again for as long as the desk lives: a loop with a timer that always fires.

It is woken earlier by ``kick``, but never depends on being woken (design/sync-and-security.md 1.5, rule 8).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable

from operator_tui.appeals.errors import Code, Refusal

_log = logging.getLogger(__name__)

_BACKOFF_S = 60.0


class Rounds:
    """``work`` does it once and says after how many seconds again; ``fell`` hears why it did not come to its end."""

    def __init__(self, work: Callable[[], Awaitable[float]], fell: Callable[[Refusal], Awaitable[None]]) -> None:
        self._work = work
        self._fell = fell
        self._failures = 0
        self._task: asyncio.Task[None] | None = None
        self.kicked = asyncio.Event()

    def kick(self) -> None:
        """There is something to do: do it now."""
        self.kicked.set()

    def began(self) -> None:
        """The task that runs now is the one to be stopped."""
        self._task = asyncio.current_task()

    async def once(self) -> float:
        """One round, whatever becomes of it. Seconds to wait before the next one."""
        try:
            pause = await self._work()
        except Refusal as refusal:
            return await self._failed(refusal)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # Nobody cancelled us: the HTTP library ended a request from inside (see listening).
            return await self._failed(Refusal(Code.SERVER_AWAY))
        except Exception as error:  # the loop must outlive a mistake of ours: the timer fires again
            _log.exception("round failed")
            return await self._failed(Refusal(Code.SERVER_REFUSED, reason=type(error).__name__))
        self._failures = 0
        return pause

    async def pause(self, seconds: float) -> None:
        """Until then, or until somebody kicks."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):  # not wait_for: see listening
                await self.kicked.wait()

    async def stop(self) -> None:
        """End the loop; what is not done stays where it is and goes on at the next start."""
        task = self._task
        if task is None or task.done() or task is asyncio.current_task():
            return
        task.cancel()
        await asyncio.wait({task})

    async def _failed(self, refusal: Refusal) -> float:
        self._failures += 1
        await self._fell(refusal)
        # Full jitter: desks that lost their server together do not come back together.
        return random.uniform(0.0, min(_BACKOFF_S, 2.0 ** min(self._failures, 10)))
