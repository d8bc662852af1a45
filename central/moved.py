"""Operations that come again under another number: after a fork they are known by the id they had and by what they say.

Two copies of one journal that was never sent both fork, and both send what was made before they parted. It is taken
once; the second copy is told under which id, and whatever of its refers to its own id means that one
(design/sync-and-security.md 1.5, rule 1).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from central.devices import Device
from central.store import tables as t
from operator_tui.appeals.operations import Outcome, operation_id
from operator_tui.sync.protocol import operation_digest

_OPERATION_ID = re.compile(r"[0-9a-z]{1,16}:[0-9]{1,15}")

Moved = dict[tuple[str, bytes], Outcome]

_LOG = t.op_log.c
_RETURNED = sa.select(_LOG.was, _LOG.device, _LOG.n, _LOG.hash, _LOG.operator, _LOG.result).where(
    _LOG.was.in_(sa.bindparam("ids", expanding=True)), _LOG.region.in_(sa.bindparam("regions", expanding=True))
)


def log_regions(devices: Iterable[Device]) -> list[str]:
    """Where what these devices sent stands in the log: a person never leaves his region (central/auth/accounts.py).
    What a server of the release before 0008 wrote stands under none."""
    return sorted({"", *(device.region for device in devices)})


def old_id(plain: dict[str, Any]) -> str:
    """The id an operation had before a fork, empty when it had none."""
    was = plain.get("was")
    return was if isinstance(was, str) and _OPERATION_ID.fullmatch(was) else ""


def load_moved(connection: sa.Connection, device: Device, plains: Sequence[dict[str, Any]]) -> Moved:
    """Answers to operations that were here under another number, by their old id and digest.

    They stand in the log under the old id itself, or under another number that gave the same old id.
    """
    moved: Moved = {}
    log = t.op_log.c
    for was in {old_id(plain) for plain in plains} - {""}:
        code, _, n = was.rpartition(":")
        rows = connection.execute(
            sa.select(log.device, log.n, log.hash, log.result).where(
                log.operator == device.operator.user,
                log.region.in_(log_regions([device])),
                sa.or_(sa.and_(log.device == code, log.n == int(n)), log.was == was),
            )
        )
        for row in rows:
            moved[was, row.hash] = _told(row)
    return moved


def taken_elsewhere(connection: sa.Connection, pushed: Sequence[tuple[Device, int, Sequence[dict[str, Any]]]]) -> Moved:
    """Answers to operations that come under the id they were made with, after a copy of their journal has returned them
    under a new one: a server that was restored had lost them. By that id and their digest."""
    owners = {
        operation_id(device.id, plain["n"]): device.operator.user
        for device, last_n, plains in pushed
        for plain in plains
        if isinstance(plain.get("n"), int) and plain["n"] > last_n and not old_id(plain)
    }
    if not owners:
        return {}
    regions = log_regions(device for device, _, _ in pushed)
    rows = connection.execute(_RETURNED, {"ids": list(owners), "regions": regions})
    moved: Moved = {}
    for row in rows:
        if row.operator == owners[row.was]:
            moved[row.was, row.hash] = _told(row)
    return moved


def _told(row: Any) -> Outcome:
    """What is answered: as it was, and the id it stands under."""
    outcome = msgspec.json.decode(row.result, type=Outcome)
    return msgspec.structs.replace(outcome, op=outcome.op or operation_id(row.device, row.n))


def known_ids(
    connection: sa.Connection, pushed: Sequence[tuple[Device, int, Sequence[dict[str, Any]]]]
) -> dict[str, str]:
    """The ids of these devices that stand here under another one, of those their operations refer to. A push is the
    device, the last ``n`` taken of it and its operations: what comes after that stands nowhere yet."""
    named = [(device.id, n) for device, last_n, plains in pushed for n in _own_numbers(device, plains) if n <= last_n]
    if not named:
        return {}
    log = t.op_log.c
    rows = connection.execute(
        sa.select(log.device, log.n, log.result).where(
            sa.tuple_(log.device, log.n).in_(named),
            log.was.is_(None),
            log.region.in_(log_regions(device for device, _, _ in pushed)),
        )
    )
    found = {operation_id(row.device, row.n): msgspec.json.decode(row.result, type=Outcome).op for row in rows}
    return {own: op for own, op in found.items() if op}


def under_known_ids(
    device: Device, plains: Sequence[dict[str, Any]], ids: dict[str, str], moved: Moved
) -> list[dict[str, Any]]:
    """The operations with the ids that stand here; ``ids`` learns those that show themselves on the way."""
    known: list[dict[str, Any]] = []
    for plain in plains:
        meant = _meant(plain, ids) if ids else plain
        n: Any = plain.get("n")
        outcome = moved.get((old_id(meant) or operation_id(device.id, n), operation_digest(meant))) if moved else None
        if outcome is not None and outcome.op and isinstance(n, int):
            ids[operation_id(device.id, n)] = outcome.op
        known.append(meant)
    return known


def _own_numbers(device: Device, plains: Sequence[dict[str, Any]]) -> set[int]:
    """The numbers of this device's operations that these refer to."""
    own = f"{device.id}:"
    named = {name for plain in plains for name in _referred(plain) if name.startswith(own)}
    return {int(name[len(own) :]) for name in named if _OPERATION_ID.fullmatch(name)}


def _referred(plain: dict[str, Any]) -> list[str]:
    seen = plain.get("b")
    names = [plain.get("c"), *(seen.values() if isinstance(seen, dict) else [])]
    return [name for name in names if isinstance(name, str)]


def _meant(plain: dict[str, Any], ids: dict[str, str]) -> dict[str, Any]:
    card, seen = plain.get("c"), plain.get("b")
    meant = dict(plain)
    if isinstance(card, str) and card in ids:
        meant["c"] = ids[card]
    if isinstance(seen, dict):
        meant["b"] = {field: ids.get(op, op) if isinstance(op, str) else op for field, op in seen.items()}
    return meant
