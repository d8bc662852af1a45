"""What a change of a call means: the operations to record and the operator's own moves. Pure.

The operations are the append-only facts from which service level, talk and wrap-up times can be rebuilt; their
instants are the engine's (``ms``, UTC milliseconds), not the moment the desk heard of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from operator_tui.appeals.operations import Kind, at_pbx
from operator_tui.appeals.presence import Move
from operator_tui.phone.line import Call, CallState, Direction, EndedBy

_BY = {
    EndedBy.HERE: "operator",
    EndedBy.THERE: "caller",
    EndedBy.TRANSFER: "transfer",
    EndedBy.NETWORK: "network",
    EndedBy.NOBODY: "network",
}

_ENDED_BY = {
    "operator": EndedBy.HERE,
    "caller": EndedBy.THERE,
    "transfer": EndedBy.TRANSFER,
    "network": EndedBy.NETWORK,
}

Fact = tuple[Kind, dict[str, Any]]


# Which of several calls stands in front: who hears the operator now, then what he has begun, who rings, who waits.
_IN_FRONT = (
    CallState.TALKING,
    CallState.REMOTE_HELD,
    CallState.EARLY,
    CallState.DIALING,
    CallState.RINGING,
    CallState.HELD,
)


def front(living: Iterable[Call]) -> Call | None:
    """The call the screen and the keys speak of; None when there is none. Among equals the newest."""
    found = sorted(living, key=lambda call: (_IN_FRONT.index(call.state), -call.started_ms))
    return found[0] if found else None


def fallen_to(known: str, in_front: Call | None, changed: Call, now_in_front: Call | None) -> str:
    """The call behind the one that has just ended by itself: a key that was meant for the one must not end the other.

    ``known`` is the one of before, ``in_front`` and ``now_in_front`` what stands in front before and after ``changed``.
    It is so until that call is talked to or gone; empty where there is none.
    """
    if now_in_front is None:
        return ""
    by_itself = changed.over and changed.ended_by in (EndedBy.THERE, EndedBy.NETWORK)
    if by_itself and changed.answered_ms is not None and in_front is not None and in_front.id == changed.id:
        return now_in_front.id
    still = now_in_front.id == known and now_in_front.state in (CallState.HELD, CallState.RINGING)
    return known if still else ""


def facts(before: Call | None, after: Call, *, reason: str = "") -> list[Fact]:
    """The operations between two pictures of one call, in their order; ``before`` None when it is new; ``reason`` why
    the operator rejected it."""
    found: list[Fact] = []
    if before is None:
        found += _begun(after)
    if after.answered_ms is not None and (before is None or before.answered_ms is None):
        found.append(
            (
                Kind.CALL_ANSWERED,
                {"call": after.id, "ms": after.answered_ms, "wait_ms": after.answered_ms - after.started_ms},
            )
        )
        if after.recording == "pbx" and after.dialog:
            found.append((Kind.CALL_RECORDED, {"call": after.id, "file": "pbx", "sha256": at_pbx(after.dialog)}))
    was_held = before is not None and before.held
    if after.held and not was_held and not after.over:
        found.append((Kind.CALL_HELD, {"call": after.id, "ms": after.held_ms or 0}))
    if was_held and not after.held and not after.over:
        found.append((Kind.CALL_RESUMED, {"call": after.id}))
    if after.transferred_to and (before is None or not before.transferred_to):
        found.append((Kind.CALL_TRANSFERRED, {"call": after.id, "to": after.transferred_to}))
    if after.over and (before is None or not before.over):
        found.append(_ended(after, reason))
    return found


def remembered(known: Iterable[Fact]) -> Call | None:
    """The call that is over as its facts in the journal tell of it; None where they do not tell when it began and that
    it ended. Its name and its cause they never tell."""
    told = dict(known)
    began = told.get(Kind.CALL_OFFERED) or told.get(Kind.CALL_RINGING)
    end = told.get(Kind.CALL_ENDED) or told.get(Kind.CALL_ABANDONED)
    if began is None or end is None or not began.get("ms") or not end.get("ms"):
        return None
    return Call(
        id=str(end.get("call", "")),
        direction=Direction.OUTGOING if began.get("out") else Direction.INCOMING,
        number=str(began.get("number") or ""),
        state=CallState.ENDED,
        started_ms=int(began["ms"]),
        answered_ms=told.get(Kind.CALL_ANSWERED, {}).get("ms"),
        ended_ms=int(end["ms"]),
        queue=str(began.get("queue") or ""),
        ended_by=EndedBy.THERE if Kind.CALL_ENDED not in told else _ENDED_BY.get(end.get("by", ""), EndedBy.NOBODY),
        transferred_to=str(told.get(Kind.CALL_TRANSFERRED, {}).get("to") or ""),
    )


def _begun(call: Call) -> list[Fact]:
    if call.direction is Direction.OUTGOING:
        return [(Kind.CALL_RINGING, {"call": call.id, "ms": call.started_ms, "out": True, "number": call.number})]
    offered: dict[str, Any] = {"call": call.id, "ms": call.started_ms, "number": call.number}
    if call.queue:
        offered["queue"] = call.queue
    return [(Kind.CALL_OFFERED, offered), (Kind.CALL_RINGING, {"call": call.id, "ms": call.started_ms})]


def _ended(call: Call, reason: str) -> Fact:
    at = call.ended_ms or call.started_ms
    if call.abandoned:
        return (Kind.CALL_ABANDONED, {"call": call.id, "ms": at, "wait_ms": at - call.started_ms})
    x: dict[str, Any] = {"call": call.id, "ms": at, "by": _BY[call.ended_by]}
    if call.answered_ms is not None:
        x["talk_ms"] = at - call.answered_ms
    if reason and call.ended_by is EndedBy.HERE:
        x["reason"] = reason
    return (Kind.CALL_ENDED, x)


def presence_move(before: Call | None, after: Call) -> Move | None:
    """What the change means for the operator's presence; None when nothing."""
    was = before.state if before is not None else None
    if was is after.state:
        return None
    if after.state is CallState.RINGING:
        return Move.RING
    if after.state in (CallState.DIALING, CallState.EARLY) and was is None:
        return Move.DIAL
    if after.answered_ms is not None and (before is None or before.answered_ms is None) and not after.over:
        return Move.ANSWER
    if after.over:
        return Move.HANG_UP if after.answered_ms is not None or after.direction is Direction.OUTGOING else Move.MISS
    return None
