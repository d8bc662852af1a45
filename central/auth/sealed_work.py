"""What revoked workstations had not sent, opened and taken when an administrator says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
import sqlalchemy as sa
import zstandard

from central import audit
from central.apply import REJECTED, push
from central.devices import Device, as_operator
from central.keys import ServerKeys
from central.store import tables as t
from central.store.database import Database
from central.streams import region_of
from operator_tui.appeals.catalogue import Catalogue
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import Outcome
from operator_tui.signin.farewell import Unsent, opened


@dataclass(frozen=True)
class Waiting:
    """Work of one device that nobody has taken yet."""

    device: str
    pieces: int
    received: datetime


@dataclass
class Taken:
    """What became of it. ``drafts`` are the texts that were never saved, one a line; ``skipped`` the pieces that were
    left: forged, spoiled, or behind one that is missing."""

    applied: int = 0
    refused: int = 0
    skipped: int = 0
    drafts: list[str] = field(default_factory=list)

    def add(self, outcomes: Sequence[Outcome], piece: Unsent) -> None:
        """One more piece was taken."""
        refused = sum(outcome.s == REJECTED for outcome in outcomes)
        self.refused += refused
        self.applied += len(outcomes) - refused
        self.drafts += [msgspec.json.encode(draft).decode() for draft in piece.drafts]


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

    Piece by piece: who has the device's key could have sealed anything in its name, so one that does not open, or
    that contradicts what was received before, is left as it is, and the others are taken. Refusal(ACCOUNT_UNKNOWN)
    when there is none.
    """
    with database.read() as connection:
        chosen = sa.select(t.sealed_work).where(t.sealed_work.c.device == device, t.sealed_work.c.applied_at.is_(None))
        rows = connection.execute(chosen.order_by(t.sealed_work.c.received_at, t.sealed_work.c.digest)).all()
        owner = sa.select(t.device.c.operator).where(t.device.c.id == device).scalar_subquery()
        who = connection.execute(sa.select(t.operator).where(t.operator.c.number == owner)).one_or_none()
    if not rows or who is None:
        raise Refusal(Code.ACCOUNT_UNKNOWN)
    taken, pieces = Taken(), []
    for row in rows:
        if (piece := _opened(keys, row.content)) is None:
            taken.skipped += 1
        else:
            pieces.append((row.digest, piece))
    sender, done = Device(device, as_operator(who)), []
    # The sort is stable: of two that begin alike the one that came first is believed.
    for digest, piece in sorted(pieces, key=lambda each: _first(each[1])):
        try:
            outcomes = _pushed(database, sender, piece, now_ms, catalogue)
        except Refusal as refusal:
            if refusal.code not in (Code.FORK, Code.BAD_REQUEST, Code.GAP):
                raise
            taken.skipped += 1
            continue
        done.append(digest)
        taken.add(outcomes, piece)
    database.write(lambda connection: _record(database, connection, sender, taken, done, now_ms))
    return taken


def _opened(keys: ServerKeys, content: bytes) -> Unsent | None:
    """The piece in the order of its numbers; None for one that is none."""
    try:
        piece = opened(keys.open_recovery(content))
        in_order = sorted(piece.operations, key=_number)
    except (Refusal, zstandard.ZstdError, msgspec.MsgspecError, ValueError, TypeError, KeyError, RecursionError):
        return None
    return Unsent(in_order, piece.drafts)


def _number(plain: dict[str, Any]) -> int:
    if not isinstance(plain["n"], int):
        raise TypeError
    return plain["n"]


def _first(piece: Unsent) -> int:
    return int(piece.operations[0]["n"]) if piece.operations else 0


def _pushed(database: Database, sender: Device, piece: Unsent, now_ms: int, catalogue: Catalogue) -> list[Outcome]:
    """Refusals: FORK, BAD_REQUEST, GAP when what came before it is not here."""
    outcomes = push(database, sender, piece.operations, now_ms, catalogue).outcomes
    if len(outcomes) < len(piece.operations):
        raise Refusal(Code.GAP, next=piece.operations[len(outcomes)]["n"])
    return outcomes


def _record(
    database: Database, connection: sa.Connection, sender: Device, taken: Taken, done: list[bytes], now_ms: int
) -> None:
    connection.execute(sa.update(t.sealed_work).where(t.sealed_work.c.digest.in_(done)).values(applied_at=now_ms))
    audit.record(
        database,
        connection,
        region=region_of(sender.operator.organisation),
        at=now_ms,
        device=sender.id,
        action="sealed_work.taken",
        object=sender.id,
        detail={"applied": taken.applied, "refused": taken.refused, "skipped": taken.skipped},
    )
