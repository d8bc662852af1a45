"""Operations and events: what an operator did, and what the central server made of it.

The screen makes an operation, the journal stores it, sync carries it, the server applies it and answers with an
event. Names on the wire are short: one line of 64 kbit/s carries them (design/sync-and-security.md 1.4).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

OPERATION_VERSION = 1


class Kind(StrEnum):
    """Every kind of operation this release knows. A server stores an unknown kind and refuses to apply it."""

    # cards
    CARD_NEW = "card.new"  # x: {field: value}
    CARD_SET = "card.set"  # x: {field: value}; lists of APPEND fields hold what is added
    CARD_MOVE = "card.move"  # x: {"act": Act, …what the act needs}
    # what happened, append-only, never changes a card (issue: events from the first day)
    CALL_OFFERED = "call.offered"
    CALL_RINGING = "call.ringing"
    CALL_ANSWERED = "call.answered"
    CALL_HELD = "call.held"
    CALL_RESUMED = "call.resumed"
    CALL_TRANSFERRED = "call.transferred"
    CALL_ENDED = "call.ended"  # x: {"call", "by": "caller" | "operator" | "network"}
    CALL_ABANDONED = "call.abandoned"
    # x: {"call", "file", "sha256", "size", "ms", "whole"}
    # of one at the PBX: {"call", "file": "pbx", "sha256": at_pbx()}
    CALL_RECORDED = "call.recorded"
    CALL_RECORD_PAUSED = "call.record_paused"  # x: {"call", "reason"}
    CALL_RECORD_RESUMED = "call.record_resumed"
    SHIFT_BEGUN = "shift.begun"
    SHIFT_ENDED = "shift.ended"
    BREAK_BEGUN = "break.begun"
    BREAK_ENDED = "break.ended"
    WRAP_UP_MORE = "wrap_up.more"  # x: {"reason", "ms"}
    CALL_THREAT = "call.threat"  # x: {"call"}: its recording is kept
    CALL_MOVED = "call.moved"  # x: {"call", "to"}: it goes on at another telephone of the same operator
    NEWS_READ = "news.read"  # x: {"news"}: appeals/news.py News.mark
    CARD_OPENED = "card.opened"
    ANSWER_USED = "answer.used"
    PERSON_VIEWED = "person.viewed"  # x: {"people": [ЕНП, …], "call"}; c the card they were looked at for
    EXPORT_MADE = "export.made"  # x: {"what", "purpose", "rows"}
    # what every desk of the organisation is told, and no card
    PERSON_AWAY = "person.away"  # x: appeals/promises.py Away
    ALARM = "desk.alarm"  # x: appeals/alarm.py Alarm
    REPORTED = "desk.report"  # x: appeals/alarm.py Report
    # what every desk of the region works by; b: for each row the operation that wrote what was seen
    REFERENCE_SET = "reference.set"  # x: {"list", "rows": {key: {column: text}}, "back": version gone back to}


# Events of the server's own: no desk may send them. x: {"card": the card as this organisation may see it}
CARD_NOW = "card.now"

CARD_KINDS = frozenset({Kind.CARD_NEW, Kind.CARD_SET, Kind.CARD_MOVE})
# In the organisation's stream beside the cards.
SHARED_KINDS = frozenset({Kind.PERSON_AWAY, Kind.ALARM, Kind.REPORTED})
AT_PBX = "pbx/"
# In the region's stream of reference data (appeals/reference.py).
REFERENCE_KINDS = frozenset({Kind.REFERENCE_SET})
# Fields of x that a kind must have; all other kinds may be empty.
REQUIRED_KEYS: dict[Kind, frozenset[str]] = {
    Kind.CARD_MOVE: frozenset({"act"}),
    Kind.CALL_OFFERED: frozenset({"call"}),
    Kind.CALL_RINGING: frozenset({"call"}),
    Kind.CALL_ANSWERED: frozenset({"call"}),
    Kind.CALL_HELD: frozenset({"call"}),
    Kind.CALL_RESUMED: frozenset({"call"}),
    Kind.CALL_TRANSFERRED: frozenset({"call"}),
    Kind.CALL_ENDED: frozenset({"call", "by"}),
    Kind.CALL_ABANDONED: frozenset({"call"}),
    Kind.CALL_RECORDED: frozenset({"call", "file", "sha256"}),
    Kind.CALL_RECORD_PAUSED: frozenset({"call", "reason"}),
    Kind.CALL_RECORD_RESUMED: frozenset({"call"}),
    Kind.ANSWER_USED: frozenset({"script"}),
    Kind.EXPORT_MADE: frozenset({"what", "purpose"}),
    Kind.PERSON_VIEWED: frozenset({"people"}),
    Kind.PERSON_AWAY: frozenset({"since", "until"}),
    Kind.WRAP_UP_MORE: frozenset({"reason"}),
    Kind.CALL_THREAT: frozenset({"call"}),
    Kind.CALL_MOVED: frozenset({"call", "to"}),
    Kind.NEWS_READ: frozenset({"news"}),
    Kind.ALARM: frozenset({"kind"}),
    Kind.REPORTED: frozenset({"id", "kind"}),
    Kind.REFERENCE_SET: frozenset({"list"}),
}


class Operation(msgspec.Struct, frozen=True, omit_defaults=True):
    """One intent of an operator.

    ``n`` counts densely per device; ``k`` kind; ``c`` the card; ``at`` hybrid clock stamp (UTC milliseconds inside);
    ``z`` IANA zone of the office; ``b`` for each field the operation id that wrote the value the operator saw;
    ``x`` what is to be done; ``v`` version of this form; ``was`` the id it had before a fork.
    """

    n: int
    k: str
    at: str
    c: str = ""
    z: str = ""
    b: dict[str, str] = {}
    x: dict[str, Any] = {}
    v: int = OPERATION_VERSION
    was: str = ""


def operation_id(device: str, n: int) -> str:
    """``k7q2mx:41``: unique, ordered per device. The id of a card is that of the operation that made it."""
    return f"{device}:{n}"


class Change(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an accepted operation does to a card: decided once (appeals/decide.py), applied by everybody alike."""

    create: bool = False
    set: dict[str, Any] = {}
    add: dict[str, list[Any]] = {}
    rival: dict[str, Any] = {}
    lost: dict[str, Any] = {}
    status: str = ""
    worker: int | None = None
    review: str | None = None
    deadline: str = ""
    act: str = ""
    home: str = ""  # the organisation it is sent to
    was: str = ""  # the id a new card had in a lineage of the server's database that is lost


