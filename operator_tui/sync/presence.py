"""What this operator does, told to others, and what those on his screen do. The open stream is the lease: something is
sent only when something changed, and never while an operation waits (design/sync-and-security.md 1.5, rule 9)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable

from operator_tui.appeals.clock import Clock
from operator_tui.appeals.errors import Refusal
from operator_tui.appeals.presence import State
from operator_tui.sync.protocol import MAX_WATCHED, PROTOCOL_VERSION, PresenceRequest, PresenceTold

_log = logging.getLogger(__name__)
LEAST_S = 5.0  # between two messages of ours; the first goes at once
_RENEW_S = 60.0  # without a stream the server forgets in two and a half minutes


class PresenceTeller:
    """``send`` carries a message to the server; ``idle`` waits until no operation is under way.

    ``states`` by number and ``beside`` (who has the open card open too) are what the server last said.
    """

    def __init__(
        self,
        send: Callable[[PresenceRequest], Awaitable[None]],
        *,
        clock: Clock,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._send = send
        self._clock = clock
        self._on_change = on_change
        self._now = PresenceRequest(PROTOCOL_VERSION, State.OFFLINE.value)
        self._sent: PresenceRequest | None = None
        self._changed = asyncio.Event()
        self._sent_at = 0.0
        self._leased = False
        self._failed = False
        self.states: dict[str, str] = {}
        self.beside: list[str] = []

    def tell(self, state: str, card: str = "") -> None:
        """What this operator does now, and the card that is open before him."""
        self._become(PresenceRequest(PROTOCOL_VERSION, state, card, self._now.watch))

    def watch(self, numbers: Iterable[str]) -> None:
        """The numbers on his screen, at most MAX_WATCHED of them are followed."""
        wanted = list(dict.fromkeys(numbers))[:MAX_WATCHED]
        self.states = {number: state for number, state in self.states.items() if number in wanted}
        self._become(PresenceRequest(PROTOCOL_VERSION, self._now.s, self._now.card, wanted))

    def told(self, batch: PresenceTold) -> None:
        """A batch of the stream."""
        self.states |= {number: state for number, state in batch.p.items() if number in self._now.watch}
        if batch.card is not None:
            self.beside = batch.card
        self._on_change()

    def opened(self) -> None:
        """A stream is open: the server knows nothing of before, or another server process does not."""
        self._leased = True
        if self._sent is not None or self._now.s != State.OFFLINE.value or self._now.watch:
            self._sent = None
            self._changed.set()

    def closed(self) -> None:
        """No stream is open: what was heard of others may be old."""
        self._leased = False
        if self.states or self.beside:
            self.states, self.beside = {}, []
            self._on_change()

    async def run(self, idle: Callable[[], contextlib.AbstractAsyncContextManager[object]]) -> None:
        """Tell what changed, for as long as the desk lives."""
        while True:
            with contextlib.suppress(TimeoutError):
                # Not wait_for, which swallows a cancellation that comes with the event: see listening.
                async with asyncio.timeout(self._rest_s()):
                    await self._changed.wait()
            left = self._sent_at + LEAST_S - self._clock.monotonic() if self._sent_at else 0.0
            if left > 0:
                await asyncio.sleep(left)
            self._changed.clear()
            asked = self._now
            async with idle():
                self._sent_at = self._clock.monotonic()
                self._failed = not await self._arrived(asked)

    def _rest_s(self) -> float | None:
        """How long nothing has to be said when nothing changes; None: for ever."""
        if self._failed:
            return _RENEW_S
        return None if self._leased or self._sent is None else _RENEW_S

    async def _arrived(self, asked: PresenceRequest) -> bool:
        """Whether it arrived. What does not is told again: presence ends with the desk, with nothing else."""
        sending = asyncio.create_task(self._sending(asked))
        try:
            # A task of its own: the HTTP library may end a request by cancelling it from inside (see listening).
            await asyncio.wait({sending})
        finally:
            sending.cancel()
            await asyncio.wait({sending})
        if sending.cancelled():
            return False
        if (error := sending.exception()) is None:
            self._sent = asked
        elif not isinstance(error, Refusal):
            _log.error("telling presence failed", exc_info=error)
        return error is None

    async def _sending(self, asked: PresenceRequest) -> None:
        await self._send(asked)

    def _become(self, now: PresenceRequest) -> None:
        if now == self._now:
            return
        self._now = now
        self._changed.set()
