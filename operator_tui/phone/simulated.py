"""A line with no PBX and no libraries: synthetic people call. For the demo, practice and tests.

What happens is decided by the seed and the injected clock alone: ``step`` does whatever is due now, and the
line's own task does nothing but call it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence

import msgspec

from operator_tui.appeals.clock import Clock, SystemClock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.presence import State
from operator_tui.phone.base import BaseLine, checked_digits
from operator_tui.phone.calls import Move, moved, new_id
from operator_tui.phone.line import (
    Call,
    Caller,
    CallId,
    CallState,
    Capability,
    ColleaguesChanged,
    Direction,
    EndedBy,
    LineConfig,
    RegistrationState,
    TransferEnded,
)
from operator_tui.phone.numbers import dialable
from operator_tui.phone.tasks import ended

_TICK_SECONDS = 0.2
_QUEUE = "oms-1"
_MOST_CALLS = 2
_RINGS_THERE_SECONDS = 0.5  # a dialled number rings
_ANSWERS_THERE_SECONDS = 3.0  # and is answered
_EXTENSIONS = range(2002, 2012)
_STATES = (State.FREE, State.FREE, State.TALKING, State.BREAK, State.OFFLINE)
# Reserved for synthetic people (brief of the project): nobody has these numbers.
_STRANGERS = tuple(Caller(f"+786520{n:05d}") for n in (41, 107, 1414, 2718, 5577, 9090))


class SimulatedLine(BaseLine):
    """PhoneLine whose callers are made up. A caller gives up unanswered, and ends a very long talk himself."""

    capabilities = frozenset(
        {
            Capability.HOLD,
            Capability.MUTE,
            Capability.DTMF,
            Capability.BLIND_TRANSFER,
            Capability.ATTENDED_TRANSFER,
            Capability.QUEUE_PAUSE,
        }
    )

    def __init__(self, clock: Clock | None = None, tick_seconds: float = _TICK_SECONDS) -> None:
        super().__init__(clock or SystemClock())
        self._tick = tick_seconds
        self._config = LineConfig()
        self._random = random.Random()
        self._callers: tuple[Caller, ...] = _STRANGERS
        self._ready = True
        self._next_ring: float | None = None
        self._second_ring: float | None = None
        self._due: dict[CallId, float] = {}  # when the other end does something next
        self._task: asyncio.Task[None] | None = None

    async def start(self, config: LineConfig, secret: str, callers: Sequence[Caller] = ()) -> None:
        self._config = config
        self._random = random.Random(config.simulated_seed)
        self._callers = tuple(callers) or _STRANGERS
        self._ready = True
        self._registered(RegistrationState.OK, extension=config.extension)
        self._tell(ColleaguesChanged({str(n): self._random.choice(_STATES) for n in _EXTENSIONS}))
        self._random = random.Random(config.simulated_seed)
        self._ring_in(config.simulated_first_seconds)
        if self._tick > 0:
            self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        await ended(self._task)
        self._task = None
        for call in self.calls():
            self._end(call, EndedBy.HERE)
        self._next_ring = self._second_ring = None
        self._registered(RegistrationState.OFF)

    async def set_ready(self, on: bool) -> None:
        self._ready = on
        self._next_ring = None
        if on and not self.calls():
            self._ring_in(self._config.simulated_next_seconds)

    # what the operator does

    async def dial(self, number: str, headers: Mapping[str, str] | None = None) -> CallId:
        target = dialable(number)
        if len(self.calls()) >= _MOST_CALLS:
            raise Refusal(Code.LINE_BUSY)
        await self._take_the_ear()
        self._next_ring = None
        call = Call(
            id=new_id(),
            direction=Direction.OUTGOING,
            number=target,
            state=CallState.DIALING,
            started_ms=self._clock.now_ms(),
        )
        self._due[call.id] = self._clock.monotonic() + _RINGS_THERE_SECONDS
        return self._enter(call).id

    async def answer(self, call: CallId) -> None:
        known = self._book.need(call, Move.ANSWER)
        if known.direction is Direction.OUTGOING:
            raise Refusal(Code.CALL_STATE, state=known.state.value, move=Move.ANSWER.value)
        await self._take_the_ear(call)
        self._move(call, Move.ANSWER)
        if self._config.simulated_waiting_seconds and len(self.calls()) == 1:
            self._second_ring = self._clock.monotonic() + self._config.simulated_waiting_seconds
        self._due[call] = self._clock.monotonic() + self._config.simulated_talk_seconds

    async def reject(self, call: CallId, reason: str = "") -> None:
        known = self._book.need(call, Move.ANSWER)
        if known.direction is Direction.OUTGOING:
            raise Refusal(Code.CALL_STATE, state=known.state.value, move="reject")
        self._end(known, EndedBy.HERE, cause="486 Busy Here")

    async def hang_up(self, call: CallId) -> None:
        self._end(self._book.need(call, Move.END), EndedBy.HERE)

    async def hold(self, call: CallId, on: bool) -> None:
        move = Move.HOLD if on else Move.RESUME
        known = self._book.need(call, move)
        if not on:
            await self._take_the_ear(call)
        self._enter(moved(known, move, at_ms=self._clock.now_ms()))

    async def mute(self, call: CallId, on: bool) -> None:
        self._enter(msgspec.structs.replace(self._book.need_connected(call), muted=on))

    async def dtmf(self, call: CallId, digits: str) -> None:
        self._book.need_connected(call)
        checked_digits(digits)

    async def blind_transfer(self, call: CallId, target: str) -> None:
        known, number = self._book.need_connected(call), dialable(target)
        if number == self._config.extension:
            self._tell(TransferEnded(call, number, Refusal(Code.TRANSFER_FAILED, reason="486").wire()))
            return
        self._end(known, EndedBy.TRANSFER, to=number)
        self._tell(TransferEnded(call, number))

    async def attended_transfer(self, call: CallId, consult: CallId) -> None:
        known, colleague = self._book.need_connected(call), self._book.need_connected(consult)
        if known.id == colleague.id:
            raise Refusal(Code.CALL_STATE, state=known.state.value, move="transfer")
        self._end(known, EndedBy.TRANSFER, to=colleague.number)
        self._end(colleague, EndedBy.TRANSFER, to=known.number)
        self._tell(TransferEnded(call, colleague.number))

    # what the world does

    def step(self) -> None:
        """Do what is due by the clock: ring, give up, answer, end a long talk."""
        now = self._clock.monotonic()
        for call in self.calls():
            if now >= self._due.get(call.id, now + 1):
                self._other_end_acts(call, now)
        if self._next_ring is not None and now >= self._next_ring and not self.calls():
            self._next_ring = None
            self._ring(now)
        if self._second_ring is not None and now >= self._second_ring and len(self.calls()) == 1:
            self._second_ring = None
            self._ring(now)

    async def _run(self) -> None:
        while True:
            self.step()
            await asyncio.sleep(self._tick)

    def _ring(self, now: float) -> None:
        caller = self._random.choice(self._callers)
        call = Call(
            id=new_id(),
            direction=Direction.INCOMING,
            number=caller.number,
            name=caller.name,
            state=CallState.RINGING,
            started_ms=self._clock.now_ms(),
            queue=_QUEUE,
        )
        self._due[call.id] = now + self._config.simulated_patience_seconds
        self._enter(call)

    def _other_end_acts(self, call: Call, now: float) -> None:
        if call.state is CallState.DIALING:
            self._due[call.id] = now + _ANSWERS_THERE_SECONDS
            self._move(call.id, Move.RING_THERE)
        elif call.state is CallState.RINGING and call.direction is Direction.OUTGOING:
            self._due[call.id] = now + self._config.simulated_talk_seconds
            self._move(call.id, Move.ANSWER)
        else:
            self._end(call, EndedBy.THERE)

    def _end(self, call: Call, by: EndedBy, *, cause: str = "", to: str = "") -> None:
        self._due.pop(call.id, None)
        self._move(call.id, Move.END, by=by, cause=cause, to=to)
        if self._ready and not self.calls() and self._registration.state is RegistrationState.OK:
            self._ring_in(self._config.simulated_next_seconds)

    def _ring_in(self, seconds: float) -> None:
        self._next_ring = self._clock.monotonic() + seconds