class Proof(msgspec.Struct, frozen=True, array_like=True):
    """What the chain's hash of an event is taken of and its reader is not told otherwise: the office's IANA ``zone``,
    when the server ``received`` it (UTC ms), SHA-256 of its body (hex; a purged body leaves its ``digest``), and the
    ``hash`` itself (hex)."""

    zone: str
    received: int
    digest: str
    hash: str


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """One entry of a stream. ``q`` counts densely per stream; ``op`` is the operation's id; ``by`` the user; ``p`` is
    told to a collector alone (central/collected.py)."""

    s: str
    q: int
    k: str
    op: str
    by: int
    at: str
    c: str = ""
    x: dict[str, Any] = {}
    p: Proof | None = None


def change_of(event: Event) -> Change:
    """What the event does to its card: nothing for kinds and forms that this release does not know."""
    if event.k not in CARD_KINDS:
        return Change()
    try:
        return msgspec.convert(event.x, Change)
    except msgspec.ValidationError:
        return Change()


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one operation: ``s`` is applied, merged (an other value was kept beside it) or rejected.

    ``q`` is the event's place in its stream; a refusal carries its code in ``w``, its parameters in ``p`` and the
    card as it stands now in ``cur``. ``op`` is the id it stands under where it was known before (after a fork, from
    another copy of the journal).
    """

    n: int
    s: str
    q: int = 0
    w: str = ""
    p: dict[str, Any] = {}
    cur: dict[str, Any] = {}
    op: str = ""


def stream_for(kind: str, organisation: str) -> str:
    """Cards go to the organisation's stream, reference data to the region's; what happened goes to the organisation's
    work log, which desks do not follow."""
    if kind in CARD_KINDS | SHARED_KINDS:
        return organisation
    if kind in REFERENCE_KINDS:
        return reference_stream(organisation)
    return f"{organisation}/work"


def at_pbx(dialog: str) -> str:
    """The name of a recording that lies at the PBX, in the place of a digest: the SIP Call-ID of the operator's leg."""
    return f"{AT_PBX}{dialog}"


def reference_stream(organisation: str) -> str:
    """``26/ref`` of ``26/smo-26001``: the reference data of its region."""
    return f"{organisation.partition('/')[0]}/ref"
