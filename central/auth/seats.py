"""Workstations: whose they are, what is unsent there, and the end of one."""

from __future__ import annotations

import secrets
from typing import Any

import sqlalchemy as sa

from central import audit
from central.store import tables as t
from central.store.database import Database
from central.streams import region_of
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.signin.people import SeatOfPerson

KEY_BYTES = 32


def seats_of(database: Database, number: int) -> list[SeatOfPerson]:
    """The workstations of an operator, by number."""
    going_on = sa.exists().where(t.session.c.device == t.device.c.id, t.session.c.ended_at.is_(None))
    with database.read() as connection:
        rows = connection.execute(
            sa.select(t.device, going_on.label("open")).where(t.device.c.operator == number).order_by(t.device.c.number)
        ).all()
    return [
        SeatOfPerson(row.id, row.number, row.last_seen, row.unsent, bool(row.open) and not row.revoked, row.revoked)
        for row in rows
    ]


def owner_of(database: Database, device: str) -> int:
    """The number of its operator. Refusal(ACCOUNT_UNKNOWN)."""
    with database.read() as connection:
        found = connection.execute(sa.select(t.device.c.operator).where(t.device.c.id == device)).scalar_one_or_none()
    if found is None:
        raise Refusal(Code.ACCOUNT_UNKNOWN)
    return int(found)


def revoke(database: Database, device: str, now_ms: int, *, by: int | None = None) -> None:
    """It opens nothing any more, and is told so at its next word. Refusal(ACCOUNT_UNKNOWN)."""

    def work(connection: sa.Connection) -> None:
        owner = connection.execute(
            sa.update(t.device).where(t.device.c.id == device).values(revoked=True).returning(t.device.c.operator)
        ).scalar_one_or_none()
        if owner is None:
            raise Refusal(Code.ACCOUNT_UNKNOWN)
        connection.execute(
            sa.update(t.session)
            .where(t.session.c.device == device, t.session.c.ended_at.is_(None))
            .values(ended_at=now_ms)
        )
        organisation = connection.execute(
            sa.select(t.operator.c.organisation).where(t.operator.c.number == owner)
        ).scalar_one()
        audit.record(
            database,
            connection,
            region=region_of(organisation),
            at=now_ms,
            actor=by,
            device=device,
            action="device.revoked",
            object=device,
        )

    database.write(work)


def heard(connection: sa.Connection, device: str, now_ms: int, unsent: int | None) -> None:
    """The device said something: when, and how much it has not sent (None: it does not know)."""
    told: dict[str, Any] = {"last_seen": now_ms}
    if unsent is None or unsent >= 0:
        told["unsent"] = unsent
    connection.execute(sa.update(t.device).where(t.device.c.id == device).values(**told))


def workstation(connection: sa.Connection, key: str, region: str, now_ms: int) -> bytes:
    """Make it known, if it is not yet; the key of the registry's copy there. Refusal(DEVICE_OTHER) for another
    region's."""
    row = connection.execute(sa.select(t.workstation).where(t.workstation.c.key == key)).one_or_none()
    if row is not None:
        if row.region != region:
            raise Refusal(Code.DEVICE_OTHER)
        return bytes(row.registry_key)
    fresh = secrets.token_bytes(KEY_BYTES)
    connection.execute(sa.insert(t.workstation).values(key=key, region=region, registry_key=fresh, enrolled_at=now_ms))
    return fresh
