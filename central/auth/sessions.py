"""Sessions: opened by password and device key, kept alive by refresh tokens that work once, bound to the device."""

from __future__ import annotations

import secrets
from typing import Any

import sqlalchemy as sa

from central import audit
from central.auth import limits
from central.auth.accounts import PASSWORD, login_of
from central.auth.admitted import admitted_all
from central.auth.passwords import password_fits
from central.auth.seats import heard
from central.auth.signatures import demand_signature, take_challenge
from central.devices import Device, as_operator, digest, epoch
from central.keys import FUND, RECOVERY, public_keys_of
from central.store import tables as t
from central.store.database import Database
from central.streams import region_of
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.signin.messages import (
    ACCESS_S,
    REFRESH_S,
    Granted,
    RefreshRequest,
    SignInRequest,
    challenge_text,
    refresh_text,
)

_KEPT_MS = 7 * 86_400_000  # ended sessions, so that an old token is told from an unknown one


def sign_in(database: Database, asked: SignInRequest, now_ms: int) -> Granted:
    """A new session. Refusals: DEVICE_SIGNATURE, DEVICE_REVOKED, DEVICE_OTHER, SIGN_IN_LATER, SIGN_IN_WRONG,
    ACCOUNT_BLOCKED.

    First the device, then the password: only an enrolled workstation can guess at all, and it locks out none but
    itself. Who the password fits is told that he is blocked, others are not.
    """
    login = login_of(asked.login)
    with database.read() as connection:
        owner = demand_signature(connection, asked.d, challenge_text(asked.nonce, asked.d, asked.login), asked.sig)
        account = connection.execute(sa.select(t.account).where(t.account.c.login == login)).one_or_none()
        guess = limits.guess_at(connection, asked.d, login)
    take_challenge(database, asked.nonce, asked.d, now_ms)
    limits.count(database, guess, now_ms)
    if not password_fits(account.password_hash if account else None, asked.password) or account is None:
        raise Refusal(Code.SIGN_IN_WRONG)
    if account.blocked:
        raise Refusal(Code.ACCOUNT_BLOCKED)
    if account.operator != owner:
        raise Refusal(Code.DEVICE_OTHER)

    def work(connection: sa.Connection) -> Granted:
        limits.forget(connection, guess)
        return open_session(database, connection, asked.d, owner, now_ms)

    return database.write(work)


def open_session(database: Database, connection: sa.Connection, device: str, owner: int, now_ms: int) -> Granted:
    """A session of that device, in the caller's transaction and as its last step. Refusal(ACCOUNT_BLOCKED)."""
    # One seat, one session: what was left open at this device ends.
    connection.execute(
        sa.update(t.session).where(t.session.c.device == device, t.session.c.ended_at.is_(None)).values(ended_at=now_ms)
    )
    connection.execute(sa.delete(t.session).where(t.session.c.refresh_until < now_ms - _KEPT_MS))
    access, refresh, values = _pair(now_ms)
    connection.execute(sa.insert(t.session).values(id=secrets.token_hex(16), device=device, **values))
    heard(connection, device, now_ms, None)
    granted = _granted(connection, device, access, refresh, now_ms)
    audit.record(
        database,
        connection,
        region=region_of(granted.operator.organisation),
        at=now_ms,
        actor=owner,
        device=device,
        action="signed.in",
        object=device,
    )
    return granted


