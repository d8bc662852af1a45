"""Who a request comes from, and whether a desk whose stream is open may still be told things."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from central.devices import Device, as_operator, digest
from central.store import tables as t
from central.store.database import Database
from operator_tui.appeals.errors import Code, Refusal


def _called() -> sa.Select[Any]:
    tokens = sa.bindparam("tokens", expanding=True, type_=sa.LargeBinary)
    session, device = t.session.c, t.device.c
    called = sa.union_all(
        sa.select(
            session.device.label("called"),
            session.access_hash.label("token"),
            session.id.label("session"),
            session.seen,
            session.access_until,
        ).where(session.access_hash.in_(tokens), session.ended_at.is_(None)),
        sa.select(device.id, device.token_hash, sa.null(), sa.null(), sa.null()).where(device.token_hash.in_(tokens)),
    ).subquery("called")
    return (
        sa.select(
            called,
            t.operator,
            t.account.c.operator.label("person"),
            t.account.c.blocked,
            t.account.c.groups,
            sa.select(t.server.c.v).where(t.server.c.k == "epoch").scalar_subquery().label("epoch"),
        )
        .select_from(
            called.join(t.device, t.device.c.id == called.c.called)
            .join(t.operator, t.operator.c.number == t.device.c.operator)
            .outerjoin(t.account, t.account.c.operator == t.operator.c.number)
        )
        .where(t.device.c.revoked.is_(False))
    )


# Made once: making it costs as much as asking it.
_CALLED = _called()


def admitted_all(database: Database, tokens: Sequence[str], now_ms: int) -> list[tuple[Device, str] | Refusal]:
    """For each token its device and the database's epoch, in one round trip: every request begins with it.

    A token is a session's, or a device's own where nobody signs in. Role and organisation are what the server keeps
    now. Refusals, as values: TOKEN_INVALID, TOKEN_EXPIRED, ACCOUNT_BLOCKED.
    """
    hashed = list(map(digest, tokens))
    with database.read() as connection:
        rows = connection.execute(_CALLED, {"tokens": sorted(set(hashed))}).all()
    found = {row.token: row for row in sorted(rows, key=lambda row: row.session is not None)}
    admitted = [_judged(found.get(token), now_ms) for token in hashed]
    # The pair that replaced an old token has been seen: the old one is no good any more (sessions.refresh).
    fresh = {
        found[token].session
        for token, who in zip(hashed, admitted, strict=True)
        if not isinstance(who, Refusal) and found[token].session is not None and not found[token].seen
    }
    if fresh:
        mark = sa.update(t.session).where(t.session.c.id.in_(sorted(fresh))).values(seen=True)
        database.write(lambda connection: connection.execute(mark))
    return admitted


def _judged(row: sa.Row[Any] | None, now_ms: int) -> tuple[Device, str] | Refusal:
    # A person's device is not opened by its own token: he signs in.
    if row is None or (row.session is None and row.person is not None):
        return Refusal(Code.TOKEN_INVALID)
    if row.session is not None and row.access_until <= now_ms:
        return Refusal(Code.TOKEN_EXPIRED)
    if row.blocked:
        return Refusal(Code.ACCOUNT_BLOCKED)
    return Device(row.called, as_operator(row)), str(row.epoch)


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
