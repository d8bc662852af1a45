"""Sends what the operator did and fetches what others did, for as long as the desk lives.

A loop with a timer that always fires: it is woken earlier by ``kick``, but never depends on being woken
(design/sync-and-security.md 1.5, rule 8). Every frame is in the journal before the next is looked at, so a cut
line costs the last frame alone; what was sent and not answered is sent again, the server takes it once.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import statistics
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Protocol

import msgspec

from operator_tui.appeals.clock import Clock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import Event, Operation, Outcome
from operator_tui.journal.device import DeviceIdentity
from operator_tui.journal.journal import Journal
from operator_tui.sync.dictionary import current, dictionary_of
from operator_tui.sync.enrol import fork
from operator_tui.sync.link import Link
from operator_tui.sync.protocol import (
    MAX_OPERATIONS,
    MAX_WAIT_S,
    PROTOCOL_VERSION,
    SYNC_PATH,
    End,
    Frame,
    FrameReader,
    Head,
    Results,
    SyncRequest,
    pack,
    plain_operation,
)

_log = logging.getLogger(__name__)

_BACKOFF_S = 60.0
# On a slow line a cut loses what is under way, so little is; a line that answers at once takes whole batches.
_SLOW_OPERATIONS = 20
_FAST_S = 1.0
_BATCH_BYTES = 1 << 20
_BROKEN_S = 0.5  # between a held request that broke off and the round that looks why
_REWINDS = 2  # in one round; a server that asks for the same again and again is not followed
_FORKS = 1  # the same
_OFFSETS = 9  # clock differences the median is taken of


class Session(Protocol):
    """Where the tokens of somebody who is signed in come from."""

    async def token(self) -> str:
        """One that is good for a while. Refusal(SIGN_IN_NEEDED) when there is none to be had."""
        ...

    def spoiled(self) -> None:
        """The server did not take it."""
        ...


class ServerLight(StrEnum):
    """How the server is, in the words of the desk's lights."""

    STARTING = "starting"
    ON = "on"
    AWAY = "away"  # comes back by itself
    TROUBLE = "trouble"  # somebody has to do something


@dataclass(frozen=True)
class SenderState:
    """What the screen shows of it.

    ``since_ms`` when the light changed (UTC ms); ``unsent`` operations that wait; ``refusal`` why it is not on;
    ``offset_ms`` how far the server's clock is ahead of ours.
    """

    light: ServerLight = ServerLight.STARTING
    since_ms: int = 0
    unsent: int = 0
    refusal: Refusal | None = None
    offset_ms: int = 0


@dataclass
class _Answer:
    """What one answer has brought so far."""

    head: Head | None = None
    held: bool = False
    settled: int = 0
    events: int = 0
    rewound: bool = False
    end: End | None = None


