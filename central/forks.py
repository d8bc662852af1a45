"""A journal that was copied gets a device of its own: the same operator, key and session, a new code and number."""

from __future__ import annotations

import secrets

import msgspec
import sqlalchemy as sa

from central.devices import Device, new_device
from central.store import tables as t
from central.store.database import Database
from operator_tui.sync.protocol import EnrolAnswer


def fork(database: Database, device: Device, now_ms: int) -> EnrolAnswer:
    """The new device. A person's has no token: the session that asks goes on as the new device's."""
    token = secrets.token_urlsafe(32)

    def work(connection: sa.Connection) -> EnrolAnswer:
        key = connection.execute(sa.select(t.device_key).where(t.device_key.c.device == device.id)).one_or_none()
        answer = new_device(database, connection, device.operator.user, token, now_ms)
        if key is None:
            return answer
        connection.execute(sa.insert(t.device_key).values({**key._mapping, "device": answer.device}))
        connection.execute(
            sa.update(t.session)
            .where(t.session.c.device == device.id, t.session.c.ended_at.is_(None))
            .values(device=answer.device)
        )
        return msgspec.structs.replace(answer, token="")

    return database.write(work)
