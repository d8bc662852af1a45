"""Sends what the operator did and fetches what others did, for as long as the desk lives.

Every frame is in the journal before the next is looked at, so a cut
line costs the last frame alone; what was sent and not answered is sent again, the server takes it once.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import msgspec

from operator_tui.appeals.clock import Clock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import Operation
from operator_tui.journal.device import DeviceIdentity
from operator_tui.journal.journal import Journal
from operator_tui.sync.asking import Asking, Session
from operator_tui.sync.enrol import fork
from operator_tui.sync.events import PRESENCE, read_frames, read_presence
from operator_tui.sync.healing import Healing
from operator_tui.sync.link import Link
from operator_tui.sync.listening import Buffered, Listening, Way
from operator_tui.sync.presence import PresenceTeller
from operator_tui.sync.protocol import (
    EVENTS_PATH,
    MAX_OPERATIONS,
    MAX_WAIT_S,
    PRESENCE_PATH,
    PresenceRequest,
    plain_operation,
)
from operator_tui.sync.returning import Returning
from operator_tui.sync.rounds import Rounds
from operator_tui.sync.snapshot import CatchingUp
from operator_tui.sync.taking import Answer, Taking

_SOON_S = 2.0  # what nobody waits for is gathered for so long
# One batch is fastest (3.8 s for 100 cards on 64 kbit/s where five of 20 take 7.1), but a cut loses all that is under
# way: a line that breaks off gets less at once, and more again when it holds.
_LEAST_OPERATIONS = 5
_BATCH_BYTES = 1 << 20
_FIRST_S = 15.0  # until the first event of a stream, which the server sends at once
_REWINDS = 2  # in one round; a server that asks for the same again and again is not followed
_FORKS = 1  # the same


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
        best: Way = Way.STREAM,
        on_state: Callable[[SenderState], None] = lambda state: None,
        on_cards: Callable[[Sequence[str]], None] = lambda cards: None,
        on_presence: Callable[[], None] = lambda: None,
        on_reference: Callable[[], None] = lambda: None,
    ) -> None:
        """``run(function, *args, **kwargs)`` runs a journal's method on the journal's thread; ``poll_s`` seconds
        between two looks while nothing is to be sent, if the server does not hold a look for ``wait_s`` until there is
        something to see (0: it is not asked to); ``best`` the way of hearing of others that is tried first; the
        callbacks get each new state and the cards changed; ``on_presence`` that ``presence`` has news,
        ``on_reference`` that the reference data are others."""
        self._journal = journal
        self._link = link
        self._run = run
        self._clock = clock
        self._poll_s = poll_s
        self._wait_s = wait_s
        self._on_state = on_state
        self._rounds = Rounds(self._round, self._fell)
        self._soon: asyncio.TimerHandle | None = None
        self._went = False  # something, since the state was told last
        self._batch = MAX_OPERATIONS
        self._streaming = False
        self._lane = asyncio.Lock()  # operations go before presence
        self._taking = Taking(journal, run=run, clock=clock, on_cards=on_cards, on_reference=on_reference)
        self._asking = Asking(
            journal, link, self._taking, run=run, clock=clock, session=session, quiet=self._quiet, read=self._read
        )
        self._listening = Listening(self._streamed, self._held, best=best, wait_s=wait_s, clock=clock)
        self._returning = Returning(journal, link, self._taking, run=run)
        self._healing = Healing(journal, self._asking.whole, run=run, clock=clock, on_cards=on_cards)
        self._catching = CatchingUp(
            journal, link, run=run, ask=self._asking.whole, signed_in=self._asking.as_who_sits, on_cards=on_cards
        )
        self.presence = PresenceTeller(self._tell_presence, clock=clock, on_change=on_presence)
        self.state = SenderState(since_ms=clock.now_ms())

    def kick(self) -> None:
        """There is something to send, or the line is back: try now."""
        self._rounds.kick()

    def kick_soon(self) -> None:
        """There is something to send that may wait for what comes with it: events of a call go in one piece."""
        if self._soon is None:
            self._soon = asyncio.get_running_loop().call_later(_SOON_S, self._rounds.kick)

    async def run(self) -> None:
        """Send and fetch until ``stop``."""
        self._rounds.began()
        presence = asyncio.create_task(self.presence.run(lambda: self._lane))
        try:
            while True:
                self._rounds.kicked.clear()
                self._forget_soon()
                pause = await self.round()
                if self._wait_s and self.state.light is ServerLight.ON and not self._catching.going_on:
                    await self._listening.listen(pause, self._rounds.kicked)
                else:
                    await self._rounds.pause(pause)
        finally:
            self._forget_soon()
            presence.cancel()
            await asyncio.wait({presence})
            await self.let_go()

    def _forget_soon(self) -> None:
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None

    @property
    def catching_up(self) -> bool:
        """Whether a snapshot is on its way."""
        return self._catching.going_on

    async def let_go(self) -> None:
        """End what goes on beside the rounds."""
        await self._listening.stop()
        await self._catching.stop()

    async def round(self) -> float:
        """Exchange until both ends are even, or until it fails. Seconds to wait before the next time."""
        return await self._rounds.once()

    async def stop(self) -> None:
        """End ``run``. What is not sent stays in the journal and goes at the next start."""
        await self._rounds.stop()

    async def _round(self) -> float:
        async with self._lane:
            await self._until_even()
            if not self._catching.going_on:
                await self._catching.fill_in()
                await self._healing.when_due()
        await self._tell(ServerLight.ON, None)
        return self._poll_s

    async def _fell(self, refusal: Refusal) -> None:
        await self._tell(ServerLight.AWAY if refusal.code is Code.SERVER_AWAY else ServerLight.TROUBLE, refusal)

    def _quiet(self, sending: bool) -> bool:
        """Whether the events come another way: by an open stream, that has told all so far, or by a snapshot."""
        return (self._streaming and sending and not self._catching.unread) or self._catching.going_on

    def _read(self) -> None:
        if not self._catching.going_on:
            self._catching.unread = False

    async def _held(self) -> int:
        """A request that the server holds until there is something; how many events came."""
        device: DeviceIdentity | None = await self._run(lambda: self._journal.device)
        return (await self._asking.exchange(device, [], wait=self._wait_s)).events if device else 0

    async def _streamed(self) -> int:
        """Follow an open stream until it ends; how many events came. Buffered when nothing of it arrives at all."""
        device: DeviceIdentity | None = await self._run(lambda: self._journal.device)
        if device is None:
            return 0
        cursors: dict[str, int] = await self._run(self._journal.cursors)
        query = self._asking.query(device, cursors)
        answer = Answer(held=True)

        async def follow(token: str) -> None:
            try:
                async with (
                    asyncio.timeout(_FIRST_S) as first,
                    self._link.events(EVENTS_PATH, query, token=token) as events,
                ):
                    async for event in events:
                        if first.when() is not None:
                            first.reschedule(None)
                            self._streaming = True
                            self.presence.opened()
                        await self._heard(device, answer, event)
                        if answer.rewound:
                            return
            except TimeoutError:
                raise Buffered from None

        try:
            await self._asking.signed_in(device, follow)
        finally:
            self._streaming = False
            self.presence.closed()
        return answer.events

    async def _heard(self, device: DeviceIdentity, answer: Answer, event: tuple[str, str]) -> None:
        kind, data = event
        if kind == PRESENCE:
            self.presence.told(read_presence(data))
        else:
            await self._taking.take(device, [], read_frames(kind, data), answer, self._clock.now_ms())

    async def _tell_presence(self, asked: PresenceRequest) -> None:
        device: DeviceIdentity | None = await self._run(lambda: self._journal.device)
        if device is not None:
            body = msgspec.json.encode(asked)
            await self._asking.signed_in(device, lambda token: self._link.put(PRESENCE_PATH, body, token=token))

    async def _until_even(self) -> None:
        device: DeviceIdentity | None = await self._run(lambda: self._journal.device)
        if device is None:
            raise Refusal(Code.NOT_ENROLLED)
        rewound = forked = 0
        while True:
            limit = self._batch
            waiting: list[Operation] = await self._run(self._journal.outbox, limit)
            batch = _fitting(waiting)
            try:
                answer = await self._asking.exchange(device, batch)
            except Refusal as refusal:
                if refusal.code is Code.SERVER_AWAY and refusal.params.get("reached", True) and batch:
                    self._batch = max(_LEAST_OPERATIONS, len(batch) // 4)
                if batch and "region" in refusal.params:
                    await self._only_hear(device)
                forked += 1
                if refusal.code not in (Code.FORK, Code.TOKEN_INVALID) or forked > _FORKS or self._asking.by_person:
                    raise  # a person's workstation is enrolled anew by the administrator
                if refusal.code is Code.FORK:
                    device = await self._take_new_code(device, batch, refusal)
                else:
                    device = await self._returning.as_known(device, refusal)
                continue
            self._batch = min(MAX_OPERATIONS, self._batch * 4)
            if answer.rewound:
                rewound += 1
                if rewound > _REWINDS:
                    raise Refusal(Code.GAP)
                device = await self._run(lambda: self._journal.device)
                assert device is not None  # an identity is never taken away
                continue
            if batch and not answer.settled:
                raise Refusal(Code.SERVER_REFUSED, reason="no results")
            self._went = self._went or bool(batch)
            await self._look_behind(device, answer)
            if len(batch) == len(waiting) < limit and not _more(answer):
                return
            await self._tell(ServerLight.ON, None)

    async def _only_hear(self, device: DeviceIdentity) -> None:
        """Our region moves to a server of its own: nothing is taken there meanwhile, and what is there can be read."""
        while True:
            if not _more(await self._asking.exchange(device, [])):
                return

    async def _look_behind(self, device: DeviceIdentity, answer: Answer) -> None:
        """Far behind its organisation's stream a desk takes the appeals as they stand."""
        stream = device.operator.organisation
        if answer.end is None or stream not in answer.end.end:
            return
        cursors, taking = await self._run(lambda: (self._journal.cursors(), self._journal.taking_snapshot))
        behind = answer.end.end[stream].head - cursors.get(stream, 0)
        epoch = answer.head.e if answer.head else ""
        self._catching.look(stream, behind, epoch, begun=taking == stream, done=self.kick)

    async def _take_new_code(
        self, device: DeviceIdentity, batch: Sequence[dict[str, Any]], refusal: Refusal
    ) -> DeviceIdentity:
        """This journal was copied: what both copies have is settled under the old code, the rest goes on under a new
        one, known by ``was``. Refusal(FORK) when the server does not say where the copies part."""
        fork_n = refusal.params.get("n")
        if not isinstance(fork_n, int):
            raise refusal
        if common := [plain for plain in batch if plain["n"] < fork_n]:
            await self._asking.exchange(device, common)
        fresh = await fork(self._link, device.token)
        await self._taking.become(device, fresh)
        return fresh

    async def _tell(self, light: ServerLight, refusal: Refusal | None) -> None:
        unsent = self.state.unsent
        with contextlib.suppress(Refusal):  # a full disk is told by who writes; here the last count will do
            unsent = await self._run(self._journal.unsent)
        offset = self._taking.offset_ms
        state = replace(self.state, light=light, refusal=refusal, unsent=unsent, offset_ms=offset)
        if light is not self.state.light:
            state = replace(state, since_ms=self._clock.now_ms())
        # What went is told even to the same count: a screen has read the journal's own one while it waited.
        changed = self._went or _look(state) != _look(self.state)
        self._went = False
        self.state = state
        if changed:
            self._on_state(state)


def _look(state: SenderState) -> tuple[object, ...]:
    """What a screen would show of a state."""
    return state.light, state.unsent, state.refusal and (state.refusal.code, str(state.refusal.params))


def _more(answer: Answer) -> bool:
    """Whether there is more to be had at once. A server that has more and tells none of it (its tables lack what its
    streams say) is asked again when the time has come, not in a circle."""
    return answer.end is not None and answer.end.more and answer.events > 0


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
