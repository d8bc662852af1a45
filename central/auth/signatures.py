"""What a device or a workstation signs: nonces that count once, and Ed25519 over a text bound to its use."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from central.devices import digest
from central.store import tables as t
from central.store.database import Database
from operator_tui.appeals.errors import Code, Refusal

CHALLENGE_MS = 60_000


def make_challenge(database: Database, device: str, now_ms: int) -> str:
    """A nonce for that device. One is given to devices that do not exist too: who asks learns nothing."""
    nonce = secrets.token_urlsafe(32)

    def work(connection: sa.Connection) -> None:
        connection.execute(sa.delete(t.challenge).where(t.challenge.c.expires_at <= now_ms))
        # One at a time for each device: asking again and again fills no table.
        connection.execute(sa.delete(t.challenge).where(t.challenge.c.device == device))
        connection.execute(
            sa.insert(t.challenge).values(nonce_hash=digest(nonce), device=device, expires_at=now_ms + CHALLENGE_MS)
        )

    database.write(work)
    return nonce


def take_challenge(database: Database, nonce: str, device: str, now_ms: int) -> None:
    """Use it up, whatever comes of it. Refusal(DEVICE_SIGNATURE)."""

    def work(connection: sa.Connection) -> bool:
        taken = connection.execute(
            sa.delete(t.challenge)
            .where(t.challenge.c.nonce_hash == digest(nonce), t.challenge.c.device == device)
            .returning(t.challenge.c.expires_at)
        ).scalar_one_or_none()
        return taken is not None and taken > now_ms

    if not database.write(work):
        raise Refusal(Code.DEVICE_SIGNATURE)


def demand_signed(public_key: bytes, text: bytes, signature: str) -> None:
    """Refusal(DEVICE_SIGNATURE) unless that key has signed that text."""
    try:
        VerifyKey(public_key).verify(text, bytes.fromhex(signature))
    except (BadSignatureError, ValueError):
        raise Refusal(Code.DEVICE_SIGNATURE) from None


def demand_signature(connection: sa.Connection, device: str, text: bytes, signature: str) -> int:
    """The number of the device's operator. Refusals: DEVICE_SIGNATURE; DEVICE_REVOKED, to the device alone that can
    sign for itself."""
    row = connection.execute(
        sa.select(t.device.c.operator, t.device.c.revoked, t.device_key.c.public_key)
        .join(t.device, t.device.c.id == t.device_key.c.device)
        .where(t.device_key.c.device == device)
    ).one_or_none()
    if row is None:
        raise Refusal(Code.DEVICE_SIGNATURE)
    demand_signed(row.public_key, text, signature)
    if row.revoked:
        raise Refusal(Code.DEVICE_REVOKED)
    return int(row.operator)
