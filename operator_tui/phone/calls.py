"""The life of a call: one pure table of moves, and the book of the calls of a line.

Both lines keep their calls here, so a state, a time or a "who ended it" is decided in one place.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any
from uuid import uuid4

import msgspec

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.phone.line import Call, CallId, CallState, Direction, EndedBy


class Move(StrEnum):
    """What happens to a call."""

    RING_THERE = "ring_there"  # we dialled, it rings at the other end
    EARLY = "early"  # we dialled and hear something before the answer
    ANSWER = "answer"
    HOLD = "hold"
    RESUME = "resume"
    REMOTE_HOLD = "remote_hold"
    REMOTE_RESUME = "remote_resume"
    END = "end"


_S = CallState
MOVES: dict[tuple[CallState, Move], CallState] = {
    (_S.DIALING, Move.RING_THERE): _S.RINGING,
    (_S.DIALING, Move.EARLY): _S.EARLY,
    (_S.RINGING, Move.EARLY): _S.EARLY,
    (_S.EARLY, Move.RING_THERE): _S.EARLY,
    (_S.DIALING, Move.ANSWER): _S.TALKING,
    (_S.RINGING, Move.ANSWER): _S.TALKING,
    (_S.EARLY, Move.ANSWER): _S.TALKING,
    (_S.TALKING, Move.HOLD): _S.HELD,
    (_S.REMOTE_HELD, Move.HOLD): _S.HELD,
    (_S.HELD, Move.RESUME): _S.TALKING,
    (_S.TALKING, Move.REMOTE_HOLD): _S.REMOTE_HELD,
    (_S.HELD, Move.REMOTE_HOLD): _S.HELD,
    (_S.REMOTE_HELD, Move.REMOTE_RESUME): _S.TALKING,
    (_S.HELD, Move.REMOTE_RESUME): _S.HELD,
    **{(state, Move.END): _S.ENDED for state in CallState if state is not _S.ENDED},
}
# States in which the two ends have been connected.
CONNECTED = frozenset({_S.TALKING, _S.HELD, _S.REMOTE_HELD})


def possible(call: Call, move: Move) -> bool:
    """Whether the table has this move for the call (an incoming call knows no dialling moves)."""
    if call.direction is Direction.INCOMING and move in (Move.RING_THERE, Move.EARLY):
        return False
    return (call.state, move) in MOVES


def moved(call: Call, move: Move, *, at_ms: int, by: EndedBy = EndedBy.NOBODY, cause: str = "", to: str = "") -> Call:
    """The call after the move, with its times set.

    ``by``, ``cause`` and ``to`` (the target of a transfer) belong to ``END``. Refusal(CALL_STATE) where the table
    has no such move.
    """
    if not possible(call, move):
        raise Refusal(Code.CALL_STATE, state=call.state.value, move=move.value)
    target = MOVES[call.state, move]
    changes: dict[str, Any] = {}
    match move:
        case Move.ANSWER:
            changes = {"answered_ms": at_ms}
        case Move.HOLD:
            changes = {"held": True, "held_ms": at_ms}
        case Move.RESUME:
            changes = {"held": False, "held_ms": at_ms if call.remote_held else None}
            target = _S.REMOTE_HELD if call.remote_held else _S.TALKING
        case Move.REMOTE_HOLD:
            changes = {"remote_held": True, "held_ms": call.held_ms or at_ms}
        case Move.REMOTE_RESUME:
            changes = {"remote_held": False, "held_ms": call.held_ms if call.held else None}
        case Move.END:
            changes = {"ended_ms": at_ms, "ended_by": by, "cause": cause, "transferred_to": to, "held_ms": None}
            changes |= {"held": False, "remote_held": False, "muted": False, "recording": ""}
    return msgspec.structs.replace(call, state=target, **changes)


def new_id() -> CallId:
    """An id that no other call anywhere has."""
    return uuid4().hex


class CallBook:
    """The live calls of one line by id, oldest first."""

    def __init__(self) -> None:
        self._calls: dict[CallId, Call] = {}

    def live(self) -> tuple[Call, ...]:
        return tuple(self._calls.values())

    def get(self, call_id: CallId) -> Call:
        """Refusal(NO_SUCH_CALL) when it is over or never was."""
        call = self._calls.get(call_id)
        if call is None:
            raise Refusal(Code.NO_SUCH_CALL)
        return call

    def put(self, call: Call) -> Call:
        """Enter a new call, or a changed one; one that is over leaves the book."""
        if call.over:
            self._calls.pop(call.id, None)
        else:
            self._calls[call.id] = call
        return call

    def need(self, call_id: CallId, *moves: Move) -> Call:
        """The call, if one of the moves is possible; Refusal(NO_SUCH_CALL | CALL_STATE) otherwise."""
        call = self.get(call_id)
        if not any(possible(call, move) for move in moves):
            raise Refusal(Code.CALL_STATE, state=call.state.value, move=moves[0].value)
        return call

    def need_connected(self, call_id: CallId) -> Call:
        """The call, if its two ends are connected."""
        call = self.get(call_id)
        if call.state not in CONNECTED:
            raise Refusal(Code.CALL_STATE, state=call.state.value, move="connected")
        return call
