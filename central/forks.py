"""A journal that was copied gets a device of its own: the same operator, a new code, number and token."""

from __future__ import annotations

import secrets

import sqlalchemy as sa

from central.devices import Device, new_device
from central.store import tables as t
from central.store.database import Database
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.sync.protocol import EnrolAnswer


def fork(database: Database, device: Device, now_ms: int) -> EnrolAnswer:
    """The new device. Refusal(FORK) for a person's: its key stands for the workstation it was enrolled at, and one
    that was copied is enrolled anew by the administrator."""
    token = secrets.token_urlsafe(32)

    def work(connection: sa.Connection) -> EnrolAnswer:
        person = sa.select(t.device_key.c.device).where(t.device_key.c.device == device.id)
        if connection.execute(person).one_or_none() is not None:
            raise Refusal(Code.FORK)
        return new_device(database, connection, device.operator.user, token, now_ms)

    return database.write(work)
