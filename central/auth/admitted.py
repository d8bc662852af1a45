"""Whether a desk whose stream is open may still be told things: asked in every transaction that reads for it."""

from __future__ import annotations

import sqlalchemy as sa

from central.devices import Device, as_operator
from central.store import tables as t
from operator_tui.appeals.errors import Code, Refusal


def still_admitted(connection: sa.Connection, device: str, now_ms: int) -> Device:
    """The device and its operator as he is now. A person needs a session that goes on, others their device.

    Refusals: TOKEN_INVALID, ACCOUNT_BLOCKED.
    """
    session = sa.exists().where(
        t.session.c.device == t.device.c.id, t.session.c.ended_at.is_(None), t.session.c.refresh_until > now_ms
    )
    row = connection.execute(
        sa.select(
            t.operator,
            t.device.c.revoked,
            t.account.c.operator.label("person"),
            t.account.c.blocked,
            t.account.c.groups,
            session.label("session"),
        )
        .select_from(t.device.join(t.operator).outerjoin(t.account, t.account.c.operator == t.operator.c.number))
        .where(t.device.c.id == device)
    ).one_or_none()
    if row is None or row.revoked or (row.person is not None and not row.session):
        raise Refusal(Code.TOKEN_INVALID)
    if row.blocked:
        raise Refusal(Code.ACCOUNT_BLOCKED)
    return Device(device, as_operator(row))
