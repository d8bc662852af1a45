"""Sign-ins through the provider that go on: begun at a device, asked after, and ended with a session."""

from __future__ import annotations

import secrets

import sqlalchemy as sa

from central.auth.sessions import open_session
from central.auth.signatures import demand_signature, take_challenge
from central.auth.vouching import Pending, Provider, Vouched
from central.devices import digest
from central.store import tables as t
from central.store.database import Database
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.signin.messages import (
    Granted,
    OidcBegin,
    OidcBegun,
    OidcPoll,
    challenge_text,
    oidc_text,
)

_SLOWER_MS = 5_000


def begin(database: Database, provider: Provider, asked: OidcBegin, now_ms: int) -> OidcBegun:
    """A code for the owner of that device. Refusals: DEVICE_SIGNATURE, DEVICE_REVOKED, OIDC_AWAY."""
    with database.read() as connection:
        demand_signature(connection, asked.d, challenge_text(asked.nonce, asked.d, ""), asked.sig)
    take_challenge(database, asked.nonce, asked.d, now_ms)
    begun = provider.begin()
    handle = secrets.token_urlsafe(32)

    def work(connection: sa.Connection) -> None:
        # One at a time for each device.
        old = sa.or_(t.oidc_flow.c.expires_at <= now_ms, t.oidc_flow.c.device == asked.d)
        connection.execute(sa.delete(t.oidc_flow).where(old))
        connection.execute(
            sa.insert(t.oidc_flow).values(
                handle_hash=digest(handle),
                device=asked.d,
                device_code=begun.device_code,
                interval_ms=begun.interval_s * 1000,
                asked_at=now_ms,
                expires_at=now_ms + begun.expires_s * 1000,
            )
        )

    database.write(work)
    return OidcBegun(
        handle, begun.user_code, begun.address, begun.whole_address, float(begun.interval_s), begun.expires_s
    )


def poll(database: Database, provider: Provider, asked: OidcPoll, now_ms: int) -> Granted:
    """A session, once he has said yes. Refusals: OIDC_PENDING (seconds to wait), OIDC_REFUSED, OIDC_STRANGER,
    OIDC_AWAY, ACCOUNT_BLOCKED, DEVICE_SIGNATURE, DEVICE_REVOKED, TOKEN_EXPIRED for a flow that is over."""
    chosen = sa.and_(t.oidc_flow.c.handle_hash == digest(asked.handle), t.oidc_flow.c.device == asked.d)

    def look(connection: sa.Connection) -> tuple[str, int, int]:
        """Its device code, its owner, and how long to wait still (ms); asked at most once an interval."""
        owner = demand_signature(connection, asked.d, oidc_text(asked.handle, asked.d), asked.sig)
        row = connection.execute(database.lock(sa.select(t.oidc_flow).where(chosen))).one_or_none()
        if row is None or row.expires_at <= now_ms:
            raise Refusal(Code.TOKEN_EXPIRED)
        wait_ms = int(row.asked_at + row.interval_ms - now_ms)
        if wait_ms <= 0:
            connection.execute(sa.update(t.oidc_flow).where(chosen).values(asked_at=now_ms))
        return row.device_code, owner, max(0, wait_ms)

    code, owner, wait_ms = database.write(look)
    if wait_ms:
        raise Refusal(Code.OIDC_PENDING, seconds=-(-wait_ms // 1000))
    try:
        vouched = provider.finish(code)
    except Pending as pending:
        raise Refusal(Code.OIDC_PENDING, seconds=_wait(database, chosen, slower=pending.slower)) from None
    _demand_owner(database, owner, vouched)

    def work(connection: sa.Connection) -> Granted:
        # It counts once: of two answers to the same question one opens a session.
        if connection.execute(sa.delete(t.oidc_flow).where(chosen)).rowcount != 1:
            raise Refusal(Code.TOKEN_EXPIRED)
        connection.execute(sa.update(t.account).where(t.account.c.operator == owner).values(subject=vouched.subject))
        return open_session(database, connection, asked.d, owner, now_ms)

    try:
        return database.write(work)
    except sa.exc.IntegrityError:
        raise Refusal(Code.OIDC_STRANGER) from None  # that subject is tied to another account


def _wait(database: Database, chosen: sa.ColumnElement[bool], *, slower: bool) -> int:
    def work(connection: sa.Connection) -> int:
        if slower:
            more = t.oidc_flow.c.interval_ms + _SLOWER_MS
            connection.execute(sa.update(t.oidc_flow).where(chosen).values(interval_ms=more))
        found = connection.execute(sa.select(t.oidc_flow.c.interval_ms).where(chosen)).scalar_one_or_none()
        return -(-int(found or _SLOWER_MS) // 1000)

    return database.write(work)


def _demand_owner(database: Database, owner: int, vouched: Vouched) -> None:
    with database.read() as connection:
        account = connection.execute(sa.select(t.account).where(t.account.c.operator == owner)).one_or_none()
    if account is None:
        raise Refusal(Code.OIDC_STRANGER)
    # His login there may be given to another one day, his ``sub`` never is.
    same = account.subject == vouched.subject if account.subject else account.login == vouched.login
    if not same:
        raise Refusal(Code.OIDC_STRANGER)
    if account.blocked:
        raise Refusal(Code.ACCOUNT_BLOCKED)
