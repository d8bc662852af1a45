"""The messages between a desk and the central server; both ends import this file and nothing else of each other.

``POST /v1/sync`` carries one JSON request and is answered by NDJSON frames (packing.py has their bytes). Field names
are short because one line of 64 kbit/s carries them. Fields a program does not know are skipped.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from operator_tui.appeals.card import Card
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import Event, Operation, Outcome
from operator_tui.appeals.people import Operator

# Of the messages whose form is the same since version 1: every version has them.
PROTOCOL_VERSION = 1
# Of the exchange. Version 2 tells the reference data in a stream of their own; what a desk of version 1 would only keep
# is not sent to it.
SYNC_VERSION = 2
WITH_REFERENCE = 2
# The present version and the one before it.
SPOKEN_VERSIONS = frozenset({SYNC_VERSION - 1, SYNC_VERSION})

SYNC_PATH = "/v1/sync"
ENROL_PATH = "/v1/enroll"
FORK_PATH = "/v1/fork"
EVENTS_PATH = "/v1/events"
PRESENCE_PATH = "/v1/presence"
DICT_PATH = "/v1/dict"
SUMS_PATH = "/v1/sums"
DAY_PATH = "/v1/day"
SNAPSHOT_PATH = "/v1/snapshot"
CARDS_PATH = "/v1/cards"
MOST_CARDS = 50  # asked for at once
HEALTH_PATH = "/v1/health"
JSON_TYPE = "application/json"
FRAMES_TYPE = "application/x-ndjson"
STREAM_TYPE = "text/event-stream"
ENCODING = "zstd"

FRAME_EVENTS = 5  # entries between two flushes: what a cut can lose
MAX_OPERATIONS = 100  # in one request
MAX_BODY = 2 << 20  # bytes of a request on the wire
MAX_PLAIN = 8 << 20  # bytes of a request after decompression: what a zstd bomb can cost
MAX_ANSWER = 64 << 20  # the same for an answer; a page of events is some 16 KB
MAX_PAGE = 1 << 20  # bytes of events a desk may ask for at once
MAX_WAIT_S = 25.0  # longest long poll: under the 30 s after which proxies cut

HEARTBEAT_S = 25.0  # between two comments of a stream that has nothing to tell
SILENCE_S = 40.0  # a stream that was silent for so long is dead
MAX_WATCHED = 64  # numbers whose presence a desk may follow: what a screen shows


class SyncRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a desk sends.

    ``v`` protocol version; ``d`` device; ``e`` epoch the desk knows, empty at first; ``t`` its clock (UTC ms);
    ``c`` last event it has of each stream; ``o`` operations in order of n, each kept as it came; ``max`` bytes of
    events it wants at most; ``wait`` seconds the server may hold the answer while there is nothing to tell; ``quiet``
    asks for no events: they come by an open stream.
    """

    v: int
    d: str
    e: str = ""
    t: int = 0
    c: dict[str, int] = {}
    o: list[dict[str, Any]] = []
    max: int = 16_384
    wait: float = 0.0
    quiet: bool = False


class Head(msgspec.Struct, frozen=True, omit_defaults=True):
    """First frame: ``e`` epoch, ``t`` the server's clock (UTC ms), ``next`` the n it waits for, ``durable`` the
    highest n that survives the loss of the server's machine."""

    e: str
    t: int
    next: int
    durable: int = 0


class Results(msgspec.Struct, frozen=True):
    """What became of operations, at most FRAME_EVENTS at once."""

    r: list[Outcome]


class StreamEnd(msgspec.Struct, frozen=True):
    """Where a stream stands: ``head`` its last event, ``hash`` of the chain up to it (hex)."""

    head: int
    hash: str


class End(msgspec.Struct, frozen=True):
    """Last frame. ``more``: there are further events, ask again at once."""

    end: dict[str, StreamEnd]
    more: bool = False


Frame = Head | Results | Event | End


class EnrolRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """A one-time code for a device identity.

    For a person: ``key`` the device's public key (Ed25519, hex) and his ``password``, the one he has or his first;
    ``workstation`` the public key of the machine, which people may share. ``oidc``: he has no password here, the
    provider will vouch for him.
    """

    v: int
    code: str
    key: str = ""
    password: str = ""
    workstation: str = ""
    oidc: bool = False


class EnrolAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """The identity of a new device: its code, its number for the number to tell, its secret token, the epoch.

    A person's device has no token but his ``login``, the key of codes given by ``voice`` (hex) and his ``sip`` secret;
    ``registry`` is the key of the registry's copy at that workstation (hex).
    """

    device: str
    number: int
    token: str
    epoch: str
    operator: Operator
    login: str = ""
    voice: str = ""
    sip: str = ""
    registry: str = ""


class ForkRequest(msgspec.Struct, frozen=True):
    """A copied journal asks for a device code of its own; answered by EnrolAnswer."""

    v: int


class PresenceRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """What this operator does, and whom he looks at.

    ``s`` a state of appeals.presence; ``card`` the card that is open before him; ``watch`` the numbers on his screen,
    MAX_WATCHED at most: changes of theirs come by his stream, in batches.
    """

    v: int
    s: str
    card: str = ""
    watch: list[str] = []


class SumsRequest(msgspec.Struct, frozen=True):
    """Asks for the sums of a stream's cards (appeals.sums), from day ``since`` on. ``q`` is the last event the desk
    has: it is only answered when there is none behind it."""

    v: int
    s: str
    q: int
    since: int


class SumsAnswer(msgspec.Struct, frozen=True):
    """``days`` by days since 1970; empty unless ``head`` is the event the desk has."""

    head: int
    days: dict[int, str]


class DayRequest(msgspec.Struct, frozen=True):
    """Asks for the cards of a stream that were made on a day."""

    v: int
    s: str
    day: int


class DayAnswer(msgspec.Struct, frozen=True):
    """The cards as they stand after event ``head``."""

    head: int
    cards: list[Card]


class Top(msgspec.Struct, frozen=True):
    """The first line of a snapshot: the stream, the lineage, and the event after which the cards stand so."""

    s: str
    e: str
    q: int


class CardsRequest(msgspec.Struct, frozen=True):
    """Asks for cards of a stream by their ids, at most MOST_CARDS."""

    v: int
    s: str
    ids: list[str]


class CardsAnswer(msgspec.Struct, frozen=True):
    """The cards as they stand after event ``head``; those that the organisation is not told of are left out."""

    head: int
    cards: list[Card]


class PresenceTold(msgspec.Struct, frozen=True, omit_defaults=True):
    """A batch of a stream: ``p`` state by number, what changed only; ``card`` the numbers that have the same card open
    as this operator, None when that did not change."""

    p: dict[str, str] = {}
    card: list[str] | None = None


def demand_version(version: int) -> None:
    """Refusal(PROTOCOL_VERSION) for a version this program does not speak."""
    if version not in SPOKEN_VERSIONS:
        raise Refusal(Code.PROTOCOL_VERSION, got=version, spoken=sorted(SPOKEN_VERSIONS))


def spoken_by_both(refusal: Refusal) -> int:
    """The newest version that we and the server that refused ours speak, 0 when there is none or it did not say."""
    spoken = refusal.params.get("spoken") if refusal.code is Code.PROTOCOL_VERSION else None
    return max(SPOKEN_VERSIONS.intersection(spoken if isinstance(spoken, list) else ()), default=0)


def canonical(value: Any) -> bytes:
    """JSON with sorted keys: the one form that digests are taken of."""
    return msgspec.json.encode(value, order="sorted")


def plain_operation(operation: Operation) -> dict[str, Any]:
    """The operation as it stands in a request."""
    plain: dict[str, Any] = msgspec.to_builtins(operation)
    return plain


def operation_digest(plain: dict[str, Any]) -> bytes:
    """SHA-256 of what an operation says, 32 bytes. Its place in the queue (``n``, ``was``) does not count, so an
    operation sent again under a new device code can be told from a different one."""
    return hashlib.sha256(canonical({k: v for k, v in plain.items() if k not in ("n", "was")})).digest()
