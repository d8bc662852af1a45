"""The server's two private keys (X25519), kept in a file of their own and never in the database.

``recovery`` opens journal keys and unsent work that desks have sealed; ``fund`` opens the keys of recordings and
attachments. Two, so that nobody can have a journal's key unwrapped as if it were a file's. The database keeps the
public halves alone: whoever has a copy of it, or of a backup, opens nothing, and a server started with another file
is refused before anything is sealed for nobody.

The file is JSON of mode 0600, or a vault (operator_tui/secrets/vault.py) that a passphrase opens.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox

from central.store import tables as t
from central.store.database import Database
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.profiles import Profile
from operator_tui.secrets.files import alone, read_private, write_private
from operator_tui.secrets.vault import Vault

KEY_BYTES = 32
RECOVERY, FUND = "recovery", "fund"
_PUBLIC = {RECOVERY: "recovery_public", FUND: "fund_public"}
_FORMER = "recovery"  # where a release kept the private key: in the database


@dataclass(frozen=True, repr=False)
class ServerKeys:
    """Both private keys, in memory."""

    recovery: bytes
    fund: bytes

    @classmethod
    def fresh(cls) -> ServerKeys:
        """New ones."""
        return cls(secrets.token_bytes(KEY_BYTES), secrets.token_bytes(KEY_BYTES))

    @property
    def public(self) -> dict[str, str]:
        """The public halves by name, hex."""
        return {RECOVERY: _public(self.recovery), FUND: _public(self.fund)}

    def open_recovery(self, sealed: bytes) -> bytes:
        """What was sealed to the recovery key. Refusal(FIELD_INVALID)."""
        return _open(self.recovery, sealed)

    def open_fund(self, sealed: bytes) -> bytes:
        """What was sealed to the fund's key. Refusal(FIELD_INVALID)."""
        return _open(self.fund, sealed)


def keys_file_of(profile: Profile) -> Path:
    """Where the file is when nobody says: what systemd hands over (LoadCredentialEncrypted=operator-tui-keys), else
    beside the settings: never in the folder of the database, which is copied and backed up."""
    handed = os.environ.get("CREDENTIALS_DIRECTORY")
    if handed and (file := Path(handed) / "operator-tui-keys").exists():
        return file
    return profile.config / "central.keys"


def server_keys(database: Database, file: Path, passphrase: Callable[[], str] | None = None) -> ServerKeys:
    """The keys of this database, made with their file at its first start.

    Refusals: SERVER_KEYS_AWAY when the database knows keys and the file is not there, SERVER_KEYS_OTHER when they are
    others, KEY_FILE_OPEN when others may read it, VAULT_LOCKED and VAULT_PASSPHRASE for a sealed one.
    """
    kept = _read(file, passphrase)
    if kept is None:
        with alone(file):  # two processes that start together make one file
            kept = _read(file, passphrase)
            if kept is None:
                if public_keys(database):
                    raise Refusal(Code.SERVER_KEYS_AWAY, path=str(file))
                kept = _first(database)
                write_private(file, _plain(kept))
    try:
        bind(database, kept)
    except Refusal:
        raise Refusal(Code.SERVER_KEYS_OTHER, path=str(file)) from None
    return kept


def bind(database: Database, keys: ServerKeys) -> None:
    """The database knows the public halves from now on, and no private one. Refusal(SERVER_KEYS_OTHER)."""

    def work(connection: sa.Connection) -> None:
        known = public_keys_of(connection)
        if known and known != keys.public:
            raise Refusal(Code.SERVER_KEYS_OTHER, path="")
        if known:
            return
        connection.execute(sa.delete(t.server).where(t.server.c.k.in_([_FORMER, *_PUBLIC.values()])))
        rows = [{"k": _PUBLIC[name], "v": value} for name, value in keys.public.items()]
        connection.execute(sa.insert(t.server), rows)

    try:
        database.write(work)
    except sa.exc.IntegrityError:  # another process was first: its keys must be these
        database.write(work)


def seal_file(file: Path, passphrase: str) -> None:
    """From now on the file opens with this passphrase. Refusal(SERVER_KEYS_AWAY) when there is none."""
    kept = _read(file, lambda: passphrase)
    if kept is None:
        raise Refusal(Code.SERVER_KEYS_AWAY, path=str(file))
    draft = file.with_name(file.name + ".sealed")
    draft.unlink(missing_ok=True)
    Vault(draft, lambda: passphrase).change(lambda inside: inside.update(recovery=kept.recovery, fund=kept.fund))
    draft.replace(file)


def public_keys(database: Database) -> dict[str, str]:
    """The public halves by name, hex; empty before the first start with keys."""
    with database.read() as connection:
        return public_keys_of(connection)


def public_keys_of(connection: sa.Connection) -> dict[str, str]:
    """The same inside a transaction."""
    rows = connection.execute(sa.select(t.server).where(t.server.c.k.in_(_PUBLIC.values()))).all()
    found = {row.k: row.v for row in rows}
    return {name: found[key] for name, key in _PUBLIC.items() if key in found}


def _first(database: Database) -> ServerKeys:
    """New keys, but the recovery key a former release kept in the database: what is sealed to it still opens."""
    with database.read() as connection:
        former = connection.execute(sa.select(t.server.c.v).where(t.server.c.k == _FORMER)).scalar_one_or_none()
    fresh = ServerKeys.fresh()
    return ServerKeys(bytes.fromhex(former), fresh.fund) if former else fresh


def _read(file: Path, passphrase: Callable[[], str] | None) -> ServerKeys | None:
    content = read_private(file)
    if content is None:
        return None
    try:
        whole = json.loads(content)
        if "header" in whole:
            vault = Vault(file, passphrase)
            inside = {name: vault.get(name) or b"" for name in (RECOVERY, FUND)}
        else:
            inside = {name: bytes.fromhex(whole[name]) for name in (RECOVERY, FUND)}
    except (ValueError, KeyError, TypeError):
        raise Refusal(Code.FILE_UNREADABLE, file=str(file), reason="JSON") from None
    if any(len(key) != KEY_BYTES for key in inside.values()):
        raise Refusal(Code.FILE_UNREADABLE, file=str(file), reason="JSON")
    return ServerKeys(inside[RECOVERY], inside[FUND])


def _plain(keys: ServerKeys) -> bytes:
    return json.dumps({RECOVERY: keys.recovery.hex(), FUND: keys.fund.hex()}, indent=1).encode()


def _public(private: bytes) -> str:
    return bytes(PrivateKey(private).public_key).hex()


def _open(private: bytes, sealed: bytes) -> bytes:
    try:
        return SealedBox(PrivateKey(private)).decrypt(sealed)
    except (CryptoError, ValueError, TypeError):
        raise Refusal(Code.FIELD_INVALID, field="sealed") from None
