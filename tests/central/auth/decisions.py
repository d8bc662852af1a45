"""Who may what at the server, written down beside the program and not taken from it: the tests hold both together.

An operation, an act, an event or an address that is not decided here fails tests/central/auth/test_rights.py: whoever
adds one says who may, and to whom it is told. A row reads О1 СП1 О2 СП2 СП3 ADM, as functions.md 1.2 does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from operator_tui.appeals.people import Role

COLUMNS = (
    Role.OPERATOR_1,
    Role.INSURER_1,
    Role.OPERATOR_2,
    Role.INSURER_2,
    Role.INSURER_3,
    Role.ADMINISTRATOR,
)
ALL, LEVEL_2_UP, ADMINISTRATOR, NOBODY = "++++++", "--++++", "-----+", "------"
# Whether there is a role to ask about at all.
OPEN, SIGNED_IN = "open", "signed in"

# functions.md 1.2, second table; the last four were decided here.
RIGHTS_OF = {
    "queue_calls": "++----",
    "card_from_call": ALL,
    "card_without_call": LEVEL_2_UP,
    "close_own": ALL,
    "close_any_type": LEVEL_2_UP,
    "approve": ADMINISTRATOR,
    "surveys": "-+++++",
    "informing": "---+--",
    "export": LEVEL_2_UP,
    "people": ADMINISTRATOR,
    "reference": ADMINISTRATOR,
    "recordings": ADMINISTRATOR,
}


def may_by(row: str, role: Role) -> bool:
    return row[COLUMNS.index(role)] == "+"


@dataclass(frozen=True)
class Decided:
    """``may``: who does it; ``x``: one that is well-formed; ``told``: the stream its event goes to, of the organisation
    (its own is empty, ``work`` is followed by no desk, ``ref`` by every desk of the region)."""

    may: str = ALL
    told: str = "work"
    x: dict[str, Any] = field(default_factory=dict)


_CALL = Decided(x={"call": "1"})
OPERATIONS: dict[str, Decided] = {
    # Of cards: test_rights asks for each act apart (ACTS), and for letters.
    "card.new": Decided(told=""),
    "card.set": Decided(told=""),  # another's too, while it is open (design 1.6)
    "card.move": Decided(NOBODY, told=""),  # another's
    "call.offered": _CALL,
    "call.ringing": _CALL,
    "call.answered": _CALL,
    "call.held": _CALL,
    "call.resumed": _CALL,
    "call.transferred": _CALL,
    "call.ended": Decided(x={"call": "1", "by": "caller"}),
    "call.abandoned": _CALL,
    "call.recorded": Decided(x={"call": "1", "file": "k7q2mx-41.opus", "sha256": "0" * 64}),
    "call.record_paused": Decided(x={"call": "1", "reason": "данные карты"}),
    "call.record_resumed": _CALL,
    "call.threat": _CALL,
    "call.moved": Decided(x={"call": "1", "to": "3001"}),
    "shift.begun": Decided(),
    "shift.ended": Decided(),
    "break.begun": Decided(),
    "break.ended": Decided(),
    "wrap_up.more": Decided(x={"reason": "дописать", "ms": 60_000}),
    "card.opened": Decided(),
    "answer.used": Decided(x={"script": "1"}),
    "news.read": Decided(x={"news": "1"}),
    "person.viewed": Decided(x={"people": ["1"]}),
    "export.made": Decided(x={"what": "journal", "purpose": "отчёт", "rows": 1}),
    "person.away": Decided(ADMINISTRATOR, "", {"user": 1, "since": "2026-12-01", "until": "2026-12-02"}),
    "desk.alarm": Decided(ADMINISTRATOR, "", {"kind": "overload"}),
    "desk.report": Decided(ALL, "", {"id": "1", "kind": "incident", "by": 0}),
    "reference.set": Decided(
        ADMINISTRATOR,
        "ref",
        {"list": "groups", "rows": {"courts": {"code": "courts", "title": "Суды", "owner": "fund"}}},
    ),
}
# Events of the server's own: no desk makes them.
SERVER_EVENTS = {"card.now"}

# What a stranger of the same organisation may do to an appeal that has a worker, an author and a closer.
ACTS: dict[str, str] = {
    "close": NOBODY,
    "withdraw": NOBODY,
    "forward": NOBODY,
    "take": NOBODY,
    "resume": NOBODY,
    "defer": NOBODY,
    "promise": NOBODY,
    "tell": NOBODY,
    "send": NOBODY,
    "ask_correction": NOBODY,
    "approve": ADMINISTRATOR,
    "return": ADMINISTRATOR,
    "reopen": ADMINISTRATOR,
    "reassign": ADMINISTRATOR,
    "void": ADMINISTRATOR,
}

# All that answers a federal collector beside what is open to everybody; what it pushes there is refused.
COLLECTOR = {("POST", "/v1/sync")}

ADDRESSES: dict[tuple[str, str], str] = {
    ("POST", "/v1/sync"): SIGNED_IN,
    ("GET", "/v1/events"): SIGNED_IN,
    ("PUT", "/v1/presence"): SIGNED_IN,
    ("GET", "/v1/snapshot/{region:str}/{name:str}"): SIGNED_IN,
    ("POST", "/v1/cards"): SIGNED_IN,
    ("GET", "/v1/dict/{number:int}"): OPEN,
    ("POST", "/v1/sums"): SIGNED_IN,
    ("POST", "/v1/day"): SIGNED_IN,
    ("POST", "/v1/enroll"): OPEN,
    ("POST", "/v1/fork"): SIGNED_IN,
    ("GET", "/v1/health"): OPEN,
    ("GET", "/v1/metrics"): OPEN,
    ("POST", "/v1/auth/challenge"): OPEN,
    ("POST", "/v1/auth/sign-in"): OPEN,
    ("POST", "/v1/auth/refresh"): OPEN,
    ("POST", "/v1/auth/sign-out"): SIGNED_IN,
    ("POST", "/v1/auth/password"): SIGNED_IN,
    ("POST", "/v1/auth/escrow"): SIGNED_IN,
    ("POST", "/v1/auth/reset"): OPEN,
    ("POST", "/v1/auth/join"): OPEN,
    ("POST", "/v1/auth/seats"): SIGNED_IN,
    ("POST", "/v1/auth/sealed-work"): OPEN,
    ("POST", "/v1/auth/oidc/begin"): OPEN,
    ("POST", "/v1/auth/oidc/poll"): OPEN,
    ("POST", "/v1/people/list"): ADMINISTRATOR,
    ("POST", "/v1/people/add"): ADMINISTRATOR,
    ("POST", "/v1/people/change"): ADMINISTRATOR,
    ("POST", "/v1/people/code"): ADMINISTRATOR,
    ("POST", "/v1/people/seats"): ADMINISTRATOR,
    ("POST", "/v1/people/revoke"): ADMINISTRATOR,
    ("POST", "/v1/files/recording-key"): ADMINISTRATOR,
    ("POST", "/v1/files/recordings"): ADMINISTRATOR,
    ("POST", "/v1/files/attachment-key"): LEVEL_2_UP,
    ("POST", "/v1/files/voice-mail-key"): ALL,
    # Files as they were sealed: who has no key of one reads nothing.
    ("POST", "/v1/files"): SIGNED_IN,
    ("HEAD", "/v1/files/{name:str}"): SIGNED_IN,
    ("PATCH", "/v1/files/{name:str}"): SIGNED_IN,
    ("GET", "/v1/files/{name:str}"): SIGNED_IN,
    ("POST", "/v1/history"): SIGNED_IN,
    ("POST", "/v1/talks"): SIGNED_IN,  # of an appeal of one's own organisation; what was said is another matter
    ("POST", "/v1/insured"): SIGNED_IN,
    ("GET", "/v1/registry"): SIGNED_IN,
    ("GET", "/v1/registry/{name:str}"): SIGNED_IN,
}
