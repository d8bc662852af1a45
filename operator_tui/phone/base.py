"""What every line shares: the call book, the event queue, and a refusal for each act a line cannot do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec

from operator_tui.appeals.clock import Clock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.phone.calls import CallBook, Move, moved, possible
from operator_tui.phone.line import (
    Call,
    CallChanged,
    CallId,
    CallState,
    Capability,
    Direction,
    EndedBy,
    PhoneEvent,
    RecordSink,
    Registration,
    RegistrationChanged,
    RegistrationState,
)

DTMF_KEYS = frozenset("0123456789ABCD*#")
_LOUD_ENOUGH = 32  # events a reader may lag behind before the old ones go: a snapshot heals what is lost
_QUEUE_LIMIT = 1000


class BaseLine:
    """Half of a PhoneLine: bookkeeping. A line subclasses it and adds the acts it can do."""

    capabilities: frozenset[Capability] = frozenset()

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._book = CallBook()
        self._registration = Registration()
        # None: the line is dead and there will be no more.
        self._events: asyncio.Queue[PhoneEvent | None] = asyncio.Queue(_QUEUE_LIMIT)

    def registration(self) -> Registration:
        return self._registration

    def calls(self) -> tuple[Call, ...]:
        return self._book.live()

    async def events(self) -> AsyncIterator[PhoneEvent]:
        while True:
            event = await self._events.get()
            try:
                if event is None:
                    return
                yield event
            finally:
                self._events.task_done()

    async def all_told(self) -> None:
        await self._events.join()

    # for the line itself

    def _tell(self, event: PhoneEvent | None) -> None:
        if self._events.full():
            for _ in range(_LOUD_ENOUGH):
                self._events.get_nowait()
                self._events.task_done()
        self._events.put_nowait(event)

    def _over(self) -> None:
        """The line is dead beyond repair: end ``events``, so that the engine gives way to a new process."""
        self._tell(None)

    def _enter(self, call: Call) -> Call:
        """Put a new or changed call into the book and tell it."""
        self._book.put(call)
        self._tell(CallChanged(call))
        return call

    def _move(
        self,
        call_id: CallId,
        move: Move,
        *,
        by: EndedBy = EndedBy.NOBODY,
        cause: str = "",
        to: str = "",
    ) -> Call | None:
        """What the other side did. A move the table has not (a late or doubled report) is left out: None."""
        try:
            call = self._book.get(call_id)
        except Refusal:
            return None
        if not possible(call, move):
            return None
        return self._enter(moved(call, move, at_ms=self._clock.now_ms(), by=by, cause=cause, to=to))

    async def _take_the_ear(self, for_call: CallId = "") -> None:
        """One talk at a time: hold whoever is being talked to.

        Refusal(LINE_BUSY) while a number is being dialled: its answer would make a second talk.
        """
        others = [other for other in self.calls() if other.id != for_call]
        if any(other.direction is Direction.OUTGOING and other.answered_ms is None for other in others):
            raise Refusal(Code.LINE_BUSY)
        for other in others:
            if other.state in (CallState.TALKING, CallState.REMOTE_HELD):
                await self.hold(other.id, True)

    def _registered(self, state: RegistrationState, refusal: Refusal | None = None, **changes: Any) -> None:
        """Tell a change of the registration; the same state again is silent."""
        wire = refusal.wire() if refusal else None
        new = msgspec.structs.replace(self._registration, state=state, refusal=wire, **changes)
        if new == self._registration:
            return
        self._registration = msgspec.structs.replace(new, since_ms=self._clock.now_ms())
        self._tell(RegistrationChanged(self._registration))

    # acts a line may lack

    async def set_ready(self, on: bool) -> None:
        raise _unsupported(Capability.QUEUE_PAUSE)

    async def dial(self, number: str, headers: Mapping[str, str] | None = None) -> CallId:
        raise _unsupported("dial")

    async def hold(self, call: CallId, on: bool) -> None:
        raise _unsupported(Capability.HOLD)

    async def mute(self, call: CallId, on: bool) -> None:
        raise _unsupported(Capability.MUTE)

    async def dtmf(self, call: CallId, digits: str) -> None:
        raise _unsupported(Capability.DTMF)

    async def blind_transfer(self, call: CallId, target: str) -> None:
        raise _unsupported(Capability.BLIND_TRANSFER)

    async def attended_transfer(self, call: CallId, consult: CallId) -> None:
        raise _unsupported(Capability.ATTENDED_TRANSFER)

    async def accept_transfer(self, call: CallId) -> CallId:
        raise _unsupported(Capability.TRANSFER_ASKED)

    async def refuse_transfer(self, call: CallId) -> None:
        raise _unsupported(Capability.TRANSFER_ASKED)

    async def play(self, call: CallId, pcm: bytes, rate: int) -> None:
        raise _unsupported(Capability.PLAY)

    async def record(self, call: CallId, sink: RecordSink | None) -> None:
        raise _unsupported(Capability.RECORD)

    async def pause_record(self, call: CallId, on: bool) -> None:
        raise _unsupported(Capability.RECORD)


def _unsupported(what: str) -> Refusal:
    return Refusal(Code.UNSUPPORTED, what=str(what))


def checked_digits(digits: str) -> str:
    """Upper-cased DTMF keys. Refusal(NUMBER_INVALID) for anything else."""
    digits = digits.strip().upper()
    if not digits or not DTMF_KEYS.issuperset(digits):
        raise Refusal(Code.NUMBER_INVALID)
    return digits
