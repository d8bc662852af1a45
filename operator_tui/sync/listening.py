"""How a desk that has nothing to send hears of what others do: an open stream, a held request, or looking again.

The stream first. Behind a proxy that buffers nothing of it arrives: then requests that the server holds for 25 s, and
where those break off too, a look every few seconds. Now and then the better way is tried again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from enum import IntEnum

from operator_tui.appeals.clock import Clock
from operator_tui.appeals.errors import Code, Refusal

_log = logging.getLogger(__name__)

_BROKEN_S = 0.5  # between a way that broke off and the round that looks why
_BREAKS = 3  # one after another, each at once: this way does not work here
_AT_ONCE_S = 5.0
_AGAIN_S = 600.0  # until a better way is tried again
# The timer that always fires: while a stream is alive it brings everything, and this is only against our own mistakes.
_STREAM_ROUND_S = 300.0


class Way(IntEnum):
    """The ways, the best first."""

    STREAM = 0
    HELD = 1
    LOOK = 2


class Buffered(Exception):
    """Nothing of a stream arrived though it was opened: something on the way holds it back."""


class Listening:
    """``streamed`` and ``held`` do it once and say how many events came; ``wait_s`` is what a held request may take.

    Each runs beside the rounds of the sender and outlives them.
    """

    def __init__(
        self,
        streamed: Callable[[], Awaitable[int]],
        held: Callable[[], Awaitable[int]],
        *,
        best: Way,
        wait_s: float,
        clock: Clock,
    ) -> None:
        self._ways = {Way.STREAM: streamed, Way.HELD: held}
        self._best = self.way = best
        self._wait_s = wait_s
        self._clock = clock
        self._task: asyncio.Task[int | None] | None = None
        self._lasted = 0.0  # seconds, of the task that ended last
        self._breaks = 0
        self._fell_at = 0.0

    async def listen(self, pause: float, kicked: asyncio.Event) -> None:
        """Until there is something to send, or the next round should look what is the matter. ``pause`` seconds are
        left between two looks where nothing else works."""
        while not kicked.is_set():
            self._climb()
            if self.way is Way.LOOK:
                await _within(kicked, pause)
                return
            if self._task is None:
                self._task = asyncio.create_task(self._once(self.way))
            limit = _STREAM_ROUND_S if self.way is Way.STREAM else self._wait_s + pause
            waiting = asyncio.create_task(kicked.wait())
            try:
                await asyncio.wait({waiting, self._task}, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
            finally:
                waiting.cancel()
            if not self._task.done():
                return
            task, self._task = self._task, None
            # The HTTP library may end a request by cancelling it from inside: the line broke, the sender lives on.
            came = None if task.cancelled() else task.result()
            lasted = self._lasted
            if not came:
                # Broken off, or answered with nothing, at once even (a proxy that does not hold): not in a circle.
                self._fall(lasted)
                least = pause if came is not None else min(pause, _BROKEN_S)
                await _within(kicked, max(0.0, least - lasted))
                return
            self._breaks = 0

    async def stop(self) -> None:
        """Let go of what is open."""
        if self._task:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _once(self, way: Way) -> int | None:
        """How many events came, None when it broke off."""
        started = self._clock.monotonic()
        try:
            return await self._ways[way]()
        except Buffered:
            self._breaks = _BREAKS
        except Refusal as refusal:
            if refusal.code in (Code.SERVER_REFUSED, Code.BAD_REQUEST):
                self._breaks = _BREAKS  # a server, or something before it, that does not know this way
        except Exception:  # whatever it is, the next round meets it too and tells it
            _log.exception("listening failed")
        finally:
            # Not from when it was looked at: it may have begun many rounds ago, and ended while nobody looked.
            self._lasted = self._clock.monotonic() - started
        return None

    def _fall(self, lasted: float) -> None:
        self._breaks = self._breaks + 1 if lasted < _AT_ONCE_S else max(0, self._breaks - 1)
        if self._breaks >= _BREAKS and self.way is not Way.LOOK:
            self.way = Way(self.way + 1)
            self._breaks = 0
            self._fell_at = self._clock.monotonic()

    def _climb(self) -> None:
        if self.way is not self._best and self._task is None and self._clock.monotonic() - self._fell_at > _AGAIN_S:
            self.way, self._breaks = self._best, 0


async def _within(kicked: asyncio.Event, seconds: float) -> None:
    # Not wait_for: up to CPython 3.11 it swallows a cancellation that comes with the event (cpython issue 86296).
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await kicked.wait()
