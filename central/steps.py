"""One operation decided: the rules of operator_tui/appeals on the cards as they stand, nothing stored. No SQL here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from central import streams
from central.devices import Device
from central.log import log_failure
from central.moved import Moved, old_id
from operator_tui.appeals.card import Card
from operator_tui.appeals.catalogue import Catalogue
from operator_tui.appeals.decide import Actor, apply, decide
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.hlc import clamp_stamp
from operator_tui.appeals.number import REGISTER
from operator_tui.appeals.operations import (
    CARD_KINDS,
    CARD_NOW,
    Change,
    Kind,
    Operation,
    Outcome,
    operation_id,
    stream_for,
)
from operator_tui.appeals.organisations import shared_after, told
from operator_tui.sync.protocol import operation_digest

APPLIED, MERGED, REJECTED = "applied", "merged", "rejected"
OF_CARDS = frozenset(kind.value for kind in CARD_KINDS)
_STAMP = re.compile(r"[0-9a-f]{16}")
_DEPTH = 32  # a desk reads what it is told inside its own calls: there the interpreter's bound is nearer than here


@dataclass
class Step:
    """One operation on its way through the transaction."""

    plain: dict[str, Any]
    digest: bytes
    outcome: Outcome
    draft: streams.Draft | None = None
    more: list[streams.Draft] = field(default_factory=list)  # what other organisations are told of it
    was: str = ""  # the id it had before a fork, when it was not known under that id


@dataclass
class Cards:
    """The cards of a transaction as they stand after each step, locked from the start."""

    now: dict[str, Card]
    stored: frozenset[str]
    manned: frozenset[str] = frozenset()  # of the organisations named, those that have operators
    changed: dict[str, Card] = field(default_factory=dict)

    def put(self, card: Card) -> None:
        self.now[card.id] = self.changed[card.id] = card


def number(plain: dict[str, Any]) -> int:
    """The ``n`` of an operation. Refusal(BAD_REQUEST) when it has none."""
    n = plain.get("n")
    if not isinstance(n, int) or isinstance(n, bool) or not 0 < n < 1 << 53:
        raise Refusal(Code.BAD_REQUEST, reason="n")
    return n


def text(plain: dict[str, Any], key: str) -> str:
    """A field as a column can hold it, whatever came; the body beside it keeps it as it came."""
    return str(plain.get(key, "")).replace("\0", "")


def take_step(
    plain: dict[str, Any], device: Device, cards: Cards, moved: Moved, now_ms: int, catalogue: Catalogue
) -> Step:
    """Decide one operation; ``cards`` and ``moved`` learn what it changes."""
    digest = operation_digest(plain)
    step = _known_before(plain, digest, device, moved) or _decide(plain, digest, device, cards, now_ms, catalogue)
    if step.was:
        moved[step.was, step.digest] = step.outcome
    return step


def register(draft: streams.Draft, cards: Cards, number: str, steps: Iterable[Step]) -> None:
    """Write the fund's number into the event that makes the appeal, the appeal, and what others are told of it."""
    draft.body.setdefault("set", {})[REGISTER] = number
    made = cards.changed[draft.card]
    written = {**made.stamps, REGISTER: (draft.op, draft.stamp)}
    cards.put(msgspec.structs.replace(made, fields={**made.fields, REGISTER: number}, stamps=written))
    for told_of in (more for step in steps for more in step.more if more.card == draft.card):
        seen = told_of.body["card"]
        seen["fields"] = {**seen["fields"], REGISTER: number}


def _known_before(plain: dict[str, Any], digest: bytes, device: Device, moved: Moved) -> Step | None:
    outcome = moved.get((old_id(plain) or operation_id(device.id, number(plain)), digest))
    return Step(plain, digest, msgspec.structs.replace(outcome, n=number(plain))) if outcome else None


