"""What a federal collector computes anew of what it is told. Pure.

Each entry's hash follows from the one before it, so an entry fits what is here or it does not, and where the server
says that a stream ends is behind what is here, the same, or something else.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from central.streams import EMPTY_HEAD, Place, chain, is_audit, region_of
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.hlc import stamp_ms
from operator_tui.appeals.operations import Event, Proof, reference_stream
from operator_tui.sync.protocol import StreamEnd, canonical

BEGINNING = Place(0, EMPTY_HEAD)
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Break:
    """Where a stream is not what its chain says: ``seq`` is the first entry of which that is known.

    ``what``: body (its text), hash (anything else of it), gap (it is not told), head (it was another), cut (the stream
    ends before it now), gone (so does all of the stream). ``expected`` is the hash computed here, ``seen`` the one the
    server told, both in hex and empty where there is none.

    The rest is how it is remembered (central/broken.py): the lineage it was found in, since when (UTC ms), and when and
    how it ended: healed, anew; None and empty while it has not.
    """

    stream: str
    seq: int
    what: str
    expected: str = ""
    seen: str = ""
    epoch: str = ""
    since_ms: int = 0
    ended_ms: int | None = None
    how: str = ""

    def healed_by(self, seq: int, hash_: str) -> bool:
        """Whether the break is none any more when the stream, sound up to there, has this entry: the one it broke at
        has to be the one that was seen, or what was seen put right. A third is a history written anew meanwhile."""
        known = {self.seen} if self.what == "body" else {self.expected, self.seen}
        return seq != self.seq or not any(known) or hash_ in known


def proven(event: Event, place: Place) -> dict[str, Any] | Break:
    """The event as it is kept, its hash computed from the one at ``place``; or where it does not follow from there.
    Refusal(SERVER_REFUSED) for a server that tells events without their proof."""
    if event.p is None:
        raise Refusal(Code.SERVER_REFUSED, reason="proof")
    if event.q != place.seq + 1:
        return Break(event.s, place.seq + 1, "gap")
    body = canonical(event.x)
    digest = hashlib.sha256(body).digest()
    # A purged body leaves its digest, and the chain holds.
    changed = bool(event.x) and not is_audit(event.s) and digest.hex() != event.p.digest
    try:
        told = digest if event.x or is_audit(event.s) else bytes.fromhex(event.p.digest)
        linked = _audit_entry(event, event.p, body) if is_audit(event.s) else _entry(event, event.p, told)
    except ValueError:
        return Break(event.s, event.q, "hash", "", _hash(event.p.hash))
    hash_ = chain(place.head, linked)
    if changed or hash_.hex() != event.p.hash:
        return Break(event.s, event.q, "body" if changed else "hash", hash_.hex(), _hash(event.p.hash))
    return {
        "stream": event.s,
        "seq": event.q,
        "kind": event.k,
        "op": event.op,
        "card": event.c,
        "by": event.by,
        "stamp": event.at,
        "zone": event.p.zone,
        "received_at": event.p.received,
        "body_digest": told,
        "hash": hash_,
        "body": body.decode(),
    }


def standing(stream: str, place: Place, told: StreamEnd | None, hash_at: Callable[[int], str]) -> Break | None:
    """What is wrong with where the server says that a stream ends, when ``place`` is how far it is here: nothing, when
    it has gone on. ``hash_at`` gives the hash of an entry that is here."""
    if told is None:
        # Of the reference data nothing is told while there is nothing new (central/api/sync.py).
        return None if stream == reference_stream(stream) else Break(stream, 1, "gone", hash_at(1))
    if told.head < place.seq:
        first = max(0, told.head) + 1
        return Break(stream, first, "cut", hash_at(first))
    if told.head == place.seq and told.hash != place.head.hex():
        return Break(stream, place.seq, "head", place.head.hex(), _hash(told.hash))
    return None


def _entry(event: Event, proof: Proof, digest: bytes) -> dict[str, Any]:
    """What the hash of an event is taken of (central/streams.py, ``append``)."""
    return {
        "region": region_of(event.s),
        "stream": event.s,
        "seq": event.q,
        "kind": event.k,
        "op": event.op,
        "card": event.c,
        "by": event.by,
        "stamp": event.at,
        "at": stamp_ms(event.at),
        "zone": proof.zone,
        "received_at": proof.received,
        "body_digest": digest,
    }


def _audit_entry(event: Event, proof: Proof, detail: bytes) -> dict[str, Any]:
    """What that of an entry of the audit is (central/audit.py)."""
    return {
        "region": region_of(event.s),
        "seq": event.q,
        "at": proof.received,
        "actor": event.by or None,
        "device": event.c,
        "action": event.k,
        "object": event.op,
        "detail": detail.decode(),
    }


def _hash(told: str) -> str:
    """Whoever tells a false history may tell anything in the place of a hash: it goes to a log and a terminal."""
    return told if _HASH.fullmatch(told) else ""
