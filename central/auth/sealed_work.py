"""What revoked workstations had not sent, opened and taken when an administrator says so."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from central.apply import REJECTED, push
from central.devices import Device, as_operator
from central.keys import ServerKeys
from central.store import tables as t
from central.store.database import Database
from operator_tui.appeals.catalogue import Catalogue
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.signin.farewell import Unsent, opened


@dataclass(frozen=True)
class Waiting:
    """Work of one device that nobody has taken yet."""

    device: str
    pieces: int
    received: datetime


@dataclass
class Taken:
    """What became of it. ``drafts`` are the texts that were never saved, one a line."""

    applied: int = 0
    refused: int = 0
    drafts: list[str] = field(default_factory=list)


def waiting(database: Database) -> list[Waiting]:
    """By device."""
    last = sa.func.max(t.sealed_work.c.received_at).label("at")
    chosen = sa.select(t.sealed_work.c.device, sa.func.count().label("pieces"), last)
    chosen = chosen.where(t.sealed_work.c.applied_at.is_(None)).group_by(t.sealed_work.c.device)
    with database.read() as connection:
        rows = connection.execute(chosen.order_by(t.sealed_work.c.device)).all()
    return [Waiting(row.device, row.pieces, datetime.fromtimestamp(row.at / 1000, UTC)) for row in rows]


def take(database: Database, keys: ServerKeys, device: str, now_ms: int, catalogue: Catalogue) -> Taken:
    """Apply it as its device's operations: once, in their order, by the same rules as if he had sent them himself.
    Refusals: ACCOUNT_UNKNOWN when there is none, FIELD_INVALID when it does not open."""
    with database.read() as connection:
        rows = connection.execute(
            sa.select(t.sealed_work).where(t.sealed_work.c.device == device, t.sealed_work.c.applied_at.is_(None))
        ).all()
        owner = sa.select(t.device.c.operator).where(t.device.c.id == device).scalar_subquery()
        who = connection.execute(sa.select(t.operator).where(t.operator.c.number == owner)).one_or_none()
    if not rows or who is None:
        raise Refusal(Code.ACCOUNT_UNKNOWN)
    taken = Taken()
    operations: dict[int, dict[str, Any]] = {}
    for row in rows:
        piece: Unsent = opened(keys.open_recovery(row.content))
        operations.update((int(plain["n"]), plain) for plain in piece.operations)
        taken.drafts += [msgspec.json.encode(draft).decode() for draft in piece.drafts]
    in_order = [operations[n] for n in sorted(operations)]
    outcomes = push(database, Device(device, as_operator(who)), in_order, now_ms, catalogue).outcomes
    taken.refused = sum(outcome.s == REJECTED for outcome in outcomes)
    taken.applied = len(outcomes) - taken.refused
    if len(outcomes) < len(in_order):
        raise Refusal(Code.GAP, next=in_order[len(outcomes)]["n"])
    done = sa.update(t.sealed_work).where(t.sealed_work.c.device == device).values(applied_at=now_ms)
    database.write(lambda connection: connection.execute(done))
    return taken
