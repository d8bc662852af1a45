"""The seam of the telephone: what a line is, and the words that desk, engine and lines share.

Pure: no library but msgspec, no I/O, so that the desk may import it before its first paint. Two lines stand
behind the seam, ``sip.BaresipLine`` and ``simulated.SimulatedLine``; ``engine`` drives one of them and
``remote.RemotePhone`` is the desk's end. A call always travels whole (never as a difference), so whoever
missed an event is right again with the next one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Protocol

import msgspec

from operator_tui.appeals.errors import Refusal

PROTOCOL = 1  # version of everything that crosses the engine's socket

CallId = str


class Direction(StrEnum):
    """Who began the call (functions.md K-1.10)."""

    INCOMING = "in"
    OUTGOING = "out"


class CallState(StrEnum):
    """Where a call is in its life. ``early``: we dialled and hear the PBX before the answer."""

    DIALING = "dialing"
    RINGING = "ringing"
    EARLY = "early"
    TALKING = "talking"
    HELD = "held"
    REMOTE_HELD = "remote_held"
    ENDED = "ended"


class EndedBy(StrEnum):
    """Who ended it; ``nobody`` while it lives."""

    NOBODY = ""
    HERE = "here"
    THERE = "there"
    TRANSFER = "transfer"
    NETWORK = "network"  # nobody hung up: the line broke or the other end fell silent


class Call(msgspec.Struct, frozen=True, omit_defaults=True):
    """One call.

    ``id`` is unique for ever (also between engines); ``number`` is E.164 (``+78652012345``) or an internal
    number; all ``_ms`` are UTC milliseconds; ``queue`` is the PBX queue it came through, or empty; ``dialog``
    is the SIP Call-ID, by which the PBX knows the call and its recording; ``cause`` is the PBX's own word for
    the end (``486 Busy Here``), for the log and the administrator.
    """

    id: CallId
    direction: Direction
    number: str
    state: CallState
    started_ms: int
    name: str = ""
    answered_ms: int | None = None
    ended_ms: int | None = None
    held_ms: int | None = None  # when the present hold began
    held: bool = False  # by us
    remote_held: bool = False  # by the other end
    muted: bool = False
    queue: str = ""
    dialog: str = ""
    ended_by: EndedBy = EndedBy.NOBODY
    cause: str = ""
    transferred_to: str = ""
    recording: str = ""  # on | paused; empty: not recorded
    headers: dict[str, str] = {}

    @property
    def over(self) -> bool:
        return self.state is CallState.ENDED

    @property
    def queued_ms(self) -> int | None:
        """When the caller came into the queue (UTC ms, by the PBX's clock); None for a direct call."""
        entered = self.headers.get("X-Queue-Entered", "")
        return int(entered) * 1000 if entered.isdigit() else None

    @property
    def rings_here(self) -> bool:
        """Somebody calls and has not been answered."""
        return self.state is CallState.RINGING and self.direction is Direction.INCOMING

    @property
    def abandoned(self) -> bool:
        """The caller gave up before anybody answered."""
        return (
            self.over
            and self.direction is Direction.INCOMING
            and self.answered_ms is None
            and self.ended_by in (EndedBy.THERE, EndedBy.NETWORK)
        )


class RegistrationState(StrEnum):
    """``off``: work has not begun; ``failed``: the PBX said no; ``lost``: the PBX does not answer."""

    OFF = "off"
    REGISTERING = "registering"
    OK = "ok"
    FAILED = "failed"
    LOST = "lost"


class Registration(msgspec.Struct, frozen=True, omit_defaults=True):
    """The line's registration. ``refusal`` is Refusal.wire() where there is something to tell the operator."""

    state: RegistrationState = RegistrationState.OFF
    extension: str = ""
    since_ms: int = 0
    refusal: dict[str, Any] | None = None


class Capability(StrEnum):
    """What a line can do beyond dial, answer and hang up. What it lacks turns the key off with a reason."""

    HOLD = "hold"
    MUTE = "mute"
    DTMF = "dtmf"
    BLIND_TRANSFER = "blind_transfer"
    ATTENDED_TRANSFER = "attended_transfer"
    TRANSFER_ASKED = "transfer_asked"  # can be told to call somewhere else, and asks first
    PLAY = "play"
    RECORD = "record"
    QUALITY = "quality"
    QUEUE_PAUSE = "queue_pause"  # keeps a queue's calls away while the operator is not ready


class SoundState(StrEnum):
    OK = "ok"
    NO_MICROPHONE = "no_microphone"
    NO_SOUND = "no_sound"


class Sound(msgspec.Struct, frozen=True, omit_defaults=True):
    """Devices by name; empty where there is none. ``refusal`` says what is wrong, in wire form."""

    state: SoundState = SoundState.OK
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    input: str = ""
    output: str = ""
    ring: str = ""
    refusal: dict[str, Any] | None = None


class LineConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=False):
    """How to run a line; also the ``[phone]`` section of the settings. The SIP secret is never part of it."""

    line: str = "simulated"  # simulated | sip
    server: str = ""  # host or host:port of the PBX
    transport: str = "udp"  # udp | tcp | tls
    ca_file: str = "/etc/ssl/certs/ca-certificates.crt"
    extension: str = ""  # the operator's internal number; normally known from sign-in
    auth_user: str = ""  # where the PBX keys the secret by another name
    net_interface: str = ""  # address or name of the interface; empty: found by the route
    sip_port: int = 0  # 0: a free one of the user's own range; the next port is taken too
    rtp_ports: str = ""  # "A-B"; empty: the user's own range
    rtp_tos: int = 184  # DSCP EF
    # As the public network speaks first: what needs no transcoding. A slow line puts opus first.
    codecs: tuple[str, ...] = ("pcma", "pcmu", "g722/16000/1", "opus/48000/2")
    register_seconds: int = 60
    ami_server: str = ""  # host or host:port of Asterisk's manager interface; empty: no queue figures
    ami_user: str = "oms"
    queue: str = "oms-1"
    country: str = "RU"  # how a national number is read
    record: bool = True  # the regulation wants every talk recorded
    sound: str = "pyaudio"  # pyaudio | null | wav (input_device is spoken, output_device takes what is heard)
    input_device: str = ""  # by name; empty: the system's default
    output_device: str = ""
    ring_device: str = ""
    simulated_first_seconds: float = 2.0  # from «Начало работы» to the first ring
    simulated_next_seconds: float = 15.0  # from being free again to the next
    simulated_patience_seconds: float = 45.0  # how long a simulated caller lets it ring
    simulated_talk_seconds: float = 900.0  # and how long he talks at most
    simulated_waiting_seconds: float = 0.0  # into a talk until a second caller rings; 0: never
    simulated_seed: int = 1411


class Caller(msgspec.Struct, frozen=True):
    """A synthetic caller for the simulated line."""

    number: str
    name: str = ""


# What happens on the line ---------------------------------------------------------------------------------


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


class QueueState(msgspec.Struct, frozen=True, omit_defaults=True):
    """The queue of the hot line. ``name`` is empty while the PBX does not tell; ``longest_since_ms`` (UTC ms) is when
    the one who has waited longest came; ``paused`` is this operator's own state there."""

    name: str = ""
    waiting: int = 0
    longest_since_ms: int | None = None
    paused: bool = False


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


def told(refusal: dict[str, Any] | None) -> Refusal | None:
    """The refusal of a wire form that may be absent."""
    return None if refusal is None else Refusal.from_wire(refusal)