def refresh(database: Database, asked: RefreshRequest, now_ms: int) -> Granted:
    """The next pair. Refusals: TOKEN_EXPIRED, TOKEN_REPLAYED (the session is ended then), TOKEN_INVALID,
    PASSWORD_CHANGED for a session that another password has ended, DEVICE_OTHER, DEVICE_SIGNATURE, DEVICE_REVOKED,
    ACCOUNT_BLOCKED.

    The token before counts as long as nobody has seen the pair that replaced it: a line that dropped the answer must
    not cost the operator his session in the middle of a talk.
    """
    found = digest(asked.refresh)

    def work(connection: sa.Connection) -> Granted | Refusal:
        chosen = sa.select(t.session).where(sa.or_(t.session.c.refresh_hash == found, t.session.c.former_hash == found))
        row = connection.execute(database.lock(chosen)).one_or_none()
        if row is None:
            return Refusal(Code.TOKEN_INVALID)
        if row.device != asked.d:
            return Refusal(Code.DEVICE_OTHER)
        demand_signature(connection, asked.d, refresh_text(asked.refresh, asked.d), asked.sig)
        if row.ended_at is not None:
            return Refusal(Code.PASSWORD_CHANGED if row.ended_by == PASSWORD else Code.TOKEN_INVALID)
        if row.refresh_until <= now_ms:
            return Refusal(Code.TOKEN_EXPIRED)
        _demand_active(connection, asked.d)
        if row.refresh_hash != found and row.seen:
            connection.execute(sa.update(t.session).where(t.session.c.id == row.id).values(ended_at=now_ms))
            return Refusal(Code.TOKEN_REPLAYED)
        access, fresh, values = _pair(now_ms)
        connection.execute(
            sa.update(t.session).where(t.session.c.id == row.id).values(**values, former_hash=found, seen=False)
        )
        heard(connection, asked.d, now_ms, asked.u)
        return _granted(connection, asked.d, access, fresh, now_ms)

    done = database.write(work)
    if isinstance(done, Refusal):
        raise done  # outside: the end of a stolen session must be committed
    return done


def sign_out(database: Database, device: str, now_ms: int, unsent: int | None = None) -> None:
    """«Выход»: the device's session ends."""

    def work(connection: sa.Connection) -> None:
        heard(connection, device, now_ms, unsent)
        connection.execute(
            sa.update(t.session)
            .where(t.session.c.device == device, t.session.c.ended_at.is_(None))
            .values(ended_at=now_ms)
        )

    database.write(work)


def authenticated(database: Database, token: str, now_ms: int) -> Device:
    """The device and operator of an access token, or of a device's own token where nobody signs in.

    Role and organisation are what the server keeps now, never what a desk says. Refusals: TOKEN_INVALID,
    TOKEN_EXPIRED, ACCOUNT_BLOCKED.
    """
    (admitted,) = admitted_all(database, [token], now_ms)
    if isinstance(admitted, Refusal):
        raise admitted
    return admitted[0]


def _demand_active(connection: sa.Connection, device: str) -> Any:
    """The device's operator as he is now. Refusal(ACCOUNT_BLOCKED)."""
    row = connection.execute(
        sa.select(t.operator, t.account.c.blocked, t.account.c.groups)
        .select_from(t.device.join(t.operator).outerjoin(t.account))
        .where(t.device.c.id == device)
    ).one()
    if row.blocked:
        raise Refusal(Code.ACCOUNT_BLOCKED)
    return as_operator(row)


def _pair(now_ms: int) -> tuple[str, str, dict[str, Any]]:
    access, fresh = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    return (
        access,
        fresh,
        {
            "access_hash": digest(access),
            "access_until": now_ms + ACCESS_S * 1000,
            "refresh_hash": digest(fresh),
            "refresh_until": now_ms + REFRESH_S * 1000,
        },
    )


def _granted(connection: sa.Connection, device: str, access: str, fresh: str, now_ms: int) -> Granted:
    public = public_keys_of(connection)
    kept = connection.execute(sa.select(t.device_key.c.journal_key).where(t.device_key.c.device == device)).scalar_one()
    return Granted(
        access=access,
        refresh=fresh,
        access_s=ACCESS_S,
        refresh_s=REFRESH_S,
        operator=_demand_active(connection, device),
        epoch=epoch(connection),
        t=now_ms,
        recovery=public.get(RECOVERY, ""),
        fund=public.get(FUND, ""),
        sealed=kept is not None,
    )