class Sender:
    """One journal and one server. All its methods belong to one event loop."""

    def __init__(
        self,
        journal: Journal,
        link: Link,
        *,
        run: Callable[..., Awaitable[Any]],
        clock: Clock,
        session: Session | None = None,
        poll_s: float = 2.0,
        wait_s: float = MAX_WAIT_S,
        on_state: Callable[[SenderState], None] = lambda state: None,
        on_cards: Callable[[Sequence[str]], None] = lambda cards: None,
    ) -> None:
        """``run(function, *args, **kwargs)`` runs a journal's method on the journal's thread; ``poll_s`` seconds
        between two looks while nothing is to be sent, if the server does not hold a look for ``wait_s`` until there is
        something to see (0: it is not asked to); the callbacks get each new state and the cards changed."""
        self._journal = journal
        self._link = link
        self._session = session
        self._run = run
        self._clock = clock
        self._poll_s = poll_s
        self._wait_s = wait_s
        self._on_state = on_state
        self._on_cards = on_cards
        self._kicked = asyncio.Event()
        self._task: asyncio.Task[Any] | None = None
        self._listening: asyncio.Task[int | None] | None = None
        self._failures = 0
        self._batch = _SLOW_OPERATIONS
        self._durable = 0
        self._dictionary = True
        self._offsets: deque[int] = deque(maxlen=_OFFSETS)
        # Two answers may arrive side by side, and one of them may be from before the server became another.
        self._taking = asyncio.Lock()
        self.state = SenderState(since_ms=clock.now_ms())

    def kick(self) -> None:
        """There is something to send, or the line is back: try now."""
        self._kicked.set()

    async def run(self) -> None:
        """Send and fetch until ``stop``."""
        self._task = asyncio.current_task()
        try:
            while True:
                self._kicked.clear()
                pause = await self.round()
                if self._wait_s and self.state.light is ServerLight.ON:
                    await self._listen(pause)
                else:
                    await self._pause(pause)
        finally:
            if self._listening:
                self._listening.cancel()
                await asyncio.wait({self._listening})

    async def round(self) -> float:
        """Exchange until both ends are even, or until it fails. Seconds to wait before the next time."""
        try:
            await self._until_even()
        except Refusal as refusal:
            light = ServerLight.AWAY if refusal.code is Code.SERVER_AWAY else ServerLight.TROUBLE
            return await self._failed(light, refusal)
        except Exception as error:  # the loop must outlive a mistake of ours: the timer fires again
            _log.exception("sync round failed")
            return await self._failed(ServerLight.TROUBLE, Refusal(Code.SERVER_REFUSED, reason=type(error).__name__))
        self._failures = 0
        await self._tell(ServerLight.ON, None)
        return self._poll_s

    async def stop(self) -> None:
        """End ``run``. What is not sent stays in the journal and goes at the next start."""
        task = self._task
        if task is None or task.done() or task is asyncio.current_task():
            return
        task.cancel()
        await asyncio.wait({task})

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._kicked.wait(), seconds)

    async def _listen(self, pause: float) -> None:
        """Fetch what others do until there is something to send: one request is held by the server, on a connection of
        its own, and outlives a round of ours. When it brings nothing, the next round looks what is the matter."""
        while not self._kicked.is_set():
            started = self._clock.monotonic()
            if self._listening is None:
                self._listening = asyncio.create_task(self._held())
            kicked = asyncio.create_task(self._kicked.wait())
            first = asyncio.FIRST_COMPLETED
            try:
                await asyncio.wait({kicked, self._listening}, timeout=self._wait_s + pause, return_when=first)
            finally:
                kicked.cancel()
            if not self._listening.done():
                return
            listening, self._listening = self._listening, None
            came = listening.result()
            if not came:
                # Broken off, or answered with nothing, at once even (a proxy that does not hold): not in a circle.
                least = pause if came is not None else min(pause, _BROKEN_S)
                await self._pause(max(0.0, least - (self._clock.monotonic() - started)))
                return

    async def _held(self) -> int | None:
        """How many events came, None when the request broke off."""
        try:
            device: DeviceIdentity | None = await self._run(lambda: self._journal.device)
            return (await self._exchange(device, [], wait=self._wait_s)).events if device else None
        except Exception as error:  # whatever it is, the next round meets it too and tells it
            if not isinstance(error, Refusal):
                _log.exception("listening failed")
            return None

    async def _failed(self, light: ServerLight, refusal: Refusal) -> float:
        self._failures += 1
        await self._tell(light, refusal)
        # Full jitter: desks that lost their server together do not come back together.
        return random.uniform(0.0, min(_BACKOFF_S, 2.0 ** min(self._failures, 10)))

    async def _until_even(self) -> None:
        device: DeviceIdentity | None = await self._run(lambda: self._journal.device)
        if device is None:
            raise Refusal(Code.NOT_ENROLLED)
        rewound = forked = 0
        while True:
            limit = self._batch
            waiting: list[Operation] = await self._run(self._journal.outbox, limit)
            batch = _fitting(waiting)
            started = self._clock.monotonic()
            try:
                answer = await self._exchange(device, batch)
            except Refusal as refusal:
                forked += 1
                if refusal.code is not Code.FORK or forked > _FORKS:
                    raise
                device = await self._take_new_code(device, batch, refusal)
                continue
            self._batch = MAX_OPERATIONS if self._clock.monotonic() - started < _FAST_S else _SLOW_OPERATIONS
            if answer.rewound:
                rewound += 1
                if rewound > _REWINDS:
                    raise Refusal(Code.GAP)
                device = await self._run(lambda: self._journal.device)
                assert device is not None  # an identity is never taken away
                continue
            if batch and not answer.settled:
                raise Refusal(Code.SERVER_REFUSED, reason="no results")
            if len(batch) == len(waiting) < limit and not (answer.end and answer.end.more):
                return
            await self._tell(ServerLight.ON, None)

    async def _take_new_code(
        self, device: DeviceIdentity, batch: Sequence[dict[str, Any]], refusal: Refusal
    ) -> DeviceIdentity:
        """This journal was copied: what both copies have is settled under the old code, the rest goes on under a new
        one, known by ``was``. Refusal(FORK) when the server does not say where the copies part."""
        fork_n = refusal.params.get("n")
        if not isinstance(fork_n, int) or self._session is not None:
            raise refusal  # a person's workstation is enrolled anew by the administrator
        if common := [plain for plain in batch if plain["n"] < fork_n]:
            await self._exchange(device, common)
        fresh = await fork(self._link, device.token)
        async with self._taking:
            now: DeviceIdentity | None = await self._run(lambda: self._journal.device)
            if now != device:
                raise Refusal(Code.SERVER_AWAY)  # the server became another meanwhile, the copies may be even there
            await self._run(self._journal.fork, fresh)
            self._durable = 0
        return fresh

    async def _exchange(self, device: DeviceIdentity, batch: Sequence[dict[str, Any]], *, wait: float = 0.0) -> _Answer:
        if self._session is None:
            return await self._ask(device, batch, device.token, wait)
        try:
            return await self._ask(device, batch, await self._session.token(), wait)
        except Refusal as refusal:
            if refusal.code not in (Code.TOKEN_EXPIRED, Code.TOKEN_INVALID):
                raise
        # Once more with a fresh one: a machine that slept has a token that is too old by the server's clock alone.
        self._session.spoiled()
        return await self._ask(device, batch, await self._session.token(), wait)

    async def _ask(self, device: DeviceIdentity, batch: Sequence[dict[str, Any]], token: str, wait: float) -> _Answer:
        cursors: dict[str, int] = await self._run(self._journal.cursors)
        sent_ms = self._clock.now_ms()
        request = SyncRequest(
            v=PROTOCOL_VERSION, d=device.code, e=device.epoch, t=sent_ms, c=cursors, o=list(batch), wait=wait
        )
        try:
            return await self._send(device, batch, token, request)
        except Refusal as refusal:
            if refusal.params.get("reason") != "dictionary" or not self._dictionary:
                raise
        self._dictionary = False  # an older server: plain from now on
        return await self._send(device, batch, token, request)

    async def _send(
        self, device: DeviceIdentity, batch: Sequence[dict[str, Any]], token: str, request: SyncRequest
    ) -> _Answer:
        answer = _Answer(held=request.wait > 0)
        sent_ms = request.t
        reader = FrameReader(find=dictionary_of)
        body = pack(request, current() if self._dictionary else None)
        async with self._link.post(SYNC_PATH, body, token=token) as chunks:
            async for chunk in chunks:
                await self._take(device, batch, reader.feed(chunk), answer, sent_ms)
        if answer.end is None:
            raise Refusal(Code.SERVER_AWAY)  # the line was cut inside the answer
        return answer

    async def _take(
        self,
        device: DeviceIdentity,
        batch: Sequence[dict[str, Any]],
        frames: Sequence[Frame],
        answer: _Answer,
        sent_ms: int,
    ) -> None:
        """Put what has arrived into the journal, if it is still the one that asked."""
        if not frames:
            return
        async with self._taking:
            now: DeviceIdentity | None = await self._run(lambda: self._journal.device)
            if now is None or (now.code, now.epoch) != (device.code, device.epoch):
                if not answer.rewound:
                    raise Refusal(Code.SERVER_AWAY)  # the server or this device became another meanwhile: ask again
                return
            await self._store(device, batch, frames, answer, sent_ms)

    async def _store(
        self,
        device: DeviceIdentity,
        batch: Sequence[dict[str, Any]],
        frames: Sequence[Frame],
        answer: _Answer,
        sent_ms: int,
    ) -> None:
        """One transaction for the outcomes, one for the events."""
        outcomes: list[Outcome] = []
        events: list[Event] = []
        for frame in frames:
            match frame:
                case Head():
                    answer.head = frame
                    if not answer.held:  # else the server's clock is of the time it was asked
                        self._offsets.append(frame.t - (sent_ms + self._clock.now_ms()) // 2)
                    answer.rewound = await self._follow_lineage(device, batch, frame)
                case Results():
                    outcomes += frame.r
                case Event():
                    events.append(frame)
                case End():
                    answer.end = frame
        if answer.rewound or answer.head is None:
            return
        if outcomes or answer.head.durable > self._durable:
            await self._run(self._journal.settle, outcomes, durable=answer.head.durable)
            self._durable = answer.head.durable
            answer.settled += len(outcomes)
        answer.events += len(events)
        if events and (changed := await self._run(self._journal.receive, events)):
            self._on_cards(changed)

    async def _follow_lineage(self, device: DeviceIdentity, batch: Sequence[dict[str, Any]], head: Head) -> bool:
        """Another lineage of the server's database, or one that lacks what it had: start again from what it has.
        Refusal(GAP) when the journal has no longer what the server asks for."""
        lacks = bool(batch) and head.next < batch[0]["n"]
        if head.e == device.epoch and not lacks:
            return False
        await self._run(self._journal.rewind, head.next, head.e)
        self._durable = 0
        if lacks:
            oldest: list[Operation] = await self._run(self._journal.outbox, 1)
            if not oldest or oldest[0].n > head.next:
                raise Refusal(Code.GAP, next=head.next)
        return True

    async def _tell(self, light: ServerLight, refusal: Refusal | None) -> None:
        unsent = self.state.unsent
        with contextlib.suppress(Refusal):  # a full disk is told by who writes; here the last count will do
            unsent = await self._run(self._journal.unsent)
        offset = round(statistics.median(self._offsets)) if self._offsets else 0
        state = replace(self.state, light=light, refusal=refusal, unsent=unsent, offset_ms=offset)
        if light is not self.state.light:
            state = replace(state, since_ms=self._clock.now_ms())
        changed = _look(state) != _look(self.state)
        self.state = state
        if changed:
            self._on_state(state)


def _look(state: SenderState) -> tuple[object, ...]:
    """What a screen would show of a state."""
    return state.light, state.unsent, state.refusal and (state.refusal.code, str(state.refusal.params))


def _fitting(operations: Sequence[Operation]) -> list[dict[str, Any]]:
    """As many as fit one request, the first in any case."""
    fitting: list[dict[str, Any]] = []
    used = 0
    for operation in operations:
        plain = plain_operation(operation)
        used += len(msgspec.json.encode(plain))
        if fitting and used > _BATCH_BYTES:
            break
        fitting.append(plain)
    return fitting
