"""What happens on the line, and the picture both ends keep of it. Pure, as values.py."""

from __future__ import annotations

from typing import Any

import msgspec

from operator_tui.appeals.errors import Refusal
from operator_tui.phone.values import Call, CallId, Capability, QueueState, Registration, Sound

PROTOCOL = 1  # version of everything that crosses the engine's socket


class RegistrationChanged(msgspec.Struct, frozen=True, tag="registration"):
    registration: Registration


class CallChanged(msgspec.Struct, frozen=True, tag="call"):
    """A call is new or has changed; compare with the one you know by its id."""

    call: Call


class Digit(msgspec.Struct, frozen=True, tag="digit"):
    """The other end pressed a key."""

    call: CallId
    digit: str


class TransferEnded(msgspec.Struct, frozen=True, tag="transfer_ended"):
    """How our transfer came out; with a refusal the call goes on."""

    call: CallId
    target: str
    refusal: dict[str, Any] | None = None


class TransferAsked(msgspec.Struct, frozen=True, tag="transfer_asked"):
    """The other end asks us to call ``target``; nothing is dialled before ``accept_transfer`` (toll fraud)."""

    call: CallId
    target: str


class Quality(msgspec.Struct, frozen=True, tag="quality"):
    """Of a call's media: mean opinion score 1.0-4.5 (estimate), loss in percent, times in milliseconds."""

    call: CallId
    mos: float
    loss: float
    jitter: float
    rtt: float


class SoundChanged(msgspec.Struct, frozen=True, tag="sound"):
    sound: Sound


class Levels(msgspec.Struct, frozen=True, tag="levels"):
    """Peak levels since the last one, 0.0-1.0."""

    microphone: float
    speaker: float


class QueueChanged(msgspec.Struct, frozen=True, tag="queue"):
    queue: QueueState


class ColleaguesChanged(msgspec.Struct, frozen=True, tag="colleagues"):
    """How the other telephones of the PBX are: appeals.presence.State by extension. Always all that are known."""

    states: dict[str, str]


class Recorded(msgspec.Struct, frozen=True, tag="recorded"):
    """A recording is ended: file name in the profile's folder of recordings, SHA-256 of the encrypted file, its bytes,
    milliseconds of talk (0 where they are not known). Not ``whole``: the engine died or the disk refused."""

    call: CallId
    file: str
    sha256: str
    size: int
    ms: int
    whole: bool = True


class RecordingTrouble(msgspec.Struct, frozen=True, tag="recording_trouble"):
    """Something about recordings has to be told; talks go on."""

    refusal: dict[str, Any]


class Listened(msgspec.Struct, frozen=True, tag="listened"):
    """How a recording stands that the engine plays to the operator (playing.Played)."""

    at_ms: int
    ms: int
    playing: bool
    speed: float
    over: bool
    broken: bool = False


class Snapshot(msgspec.Struct, frozen=True, tag="snapshot"):
    """Everything the engine knows. Also an event: the desk gets one at each attach.

    ``recent`` are the last calls that ended, newest last, so that a desk that was away learns how they ended.
    """

    v: int
    engine: str
    working: bool = False
    ready: bool = True
    registration: Registration = Registration()
    calls: tuple[Call, ...] = ()
    recent: tuple[Call, ...] = ()
    capabilities: frozenset[Capability] = frozenset()
    sound: Sound = Sound()
    queue: QueueState = QueueState()
    colleagues: dict[str, str] = {}
    recorded: tuple[Recorded, ...] = ()  # the last ones, newest last

    def call(self, call_id: CallId) -> Call | None:
        """The live or recent call of that id."""
        return next((call for call in (*self.calls, *self.recent) if call.id == call_id), None)


class PhoneAway(msgspec.Struct, frozen=True, tag="away"):
    """Made at the desk's side: the engine does not answer; a Snapshot follows when it is back."""

    refusal: dict[str, Any] | None = None


PhoneEvent = (
    RegistrationChanged
    | CallChanged
    | Digit
    | TransferEnded
    | TransferAsked
    | Quality
    | SoundChanged
    | Levels
    | QueueChanged
    | ColleaguesChanged
    | Recorded
    | RecordingTrouble
    | Listened
    | Snapshot
    | PhoneAway
)

RECENT_CALLS = 20


def folded(snapshot: Snapshot, event: PhoneEvent) -> Snapshot:
    """The snapshot after the event: the one way both ends keep their picture."""
    match event:
        case Snapshot():
            return event
        case RegistrationChanged(registration=registration):
            return msgspec.structs.replace(snapshot, registration=registration)
        case SoundChanged(sound=sound):
            return msgspec.structs.replace(snapshot, sound=sound)
        case CallChanged(call=call):
            return _with_call(snapshot, call)
        case QueueChanged(queue=queue):
            return msgspec.structs.replace(snapshot, queue=queue)
        case ColleaguesChanged(states=states):
            return msgspec.structs.replace(snapshot, colleagues=states)
        case Recorded():
            return msgspec.structs.replace(snapshot, recorded=(*snapshot.recorded, event)[-RECENT_CALLS:])
        case _:
            return snapshot


def _with_call(snapshot: Snapshot, call: Call) -> Snapshot:
    others = tuple(other for other in snapshot.calls if other.id != call.id)
    if call.over:
        recent = tuple(other for other in snapshot.recent if other.id != call.id)
        return msgspec.structs.replace(snapshot, calls=others, recent=(*recent, call)[-RECENT_CALLS:])
    if others == snapshot.calls:
        return msgspec.structs.replace(snapshot, calls=(*others, call))
    calls = tuple(call if other.id == call.id else other for other in snapshot.calls)
    return msgspec.structs.replace(snapshot, calls=calls)


def told(refusal: dict[str, Any] | None) -> Refusal | None:
    """The refusal of a wire form that may be absent."""
    return None if refusal is None else Refusal.from_wire(refusal)
