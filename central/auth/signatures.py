"""What a device or a workstation signs: nonces that count once, and Ed25519 over a text bound to its use.

A nonce says for whom and until when it is good, under a key of the server's own. So asking for one writes nothing:
who is not signed in fills no table and takes away nobody's nonce. Kept is what was used, once its signature fitted.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import secrets

import sqlalchemy as sa
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from central.devices import digest
from central.store import tables as t
from central.store.database import Database
from operator_tui.appeals.errors import Code, Refusal

CHALLENGE_MS = 60_000
_KEY = "nonces"  # its name among the server's facts
_RANDOM_BYTES, _TIME_BYTES, _MAC_BYTES = 16, 8, 32


def make_challenge(database: Database, device: str, now_ms: int) -> str:
    """A nonce for that device. One is given to devices that do not exist too: who asks learns nothing."""
    head = secrets.token_bytes(_RANDOM_BYTES) + (now_ms + CHALLENGE_MS).to_bytes(_TIME_BYTES, "big")
    return base64.urlsafe_b64encode(head + _mac(_key(database), head, device)).decode()


def take_challenge(database: Database, nonce: str, device: str, now_ms: int) -> None:
    """Use it up; what was signed with it has been looked at. Refusal(DEVICE_SIGNATURE)."""
    try:
        raw = base64.b64decode(nonce, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise Refusal(Code.DEVICE_SIGNATURE) from None
    head, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    if len(head) != _RANDOM_BYTES + _TIME_BYTES or not hmac.compare_digest(mac, _mac(_key(database), head, device)):
        raise Refusal(Code.DEVICE_SIGNATURE)
    until = int.from_bytes(head[_RANDOM_BYTES:], "big")
    if until <= now_ms:
        raise Refusal(Code.DEVICE_SIGNATURE)

    def work(connection: sa.Connection) -> None:
        connection.execute(sa.delete(t.challenge).where(t.challenge.c.expires_at <= now_ms))
        connection.execute(sa.insert(t.challenge).values(nonce_hash=digest(nonce), device=device, expires_at=until))

    try:
        database.write(work)
    except sa.exc.IntegrityError:  # it was used before
        raise Refusal(Code.DEVICE_SIGNATURE) from None


def _mac(key: bytes, head: bytes, device: str) -> bytes:
    return hmac.digest(key, head + device.encode(), hashlib.sha256)


def _key(database: Database) -> bytes:
    """The same for all processes of this server; made at its first use."""
    chosen = sa.select(t.server.c.v).where(t.server.c.k == _KEY)
    with database.read() as connection:
        kept = connection.execute(chosen).scalar_one_or_none()
    if kept is None:
        fresh = sa.insert(t.server).values(k=_KEY, v=secrets.token_hex(_MAC_BYTES))
        with contextlib.suppress(sa.exc.IntegrityError):  # another process was first
            database.write(lambda connection: connection.execute(fresh))
        with database.read() as connection:
            kept = connection.execute(chosen).scalar_one()
    return bytes.fromhex(kept)


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
