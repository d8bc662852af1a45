"""A person's workstation: enrolled by a one-time code and a password, brought back after a forgotten one."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

import msgspec
import sqlalchemy as sa
from nacl.exceptions import CryptoError
from nacl.public import PublicKey, SealedBox
from nacl.signing import VerifyKey

from central import audit
from central.auth import limits
from central.auth.accounts import PASSWORD, end_sessions, login_of, set_password
from central.auth.passwords import password_fits, password_hash
from central.auth.seats import workstation
from central.auth.signatures import demand_signature, demand_signed, take_challenge
from central.devices import as_operator, digest, epoch, new_device, take_code, typed
from central.keys import ServerKeys
from central.moving import demand_still
from central.store import tables as t
from central.store.database import Database
from central.streams import region_of
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.signin.messages import (
    CHALLENGE_DIGITS,
    JoinRequest,
    ResetAnswer,
    ResetRequest,
    SealedWorkRequest,
    join_text,
    sealed_work_text,
)
from operator_tui.signin.voice import KEY_BYTES
from operator_tui.sync.protocol import EnrolAnswer, EnrolRequest

_MAX_PIECES = 64  # of some 500 kB: years of unsent work; who has the key of a lost machine fills no disk
_SEALED_KEY_BYTES = 32 + 48  # what a sealed box adds (libsodium: crypto_box_SEALBYTES)


def enrol_person(database: Database, asked: EnrolRequest, now_ms: int) -> EnrolAnswer:
    """A new device of a person. His first password is the one he gives now.

    Refusals: ENROLMENT_CODE, SIGN_IN_WRONG (the code is used up: it does not help guessing), PASSWORD_WEAK,
    ACCOUNT_BLOCKED, FIELD_INVALID.
    """
    public = _public_key(asked.key)
    if asked.workstation:
        _public_key(asked.workstation, "workstation")
    account = _of_code(database, t.enrolment, asked.code, now_ms, Code.ENROLMENT_CODE)
    fresh = ""
    if asked.oidc:
        pass  # this gives a device and no session: for that the provider has to name its owner
    elif account.password_hash is None:
        fresh = password_hash(asked.password, account.login)
    elif not password_fits(account.password_hash, asked.password):
        database.write(lambda connection: take_code(connection, asked.code, now_ms))
        raise Refusal(Code.SIGN_IN_WRONG)
    if account.blocked:
        raise Refusal(Code.ACCOUNT_BLOCKED)

    def work(connection: sa.Connection) -> EnrolAnswer:
        number = take_code(connection, asked.code, now_ms)
        if fresh:
            set_password(connection, number, fresh, now_ms)
        return _new_seat(database, connection, account, public, asked.workstation, now_ms)

    return database.write(work)


def join(database: Database, asked: JoinRequest, now_ms: int) -> EnrolAnswer:
    """A new device of a known person at a workstation that somebody has enrolled (issue 3): by his password alone.

    As at every sign-in the machine proves itself first: only an enrolled one can guess, and locks out none but
    itself. Refusals: DEVICE_SIGNATURE, DEVICE_OTHER for a person of another region, SIGN_IN_LATER, SIGN_IN_WRONG,
    ACCOUNT_BLOCKED, FIELD_INVALID.
    """
    login = login_of(asked.login)
    public = _public_key(asked.key)
    text = join_text(asked.nonce, asked.w, asked.login, asked.key)
    demand_signed(_public_key(asked.w, "workstation"), text, asked.sig)
    with database.read() as connection:
        machine = connection.execute(sa.select(t.workstation).where(t.workstation.c.key == asked.w)).one_or_none()
        chosen = sa.select(t.account, t.operator.c.region).join(t.operator).where(t.account.c.login == login)
        account = connection.execute(chosen).one_or_none()
    if machine is None:
        raise Refusal(Code.DEVICE_SIGNATURE)
    take_challenge(database, asked.nonce, asked.w[:CHALLENGE_DIGITS], now_ms)
    guess = limits.guess_by(asked.w, login)
    limits.count(database, guess, now_ms)
    if not password_fits(account.password_hash if account else None, asked.password) or account is None:
        raise Refusal(Code.SIGN_IN_WRONG)
    if account.blocked:
        raise Refusal(Code.ACCOUNT_BLOCKED)
    if account.region != machine.region:
        raise Refusal(Code.DEVICE_OTHER)
    limits.count(database, f"seats/{account.operator}", now_ms)  # a place is taken once, not again and again

    def work(connection: sa.Connection) -> EnrolAnswer:
        limits.forget(connection, guess)
        return _new_seat(database, connection, account, public, asked.w, now_ms)

    return database.write(work)


def _new_seat(
    database: Database, connection: sa.Connection, account: sa.Row[Any], public: bytes, machine: str, now_ms: int
) -> EnrolAnswer:
    voice = secrets.token_bytes(KEY_BYTES)
    # Its token is never told: nobody enters by it.
    answer = new_device(database, connection, account.operator, secrets.token_urlsafe(32), now_ms)
    connection.execute(sa.insert(t.device_key).values(device=answer.device, public_key=public, voice_key=voice))
    registry = b""
    if machine:
        registry = workstation(connection, machine, region_of(answer.operator.organisation), now_ms)
        connection.execute(sa.update(t.device).where(t.device.c.id == answer.device).values(workstation=machine))
    return msgspec.structs.replace(
        answer,
        token="",
        login=account.login,
        voice=voice.hex(),
        sip=account.sip_secret or "",
        registry=registry.hex(),
    )


def keep_journal_key(database: Database, keys: ServerKeys, device: str, sealed: str) -> None:
    """Keep the journal key of a device, once: a stolen token must not put another in its place, or a forgotten password
    would cost the journal. Refusals: FIELD_INVALID when it could never be opened again, and for another key,
    REGION_MOVES, TOKEN_INVALID when the device is here no more."""
    try:
        raw = bytes.fromhex(sealed)
    except ValueError:
        raise Refusal(Code.FIELD_INVALID, field="sealed") from None

    if len(raw) != _SEALED_KEY_BYTES:
        raise Refusal(Code.FIELD_INVALID, field="sealed")
    key = keys.open_recovery(raw)

    def work(connection: sa.Connection) -> None:
        _demand_still(connection, device)
        mine = t.device_key.c.device == device
        kept = connection.execute(database.lock(sa.select(t.device_key.c.journal_key).where(mine))).scalar_one()
        if kept is None:
            connection.execute(sa.update(t.device_key).where(mine).values(journal_key=raw))
        elif keys.open_recovery(kept) != key:
            raise Refusal(Code.FIELD_INVALID, field="sealed")

    database.write(work)


def keep_sealed_work(database: Database, asked: SealedWorkRequest, now_ms: int) -> None:
    """What a revoked device had not sent; the same again is the same. Refusals: DEVICE_SIGNATURE, FIELD_INVALID.

    It is kept as it is: a revoked machine's word is taken by an administrator (``central admin sealed-work``), never
    unseen."""
    try:
        content = bytes.fromhex(asked.sealed)
    except ValueError:
        raise Refusal(Code.FIELD_INVALID, field="sealed") from None

    def work(connection: sa.Connection) -> None:
        try:
            demand_signature(connection, asked.d, sealed_work_text(asked.d, asked.sealed), asked.sig)
        except Refusal as refusal:
            if refusal.code is not Code.DEVICE_REVOKED:
                raise
        else:
            raise Refusal(Code.DEVICE_OTHER)  # who is not revoked sends his work himself
        digest_ = hashlib.sha256(content).digest()
        if connection.execute(sa.select(t.sealed_work.c.digest).where(t.sealed_work.c.digest == digest_)).first():
            return
        kept = sa.select(sa.func.count()).where(t.sealed_work.c.device == asked.d)
        if connection.execute(kept).scalar_one() >= _MAX_PIECES:
            raise Refusal(Code.BAD_REQUEST, reason="too_many", limit=_MAX_PIECES)
        _demand_still(connection, asked.d)
        connection.execute(
            sa.insert(t.sealed_work).values(digest=digest_, device=asked.d, received_at=now_ms, content=content)
        )

    database.write(work)


def _demand_still(connection: sa.Connection, device: str) -> None:
    """Refusal(REGION_MOVES) when the region of the device does: what is written behind the copy would be lost;
    TOKEN_INVALID when it has gone since the device was admitted."""
    whose = sa.select(t.operator.c.region).join(t.device, t.device.c.operator == t.operator.c.number)
    region = connection.execute(whose.where(t.device.c.id == device)).scalar_one_or_none()
    if region is None:
        raise Refusal(Code.TOKEN_INVALID)
    demand_still(connection, [region])


def reset(database: Database, keys: ServerKeys, asked: ResetRequest, now_ms: int) -> ResetAnswer:
    """A new password and a new device key for a code; the journal key comes back sealed to the asker.

    Refusals: RESET_CODE, PASSWORD_WEAK, ACCOUNT_BLOCKED, DEVICE_OTHER, FIELD_INVALID.
    """
    public = _public_key(asked.key)
    try:
        box = SealedBox(PublicKey(bytes.fromhex(asked.box)))
    except (ValueError, TypeError, CryptoError):
        raise Refusal(Code.FIELD_INVALID, field="box") from None
    account = _of_code(database, t.reset, asked.code, now_ms, Code.RESET_CODE)
    if account.blocked:
        raise Refusal(Code.ACCOUNT_BLOCKED)
    fresh = password_hash(asked.password, account.login)

    def work(connection: sa.Connection) -> ResetAnswer:
        used = connection.execute(
            sa.update(t.reset)
            .where(t.reset.c.code_hash == digest(typed(asked.code)), t.reset.c.used_at.is_(None))
            .values(used_at=now_ms)
            .returning(t.reset.c.operator)
        ).scalar_one_or_none()
        if used is None:
            raise Refusal(Code.RESET_CODE)
        row = connection.execute(
            sa.select(t.device.c.number, t.device.c.operator, t.device_key.c.journal_key, t.device_key.c.voice_key)
            .join(t.device, t.device.c.id == t.device_key.c.device)
            .where(t.device.c.id == asked.d, t.device.c.revoked.is_(False))
        ).one_or_none()
        if row is None or row.operator != used:
            raise Refusal(Code.DEVICE_OTHER)
        set_password(connection, used, fresh, now_ms)
        limits.forget(connection, limits.guess_at(connection, asked.d, account.login))  # with the forgotten one
        end_sessions(connection, used, now_ms, by=PASSWORD)
        connection.execute(sa.update(t.device_key).where(t.device_key.c.device == asked.d).values(public_key=public))
        journal = box.encrypt(keys.open_recovery(row.journal_key)).hex() if row.journal_key else ""
        operator = as_operator(connection.execute(sa.select(t.operator).where(t.operator.c.number == used)).one())
        audit.record(
            database,
            connection,
            region=region_of(operator.organisation),
            at=now_ms,
            actor=used,
            device=asked.d,
            action="password.reset",
            object=str(used),
        )
        return ResetAnswer(
            device=asked.d,
            number=row.number,
            epoch=epoch(connection),
            operator=operator,
            login=account.login,
            journal=journal,
            voice=row.voice_key.hex(),
            sip=account.sip_secret or "",
        )

    return database.write(work)


def _of_code(database: Database, table: sa.Table, code: str, now_ms: int, refused: Code) -> sa.Row[Any]:
    """The account a code was made for; the code stays unused."""
    with database.read() as connection:
        row = connection.execute(
            sa.select(t.account)
            .join(table, table.c.operator == t.account.c.operator)
            .where(table.c.code_hash == digest(typed(code)), table.c.used_at.is_(None), table.c.expires_at > now_ms)
        ).one_or_none()
    if row is None:
        raise Refusal(refused)
    return row


def _public_key(text: str, field: str = "key") -> bytes:
    try:
        return bytes(VerifyKey(bytes.fromhex(text)))
    except (ValueError, TypeError, CryptoError):
        raise Refusal(Code.FIELD_INVALID, field=field) from None