def _decide(
    plain: dict[str, Any], digest: bytes, device: Device, cards: Cards, now_ms: int, catalogue: Catalogue
) -> Step:
    n = number(plain)
    op_id = operation_id(device.id, n)
    card: Card | None = None
    try:
        operation = _read(plain, now_ms)
        card = cards.now.get(op_id if operation.k == Kind.CARD_NEW else operation.c)
        change, draft = _rule(operation, op_id, card, device, catalogue)
        _demand_manned(change, cards)
    except Refusal as refusal:
        current: dict[str, Any] = {}
        if card is not None and card.stream == device.operator.organisation:
            current = msgspec.to_builtins(card)
        outcome = Outcome(n, REJECTED, w=refusal.code.value, p=refusal.params, cur=current)
        return Step(plain, digest, outcome, was=old_id(plain))
    more: list[streams.Draft] = []
    if operation.k in OF_CARDS:
        after = apply(
            card, change, op=op_id, at=operation.at, by=device.operator.user, stream=device.operator.organisation
        )
        if after is not None:
            after = msgspec.structs.replace(after, shared=shared_after(card, after))
            cards.put(after)
            others = told(card, after, device.operator.organisation)
            more = [_now(draft, stream, seen, change) for stream, seen in others.items()]
    state = MERGED if change.rival or change.lost else APPLIED
    return Step(plain, digest, Outcome(n, state), draft, more, old_id(plain))


def _demand_manned(change: Change, cards: Cards) -> None:
    """An appeal is not sent where nobody would see it."""
    if change.home and change.home not in cards.manned:
        raise Refusal(Code.ORGANISATION_UNKNOWN, organisation=change.home)


def _now(draft: streams.Draft, stream: str, seen: Card, change: Change) -> streams.Draft:
    """The card as it is now, to another organisation, beside the event that changed it; with the act where that brings
    the appeal to it: its desks announce it."""
    body = {"card": msgspec.to_builtins(seen), **({"act": change.act} if change.home == stream else {})}
    return replace(draft, stream=stream, kind=CARD_NOW, op=f"{draft.op}>{stream}", card=seen.id, body=body)


def _read(plain: dict[str, Any], now_ms: int) -> Operation:
    """The operation as the rules want it, its stamp clamped. Refusal(FIELD_INVALID) names what is not right."""
    try:
        operation = msgspec.convert(plain, Operation)
    except msgspec.ValidationError:
        raise Refusal(Code.FIELD_INVALID, field="operation") from None
    if not _STAMP.fullmatch(operation.at):
        raise Refusal(Code.FIELD_INVALID, field="at")
    operation = msgspec.structs.replace(operation, at=clamp_stamp(operation.at, now_ms))
    try:
        ZoneInfo(operation.z or "UTC")
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError; a folder's name is an OSError
        raise Refusal(Code.FIELD_INVALID, field="z") from None
    if _not_kept(plain):
        # The log keeps the operation whole, as escaped text.
        raise Refusal(Code.FIELD_INVALID, field="x")
    return operation


def _rule(
    operation: Operation, op_id: str, card: Card | None, device: Device, catalogue: Catalogue
) -> tuple[Change, streams.Draft]:
    who = device.operator
    try:
        change = decide(card, operation, Actor(who.user, who.role, who.organisation, who.groups), catalogue)
    except Refusal:
        raise
    except Exception as error:
        # Our own mistake costs this one operation, which is stored whole, and never the queue behind it (rule 2).
        log_failure("rule failed", error, device=device.id)
        raise Refusal(Code.SERVER_REFUSED, reason=type(error).__name__) from error
    of_card = operation.k in OF_CARDS
    return change, streams.Draft(
        stream=stream_for(operation.k, who.organisation),
        kind=operation.k,
        op=op_id,
        card=op_id if operation.k == Kind.CARD_NEW else operation.c,
        by=who.user,
        stamp=operation.at,
        zone=operation.z or who.zone,
        body=msgspec.to_builtins(change) if of_card else operation.x,
    )


def _not_kept(plain: dict[str, Any]) -> bool:
    """Whether it holds what PostgreSQL cannot keep in JSONB (U+0000), or is nested deeper than every reader follows."""
    waiting: list[tuple[Any, int]] = [(plain, 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > _DEPTH or (isinstance(value, str) and "\0" in value):
            return True
        if isinstance(value, dict):
            waiting += ((part, depth + 1) for item in value.items() for part in item)
        elif isinstance(value, list):
            waiting += ((item, depth + 1) for item in value)
    return False
