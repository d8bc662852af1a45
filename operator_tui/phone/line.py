"""The seam of the telephone: what a line is. Whoever drives a line or follows one imports its words from here.

Two lines stand behind the seam, ``sip.BaresipLine`` and ``simulated.SimulatedLine``; ``engine`` drives one of them and
``remote.RemotePhone`` is the desk's end.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Protocol

from operator_tui.phone.events import (
    PROTOCOL,
    RECENT_CALLS,
    CallChanged,
    ColleaguesChanged,
    Digit,
    Levels,
    Listened,
    PhoneAway,
    PhoneEvent,
    Quality,
    QueueChanged,
    Recorded,
    RecordingTrouble,
    RegistrationChanged,
    Snapshot,
    SoundChanged,
    TransferAsked,
    TransferEnded,
    folded,
    told,
)
from operator_tui.phone.values import (
    Call,
    Caller,
    CallId,
    CallState,
    Capability,
    Direction,
    EndedBy,
    LineConfig,
    QueueState,
    Registration,
    RegistrationState,
    Sound,
    SoundState,
)

__all__ = [
    "PROTOCOL",
    "RECENT_CALLS",
    "AudioPort",
    "Call",
    "CallChanged",
    "CallId",
    "CallState",
    "Caller",
    "Capability",
    "ColleaguesChanged",
    "Digit",
    "Direction",
    "EndedBy",
    "Levels",
    "LineConfig",
    "Listened",
    "PhoneAway",
    "PhoneEvent",
    "PhoneLine",
    "Quality",
    "QueueChanged",
    "QueueState",
    "RecordSink",
    "Recorded",
    "RecordingTrouble",
    "Registration",
    "RegistrationChanged",
    "RegistrationState",
    "Snapshot",
    "Sound",
    "SoundChanged",
    "SoundState",
    "TransferAsked",
    "TransferEnded",
    "folded",
    "told",
]


class RecordSink(Protocol):
    """Takes a call's sound as it happens, 16-bit mono of each side, on the sound's own threads; must not block."""

    def begin(self, rate: int) -> None:
        """A stretch of talk begins."""
        ...

    def leave(self) -> None:
        """It is over (hold, end); another may follow."""
        ...

    def operator(self, pcm: bytes, rate: int) -> None: ...

    def caller(self, pcm: bytes, rate: int) -> None: ...

    def pause(self, on: bool) -> None: ...

    def close(self) -> None: ...


class AudioPort(Protocol):
    """Where the sound of the talk goes: 20 ms frames of 16-bit mono PCM, native byte order.

    ``pull(n)`` gives n bytes for the speaker (short or empty when there are none), ``push(pcm)`` takes what the
    microphone heard. Both are called on the port's own thread and must not block.
    """

    def start(self, rate: int, pull: Callable[[int], bytes], push: Callable[[bytes], None]) -> None:
        """Open both ways. Refusal(NO_MICROPHONE | NO_SOUND)."""
        ...

    def stop(self) -> None:
        """Close both ways; nothing to do when closed."""
        ...


class PhoneLine(Protocol):
    """One account at a PBX. Lives in the engine process; every act may raise Refusal.

    An act returns when it has been sent; what came of it is an event. Acts on a call raise
    Refusal(NO_SUCH_CALL) when it is gone, CALL_STATE when its state does not allow them (calls.py has the table)
    and UNSUPPORTED when the line has not the capability.
    """

    capabilities: frozenset[Capability]

    async def start(self, config: LineConfig, secret: str, callers: Sequence[Caller] = ()) -> None:
        """Begin work: register. How that came out is a RegistrationChanged (PHONE_PASSWORD, PBX_AWAY, …)."""
        ...

    async def stop(self) -> None:
        """End all calls, unregister, let go of everything."""
        ...

    def registration(self) -> Registration: ...

    def calls(self) -> tuple[Call, ...]:
        """The live calls, oldest first."""
        ...

    def events(self) -> AsyncIterator[PhoneEvent]:
        """What happens; for one reader. Ends only when the line is dead and its process must be replaced."""
        ...

    async def all_told(self) -> None:
        """Returns when the reader of ``events`` is done with everything that happened so far."""
        ...

    async def set_ready(self, on: bool) -> None:
        """Whether a queue may give this operator calls (not in wrap-up, not on a break)."""
        ...

    async def dial(self, number: str, headers: Mapping[str, str] | None = None) -> CallId:
        """Call a number. Refusal(NUMBER_INVALID | LINE_BUSY | PBX_AWAY)."""
        ...

    async def answer(self, call: CallId) -> None: ...

    async def reject(self, call: CallId, reason: str = "") -> None:
        """Refuse a ringing call (SIP 486); the reason stays in our own log."""
        ...

    async def hang_up(self, call: CallId) -> None: ...

    async def hold(self, call: CallId, on: bool) -> None: ...

    async def mute(self, call: CallId, on: bool) -> None: ...

    async def dtmf(self, call: CallId, digits: str) -> None:
        """Send keys 0-9 A-D * #. Refusal(NUMBER_INVALID) for others."""
        ...

    async def blind_transfer(self, call: CallId, target: str) -> None:
        """Send the caller on. A TransferEnded says how it came out; a failed one keeps the call."""
        ...

    async def attended_transfer(self, call: CallId, consult: CallId) -> None:
        """Join the caller with the colleague of ``consult``. As with blind_transfer."""
        ...

    async def accept_transfer(self, call: CallId) -> CallId:
        """Call where the other end asked us to (TransferAsked); the new call's id."""
        ...

    async def refuse_transfer(self, call: CallId) -> None: ...

    async def play(self, call: CallId, pcm: bytes, rate: int) -> None:
        """Let the other end hear this (16-bit mono) mixed over the microphone."""
        ...

    async def record(self, call: CallId, sink: RecordSink | None) -> None:
        """Record into the sink; None ends it (and closes the sink)."""
        ...

    async def pause_record(self, call: CallId, on: bool) -> None:
        """Write silence while on. Refusal(RECORD_OFF) when the call is not recorded."""
        ...
