"""A SIP line on baresip-python: registration, calls, transfers; the sound goes through an AudioPort.

The stack reports what has happened and this file turns it into moves of our own calls; no state is taken from
the fact that a method was called. One line in a process: the stack's state is global.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any

import baresip
import msgspec
from baresip import BaresipError, Event, RuntimeDead, StackEvent, TransferFailed

from operator_tui.appeals.clock import Clock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.phone.base import BaseLine, checked_digits
from operator_tui.phone.calls import Move, new_id
from operator_tui.phone.hearing import Hearing
from operator_tui.phone.line import (
    AudioPort,
    Call,
    Caller,
    CallId,
    Capability,
    Digit,
    Direction,
    EndedBy,
    LineConfig,
    RecordSink,
    RegistrationState,
    Sound,
    SoundChanged,
    SoundState,
    TransferAsked,
    TransferEnded,
)
from operator_tui.phone.line import CallState as State
from operator_tui.phone.numbers import dialable
from operator_tui.phone.sip_commands import asked, quietly, retried, soon_after_the_answer, who_ended
from operator_tui.phone.sip_registration import Registrar
from operator_tui.phone.sip_setup import QUEUE_HEADER, RECORDING_HEADER, Setup, caller, harmless, setup
from operator_tui.phone.talk import Ear
from operator_tui.phone.tasks import ended

_TRANSFER_SECONDS = 40.0
_SOUND_SECONDS = 3.0
_MOST_UNCLAIMED = 32


class BaresipLine(BaseLine):
    """PhoneLine over SIP."""

    capabilities = frozenset(
        {
            Capability.HOLD,
            Capability.MUTE,
            Capability.DTMF,
            Capability.BLIND_TRANSFER,
            Capability.ATTENDED_TRANSFER,
            Capability.TRANSFER_ASKED,
            Capability.QUALITY,
            Capability.QUEUE_PAUSE,
            Capability.RECORD,
        }
    )

    def __init__(self, port: AudioPort, clock: Clock) -> None:
        super().__init__(clock)
        self._config = LineConfig()
        self._setup: Setup | None = None
        self._runtime: baresip.Runtime | None = None
        self._agent: baresip.UserAgent | None = None
        self._registrar: Registrar | None = None
        self._native: dict[CallId, baresip.Call] = {}
        self._ids: dict[int, CallId] = {}
        self._unclaimed: list[StackEvent] = []  # of a call that is being made and has no id here yet
        self._leaving: dict[CallId, tuple[EndedBy, str]] = {}  # calls we are ending, and where they go
        self._closing: asyncio.Task[None] | None = None
        self._ready = True
        self._ear = Ear(port)
        self._tasks: set[asyncio.Task[Any]] = set()

    # work

    async def start(self, config: LineConfig, secret: str, callers: Sequence[Caller] = ()) -> None:
        self._config, self._ready = config, True
        self._setup = setup(config, secret)
        runtime = baresip.Runtime()
        runtime.on_dead = self._died
        try:
            await runtime.start(self._setup.config)
            self._runtime = runtime
            self._agent = await baresip.UserAgent.create(runtime, self._setup.account)
        except RuntimeDead as error:
            self._died()
            raise Refusal(Code.PHONE_AWAY) from error
        except BaresipError as error:
            await self._close_stack()
            raise Refusal(Code.PHONE_SETUP, key="phone") from error
        runtime.subscribe(self._on_event)
        self._agent.on_incoming(self._on_incoming)
        self._registrar = Registrar(runtime, self._agent, config, self._clock, self._on_registration)
        self._registrar.start()

    async def stop(self) -> None:
        for call in self.calls():
            with contextlib.suppress(Refusal):
                await self.hang_up(call.id)
        registrar, self._registrar = self._registrar, None
        if registrar is not None:
            await registrar.stop()
        await self._close_stack()
        for call in self.calls():  # whatever the stack had no time to report
            self._ended(call.id, EndedBy.HERE, "")
        await ended(*self._tasks)
        with contextlib.suppress(TimeoutError):  # a sound server that hangs must not hold up the end of work
            async with asyncio.timeout(_SOUND_SECONDS):
                await self._ear.close()
        self._registered(RegistrationState.OFF)

    async def set_ready(self, on: bool) -> None:
        self._ready = on

    async def _close_stack(self) -> None:
        """Returns when the stack is closed, whoever began that. Half closed, it lets no other start in this process."""
        runtime, self._runtime, self._agent = self._runtime, None, None
        if runtime is not None:
            self._closing = asyncio.create_task(quietly(runtime.close()))
        if self._closing is not None:
            await asyncio.shield(self._closing)

    def _on_registration(self, state: RegistrationState, refusal: Refusal | None) -> None:
        self._registered(state, refusal, extension=self._config.extension)
        self._close_if_refused()

    def _close_if_refused(self) -> None:
        """The stack would go on trying a wrong password until the PBX locks the account. A talk is let end first."""
        if self._registration.state is RegistrationState.FAILED and not self.calls():
            self._spawn(self._close_stack())

    def _died(self) -> None:
        """The stack's thread is gone; only a new process can have another."""
        self._over()

    # what the operator does

    async def dial(self, number: str, headers: Mapping[str, str] | None = None) -> CallId:
        target = dialable(number)
        agent, where = self._agent, self._setup
        if agent is None or where is None or self._registration.state is not RegistrationState.OK:
            raise Refusal(Code.PBX_AWAY)
        if len(self.calls()) >= (where.config.max_concurrent_calls or 1):
            raise Refusal(Code.LINE_BUSY)
        await self._take_the_ear()
        self._unclaimed.clear()
        native = await asked(agent.dial(self._uri(target), dict(headers or {})))
        call = Call(
            id=new_id(),
            direction=Direction.OUTGOING,
            number=target,
            state=State.DIALING,
            started_ms=self._clock.now_ms(),
            dialog=native.call_id or "",
            recording="pbx" if self._config.record_at_pbx else "",
        )
        self._adopt(call.id, native)
        self._enter(call)
        self._claim(native)
        return call.id

    async def answer(self, call: CallId) -> None:
        known = self._book.need(call, Move.ANSWER)
        if known.direction is Direction.OUTGOING:
            raise Refusal(Code.CALL_STATE, state=known.state.value, move=Move.ANSWER.value)
        await self._take_the_ear(call)
        await asked(self._native[call].answer())

    async def reject(self, call: CallId, reason: str = "") -> None:
        known = self._book.need(call, Move.ANSWER)
        if known.direction is Direction.OUTGOING:
            raise Refusal(Code.CALL_STATE, state=known.state.value, move="reject")
        self._leaving[call] = (EndedBy.HERE, "")
        await asked(self._native[call].reject())

    async def hang_up(self, call: CallId) -> None:
        self._book.need(call, Move.END)
        self._leaving[call] = (EndedBy.HERE, "")
        await asked(self._native[call].hangup())

    async def hold(self, call: CallId, on: bool) -> None:
        move = Move.HOLD if on else Move.RESUME
        self._book.need(call, move)
        if not on:
            await self._take_the_ear(call)
        native = self._native[call]
        await retried(native.hold if on else native.resume)
        self._move(call, move)
        self._follow()

    async def mute(self, call: CallId, on: bool) -> None:
        known = self._book.need_connected(call)
        self._enter(msgspec.structs.replace(known, muted=on))
        self._ear.mute(call, on)

    async def dtmf(self, call: CallId, digits: str) -> None:
        self._book.need_connected(call)
        await asked(self._native[call].send_dtmf(checked_digits(digits)))

    async def blind_transfer(self, call: CallId, target: str) -> None:
        self._book.need_connected(call)
        number = dialable(target)
        if number == self._config.extension:
            raise Refusal(Code.TRANSFER_SELF)
        native = self._native[call]
        self._spawn(self._transfer(call, number, lambda: native.transfer(self._uri(number), timeout=_TRANSFER_SECONDS)))

    async def attended_transfer(self, call: CallId, consult: CallId) -> None:
        known, colleague = self._book.need_connected(call), self._book.need_connected(consult)
        if known.id == colleague.id:
            raise Refusal(Code.CALL_STATE, state=known.state.value, move="transfer")
        # Both ends held before, by our own retrying way: the stack gives up at once on a refresh in flight.
        for leg in (known, colleague):
            if not leg.held:
                await self.hold(leg.id, True)
        one, other = self._native[call], self._native[consult]
        self._leaving[consult] = (EndedBy.TRANSFER, known.number)
        self._spawn(
            self._transfer(
                call, colleague.number, lambda: one.attended_transfer(other, timeout=_TRANSFER_SECONDS), consult
            )
        )

    async def accept_transfer(self, call: CallId) -> CallId:
        self._book.need_connected(call)
        native = self._native[call]
        request = native.transfer_request
        if request is None:
            raise Refusal(Code.CALL_STATE, state="talking", move="accept_transfer")
        number, _ = caller(f"<{request.target}>", {}, self._config.country)
        self._unclaimed.clear()
        other = await asked(native.accept_transfer())
        made = Call(
            id=new_id(),
            direction=Direction.OUTGOING,
            number=number,
            state=State.DIALING,
            started_ms=self._clock.now_ms(),
        )
        self._adopt(made.id, other)
        self._enter(made)
        self._claim(other)
        return made.id

    async def refuse_transfer(self, call: CallId) -> None:
        self._book.get(call)
        await asked(self._native[call].reject_transfer())

    async def record(self, call: CallId, sink: RecordSink | None) -> None:
        known = self._book.need_connected(call)
        before = self._ear.sink(call)
        self._ear.record(call, sink)
        if before is not None:
            before.close()
        self._enter(msgspec.structs.replace(known, recording="on" if sink else ""))

    async def pause_record(self, call: CallId, on: bool) -> None:
        known = self._book.need_connected(call)
        sink = self._ear.sink(call)
        if sink is None:
            raise Refusal(Code.RECORD_AT_PBX if known.recording == "pbx" else Code.RECORD_OFF)
        sink.pause(on)
        self._enter(msgspec.structs.replace(known, recording="paused" if on else "on"))

    def _uri(self, number: str) -> str:
        where = self._setup
        assert where is not None
        return f"sip:{number}@{where.host};transport={self._config.transport}"

    async def _transfer(
        self, call: CallId, number: str, going: Callable[[], Awaitable[None]], consult: CallId = ""
    ) -> None:
        # Only the stack's own words make it a transfer: the caller may hang up meanwhile.
        self._leaving[call] = (EndedBy.NOBODY, number)
        refusal: Refusal | None = None
        try:
            await soon_after_the_answer(going)
        except (BaresipError, ValueError) as error:
            status = error.status if isinstance(error, TransferFailed) and error.status else ""
            refusal = Refusal(Code.TRANSFER_FAILED, reason=str(status or type(error).__name__))
            self._leaving.pop(call, None)
            self._leaving.pop(consult, None)
        self._tell(TransferEnded(call, number, refusal.wire() if refusal else None))

    # what the stack reports

    def _on_incoming(self, native: baresip.Call) -> None:
        headers = {name: harmless(value) for name, value in native.headers.items() if value}
        queue = headers.get(QUEUE_HEADER, "")
        if queue and not self._ready:
            # Wrap-up or a break: 486, and the queue goes on to the next operator. Colleagues still get through.
            self._spawn(quietly(native.reject()))
            return
        number, name = caller(native.peer or "", headers, self._config.country)
        call = Call(
            id=new_id(),
            direction=Direction.INCOMING,
            number=number,
            name=name,
            state=State.RINGING,
            started_ms=self._clock.now_ms(),
            queue=queue,
            dialog=native.call_id or "",
            recording="pbx" if RECORDING_HEADER in headers else "",
            headers=headers,
        )
        self._adopt(call.id, native)
        self._enter(call)

    def _adopt(self, call: CallId, native: baresip.Call) -> None:
        self._native[call] = native
        self._ids[native.handle] = call
        native.on_dtmf(lambda digit: self._tell(Digit(call, digit.digit)))
        native.on_transfer_request(lambda request: self._tell(TransferAsked(call, harmless(request.target))))
        hearing = Hearing(call)
        native.on_rtcp(lambda stats: self._tell(hearing.reported(stats)))

    def _claim(self, native: baresip.Call) -> None:
        """What came of a call before it was known here: a PBX may refuse it before the stack says that it is made."""
        own = [event for event in self._unclaimed if event.call == native.handle]
        self._unclaimed.clear()
        for event in own:
            self._on_event(event)

    def _on_event(self, event: StackEvent) -> None:
        call = self._ids.get(event.call)
        if call is None:
            self._unclaimed = [*self._unclaimed[1 - _MOST_UNCLAIMED :], event]
            return
        moves = {
            Event.CALL_RINGING: Move.RING_THERE,
            Event.CALL_PROGRESS: Move.EARLY,
            Event.CALL_ESTABLISHED: Move.ANSWER,
            Event.CALL_HOLD: Move.REMOTE_HOLD,
            Event.CALL_RESUME: Move.REMOTE_RESUME,
        }
        self._learn_dialog(call)
        if event.event is Event.CALL_CLOSED:
            self._closed(call, event.text or "")
        elif move := moves.get(event.event):
            self._move(call, move)
        else:
            return
        self._follow()

    def _learn_dialog(self, call: CallId) -> None:
        """Of a call we dialled the stack knows the SIP Call-ID only when it has sent the INVITE."""
        known, native = next((one for one in self.calls() if one.id == call), None), self._native.get(call)
        if known is not None and not known.dialog and native is not None and native.call_id:
            self._book.put(msgspec.structs.replace(known, dialog=native.call_id))

    def _closed(self, call: CallId, text: str) -> None:
        by, _ = self._leaving.get(call, (EndedBy.NOBODY, ""))
        self._ended(call, who_ended(text) if by is EndedBy.NOBODY else by, text)

    def _ended(self, call: CallId, by: EndedBy, text: str) -> None:
        _, to = self._leaving.pop(call, (by, ""))
        if (sink := self._ear.sink(call)) is not None:
            self._ear.record(call, None)
            sink.close()
        native = self._native.pop(call, None)
        if native is not None:
            self._ids.pop(native.handle, None)
        self._move(call, Move.END, by=by, cause=text, to=to if by is EndedBy.TRANSFER else "")
        if by is EndedBy.NETWORK and self._registrar is not None:
            self._registrar.doubt()
        self._close_if_refused()

    def _follow(self) -> None:
        """Let the sound follow the call that is heard now."""
        self._spawn(self._listen())

    async def _listen(self) -> None:
        try:
            await self._ear.follow(self.calls, self._native)
        except Refusal as refusal:
            self._tell(SoundChanged(Sound(SoundState(refusal.code.value), refusal=refusal.wire())))

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
