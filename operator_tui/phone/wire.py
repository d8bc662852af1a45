"""What crosses the engine's socket: frames of a 4-byte big-endian length and UTF-8 JSON.

Engine to desk: one ``Hello`` (or ``Refused``), then replies and events. Desk to engine: requests. Both ends
check every byte against these types; what does not fit is a refusal, never a crash.
"""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.phone.line import PROTOCOL, Caller, CallId, LineConfig, PhoneEvent, Snapshot

MAX_FRAME = 4 * 1024 * 1024
_LENGTH_BYTES = 4

# Acts ----------------------------------------------------------------------------------------------------


class Act(msgspec.Struct, frozen=True, tag_field="do", tag=str.lower):
    """What a desk can ask for."""


class BeginWork(Act, frozen=True):
    config: LineConfig
    secret: str
    callers: tuple[Caller, ...] = ()
    ami_secret: str = ""
    record_key: str = ""  # public key recordings are encrypted for, hexadecimal; empty: nothing is recorded

    def __repr__(self) -> str:
        return "BeginWork(…)"  # the secret must not come out in a log or a traceback


class EndWork(Act, frozen=True):
    pass


class SetReady(Act, frozen=True):
    on: bool


class Dial(Act, frozen=True):
    number: str


class Answer(Act, frozen=True):
    call: CallId


class Reject(Act, frozen=True):
    call: CallId
    reason: str = ""


class HangUp(Act, frozen=True):
    call: CallId


class Hold(Act, frozen=True):
    call: CallId
    on: bool


class Mute(Act, frozen=True):
    call: CallId
    on: bool


class Dtmf(Act, frozen=True):
    call: CallId
    digits: str


class BlindTransfer(Act, frozen=True):
    call: CallId
    target: str


class AttendedTransfer(Act, frozen=True):
    call: CallId
    consult: CallId


class AcceptTransfer(Act, frozen=True):
    call: CallId


class RefuseTransfer(Act, frozen=True):
    call: CallId


class PauseRecord(Act, frozen=True):
    call: CallId
    on: bool


class SetDevices(Act, frozen=True):
    """Names of devices; empty is the system's default."""

    input: str = ""
    output: str = ""
    ring: str = ""


class SetVolume(Act, frozen=True):
    """How loud the caller is in the operator's ear, percent of what comes."""

    percent: int


class WatchLevels(Act, frozen=True):
    """Whether Levels events are sent (a meter is on the screen)."""

    on: bool


class CheckMicrophone(Act, frozen=True):
    """Record two seconds and play them back; the result is their peak, "0.00" to "1.00"."""


class PlayPart(Act, frozen=True):
    """The next bytes of a recording (WAV or Ogg Opus) for the operator's ear; with the last of them it is played on the
    devices of ``config``. The first of them end what was begun and not finished before."""

    config: LineConfig
    part: bytes
    last: bool
    first: bool = False

    def __repr__(self) -> str:
        return "PlayPart(…)"  # somebody's voice


class PlayCommand(Act, frozen=True):
    """To what is played: a line as playback.py reads it, or ``stop``."""

    command: str


class ShutDown(Act, frozen=True):
    """«Выход»: end, as soon as no call is left."""


AnyAct = (
    BeginWork
    | EndWork
    | SetReady
    | Dial
    | Answer
    | Reject
    | HangUp
    | Hold
    | Mute
    | Dtmf
    | BlindTransfer
    | AttendedTransfer
    | AcceptTransfer
    | RefuseTransfer
    | PauseRecord
    | SetDevices
    | SetVolume
    | WatchLevels
    | CheckMicrophone
    | PlayPart
    | PlayCommand
    | ShutDown
)


class Request(msgspec.Struct, frozen=True):
    """``id`` comes back in the reply."""

    id: int
    act: AnyAct


class _RequestId(msgspec.Struct):
    id: int


# Answers -------------------------------------------------------------------------------------------------


class Hello(msgspec.Struct, frozen=True, tag_field="type", tag="hello"):
    """The first frame. ``v`` is read before the snapshot, whose form may differ between versions."""

    v: int
    engine: str
    snapshot: msgspec.Raw


class Refused(msgspec.Struct, frozen=True, tag_field="type", tag="refused"):
    """The first frame of an engine that does not take this desk; the connection closes."""

    refusal: dict[str, Any]


class Reply(msgspec.Struct, frozen=True, tag_field="type", tag="reply"):
    id: int
    result: str = ""
    refusal: dict[str, Any] | None = None


class Event(msgspec.Struct, frozen=True, tag_field="type", tag="event"):
    event: PhoneEvent


_encoder = msgspec.json.Encoder()
_requests = msgspec.json.Decoder(Request)
_request_ids = msgspec.json.Decoder(_RequestId)
_answers: msgspec.json.Decoder[Hello | Refused | Reply | Event] = msgspec.json.Decoder(Hello | Refused | Reply | Event)
_snapshots = msgspec.json.Decoder(Snapshot)


def framed(message: msgspec.Struct) -> bytes:
    """The message as it goes over the socket."""
    body = _encoder.encode(message)
    return len(body).to_bytes(_LENGTH_BYTES, "big") + body


async def read_frame(reader: asyncio.StreamReader) -> bytes | None:
    """The next body; None when the other end is gone. Refusal(BAD_REQUEST) for a length no peer of ours sends."""
    try:
        length = int.from_bytes(await reader.readexactly(_LENGTH_BYTES), "big")
        if length > MAX_FRAME:
            raise Refusal(Code.BAD_REQUEST)
        return await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def hello(snapshot: Snapshot) -> Hello:
    return Hello(PROTOCOL, snapshot.engine, msgspec.Raw(_encoder.encode(snapshot)))


def request_of(body: bytes) -> Request:
    """Refusal(BAD_REQUEST, id=…) for a body that is no request; id is -1 when not even that can be read."""
    try:
        return _requests.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal(Code.BAD_REQUEST, id=_id_of(body)) from error


def _id_of(body: bytes) -> int:
    try:
        return _request_ids.decode(body).id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return -1


def answer_of(body: bytes) -> Hello | Refused | Reply | Event:
    """Refusal(PHONE_VERSION) for what this version does not understand."""
    try:
        return _answers.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal(Code.PHONE_VERSION) from error


def snapshot_of(first: Hello) -> Snapshot:
    """Refusal(PHONE_VERSION) when desk and engine are of different versions."""
    if first.v != PROTOCOL:
        raise Refusal(Code.PHONE_VERSION)
    try:
        return _snapshots.decode(first.snapshot)
    except msgspec.DecodeError as error:
        raise Refusal(Code.PHONE_VERSION) from error
