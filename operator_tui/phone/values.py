"""The telephone's values: a call, a registration, the sound, how a line is set up.

Pure: no library but msgspec, no I/O, so that the desk may import it before its first paint. A call always travels
whole (never as a difference), so whoever missed an event is right again with the next one.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

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
    recording: str = ""  # on | paused | pbx (there, under ``dialog``); empty: not recorded
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
    def language(self) -> str:
        """The language the caller has chosen at the PBX (``ru``, ``kk``); empty where it does not tell."""
        return self.headers.get("X-Language", "").strip().casefold()[:2]

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
    volume: int = 100  # of what the operator hears, percent
    refusal: dict[str, Any] | None = None


class QueueState(msgspec.Struct, frozen=True, omit_defaults=True):
    """The queues that ask this operator, taken together. ``name`` is one of them, empty while the PBX does not tell;
    ``longest_since_ms`` (UTC ms) is when the one who has waited longest came; ``paused`` is his own state there."""

    name: str = ""
    waiting: int = 0
    longest_since_ms: int | None = None
    paused: bool = False


class LineConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=False):
    """How to run a line; also the ``[phone]`` section of the settings. The SIP secret is never part of it."""

    line: str = "simulated"  # simulated | sip
    server: str = ""  # host or host:port of the PBX
    transport: str = "udp"  # udp | tcp | tls
    srtp: bool = False  # sound encrypted or no call at all (RFC 3711, keys by SDES: only over tls)
    slow_line: bool = False  # a 64 kbit/s office: Opus at 14 kbit/s in frames of 60 ms, instead of ``codecs``
    only_pbx: bool = True  # a call that does not come from the PBX's own address is dropped before it rings
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
    vanished_seconds: int = 30  # of silence after which the other end is taken for gone: a BYE may get lost
    ami_server: str = ""  # host or host:port of Asterisk's manager interface; empty: no queue figures
    ami_user: str = "oms"
    queue: str = "oms-1"
    transfer_rings_seconds: float = 35.0  # after that a transferred caller has come back or was taken
    country: str = "RU"  # how a national number is read
    record: bool = True  # the regulation wants every talk recorded
    record_at_pbx: bool = False  # a slow line: the PBX records, and says so of each call that comes
    record_format: str = "wav"  # wav | opus: a sixth of the bytes, some 7 MB more memory
    sound: str = "pyaudio"  # pyaudio | null | wav (input_device is spoken, output_device takes what is heard)
    input_device: str = ""  # by name; empty: the system's default
    output_device: str = ""
    volume: int = 100  # of what the operator hears, percent
    ring_device: str = ""
    simulated_first_seconds: float = 2.0  # from «Начало работы» to the first ring
    simulated_next_seconds: float = 15.0  # from being free again to the next
    simulated_patience_seconds: float = 45.0  # how long a simulated caller lets it ring
    simulated_talk_seconds: float = 900.0  # and how long he talks at most
    simulated_waiting_seconds: float = 0.0  # into a talk until a second caller rings; 0: never
    simulated_seed: int = 1411

    @property
    def likely_rate(self) -> int:
        """Samples a second that a talk will most likely have: those of the codec asked for first."""
        first = "opus/48000/1" if self.slow_line else (self.codecs or ("pcma",))[0]
        rate = first.partition("/")[2].partition("/")[0]
        return int(rate) if rate.isdigit() else 8000


class Caller(msgspec.Struct, frozen=True):
    """A synthetic caller for the simulated line."""

    number: str
    name: str = ""
