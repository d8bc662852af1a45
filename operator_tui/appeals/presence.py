"""Presence: the one vocabulary of what an operator is doing, and the one table of its moves (DESIGN rule 16).

Whatever a PBX or a softphone reports is mapped into these six states; times and causes ride along, so that
shifts, breaks and wrap-up can be rebuilt later.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.words import mark


class State(StrEnum):
    """What a person at a desk is doing."""

    FREE = "free"
    RINGING = "ringing"
    TALKING = "talking"
    WRAP_UP = "wrap_up"
    BREAK = "break"
    OFFLINE = "offline"


class Move(StrEnum):
    """What happened to him."""

    BEGIN_WORK = "begin_work"
    RING = "ring"
    MISS = "miss"  # the ringing ended without an answer
    ANSWER = "answer"
    DIAL = "dial"
    HANG_UP = "hang_up"
    READY = "ready"  # the wrap-up or the break is over
    BREAK = "break"
    LOST = "lost"  # the line to the PBX is gone
    END_WORK = "end_work"


_MOVES: dict[tuple[State, Move], State] = {
    (State.OFFLINE, Move.BEGIN_WORK): State.FREE,
    (State.FREE, Move.RING): State.RINGING,
    # In wrap-up and on a break a colleague's call may ring; they go on until it is answered.
    (State.WRAP_UP, Move.RING): State.WRAP_UP,
    (State.WRAP_UP, Move.MISS): State.WRAP_UP,
    (State.WRAP_UP, Move.ANSWER): State.TALKING,
    (State.BREAK, Move.RING): State.BREAK,
    (State.BREAK, Move.MISS): State.BREAK,
    (State.TALKING, Move.RING): State.TALKING,
    (State.TALKING, Move.MISS): State.TALKING,
    (State.TALKING, Move.ANSWER): State.TALKING,
    (State.TALKING, Move.DIAL): State.TALKING,
    (State.RINGING, Move.RING): State.RINGING,
    (State.RINGING, Move.MISS): State.FREE,
    (State.RINGING, Move.ANSWER): State.TALKING,
    (State.BREAK, Move.ANSWER): State.TALKING,
    # A desk started anew finds a call that was answered before.
    (State.FREE, Move.ANSWER): State.TALKING,
    (State.FREE, Move.DIAL): State.TALKING,
    (State.WRAP_UP, Move.DIAL): State.TALKING,
    (State.BREAK, Move.DIAL): State.TALKING,
    (State.TALKING, Move.HANG_UP): State.WRAP_UP,
    (State.WRAP_UP, Move.READY): State.FREE,
    (State.BREAK, Move.READY): State.FREE,
    (State.FREE, Move.BREAK): State.BREAK,
    (State.WRAP_UP, Move.BREAK): State.BREAK,
    (State.BREAK, Move.BREAK): State.BREAK,
    # A talk outlives the registration, so losing the line does not end it here.
    (State.FREE, Move.LOST): State.OFFLINE,
    (State.RINGING, Move.LOST): State.OFFLINE,
    (State.WRAP_UP, Move.LOST): State.OFFLINE,
    (State.BREAK, Move.LOST): State.OFFLINE,
    (State.FREE, Move.END_WORK): State.OFFLINE,
    (State.WRAP_UP, Move.END_WORK): State.OFFLINE,
    (State.BREAK, Move.END_WORK): State.OFFLINE,
    (State.RINGING, Move.END_WORK): State.OFFLINE,
    (State.OFFLINE, Move.END_WORK): State.OFFLINE,
}

# The customer's words (functions.md K-3.8, issue "The telephone").
TITLES = {
    State.FREE: mark("свободен"),
    State.RINGING: mark("звонит"),
    State.TALKING: mark("разговаривает"),
    State.WRAP_UP: mark("постобработка"),
    State.BREAK: mark("перерыв"),
    State.OFFLINE: mark("нет связи"),
}
ACTIVE = mark("Активен")
NOT_ACTIVE = mark("Не активен")


class Presence(msgspec.Struct, frozen=True):
    """One person's state: since when (UTC milliseconds), of which break kind, and why he came into it."""

    state: State = State.OFFLINE
    since_ms: int = 0
    kind: str = ""
    cause: str = ""

    @property
    def account(self) -> str:
        """The account status the customer shows (K-3.6, K-5.4.1.1)."""
        return NOT_ACTIVE if self.state is State.OFFLINE else ACTIVE


def possible(state: State, move: Move) -> bool:
    """Whether the table has this move."""
    return (state, move) in _MOVES


def moved(presence: Presence, move: Move, *, at_ms: int, kind: str = "", cause: str = "") -> Presence:
    """The presence after the move.

    ``since_ms`` changes only when the state (or the kind of break) does. Refusal(MOVE_NOT_ALLOWED) for a move
    the table does not have.
    """
    target = _MOVES.get((presence.state, move))
    if target is None:
        raise Refusal(Code.MOVE_NOT_ALLOWED, move=move.value, state=presence.state.value)
    if target is State.BREAK and move is not Move.BREAK:
        kind = presence.kind
    if target is not State.BREAK:
        kind = ""
    if target is presence.state and kind == presence.kind:
        return presence
    return Presence(state=target, since_ms=at_ms, kind=kind, cause=cause or move.value)
