"""The vault: one encrypted file of secrets, opened by a passphrase. For machines without a Secret Service.

XChaCha20-Poly1305 under a key that Argon2id makes of the passphrase (RFC 9106, the second recommended option:
3 passes, 4 lanes, 64 MiB). The header is authenticated with the box, so its figures cannot be lowered unseen.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from argon2.low_level import Type, hash_secret_raw
from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
    crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
    crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
)
from nacl.exceptions import CryptoError

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.secrets.files import alone, read_private, write_private

_MEMORY_KIB, _PASSES, _LANES, _SALT_BYTES = 64 * 1024, 3, 4, 16
_MAX_MEMORY_KIB = 1024 * 1024  # a forged header must not make us take all memory


class Vault:
    """Names to bytes in one file. The passphrase is asked once; the key it makes stays in memory till ``lock``."""

    def __init__(self, path: Path, passphrase: Callable[[], str] | None) -> None:
        self._path = path
        self._passphrase = passphrase
        self._header: dict[str, Any] = {}
        self._key = b""

    @property
    def exists(self) -> bool:
        """Whether there is such a file yet."""
        return self._path.exists()

    def fits(self, passphrase: str) -> bool:
        """Whether it opens the vault; what is open stays open. Refusal(FILE_UNREADABLE) for a broken one."""
        other = Vault(self._path, lambda: passphrase)
        try:
            other._read()
        except Refusal as refusal:
            if refusal.code is Code.VAULT_PASSPHRASE:
                return False
            raise
        if not self._key:
            self._header, self._key = other._header, other._key
        return True

    def wrap_anew(self, passphrase: str) -> None:
        """From now on the vault opens with this passphrase: a fresh salt, everything written again."""
        with alone(self._path):
            kept = self._read()
            self.lock()
            self._passphrase = lambda: passphrase
            self._write(kept)

    @property
    def unwrapped(self) -> bytes:
        """What opens the vault without its passphrase, empty while locked. For the kernel to keep, nobody else."""
        return base64.b64decode(self._header["salt"]) + self._key if self._key else b""

    def open_unwrapped(self, unwrapped: bytes) -> bool:
        """Open it with what ``unwrapped`` gave before; False when it is no longer the right one."""
        content = read_private(self._path)
        if content is None:
            return False
        try:
            header = json.loads(content)["header"]
            if base64.b64decode(header["salt"]) != unwrapped[:_SALT_BYTES]:
                return False
            self._header, self._key = header, unwrapped[_SALT_BYTES:]
            self._read()
        except (Refusal, ValueError, KeyError, TypeError):
            self.lock()
            return False
        return True

    def lock(self) -> None:
        """Forget the key; the next use asks for the passphrase again."""
        self._header, self._key = {}, b""

    def get(self, name: str) -> bytes | None:
        """The secret, None when there is none. Refusals: VAULT_LOCKED, VAULT_PASSPHRASE, KEY_FILE_OPEN."""
        return self._read().get(name)

    def change(self, act: Callable[[dict[str, bytes]], None]) -> None:
        """Let ``act`` change the secrets and write them; no other process comes between."""
        with alone(self._path):
            kept = self._read()
            act(kept)
            self._write(kept)

    def _read(self) -> dict[str, bytes]:
        content = read_private(self._path)
        if content is None:
            return {}
        try:
            whole = json.loads(content)
            header, box = whole["header"], base64.b64decode(whole["box"], validate=True)
            nonce = base64.b64decode(whole["nonce"], validate=True)
            key = self._key_for(header)
        except (ValueError, KeyError, TypeError, binascii.Error):
            raise Refusal(Code.FILE_UNREADABLE, file=str(self._path), reason="JSON") from None
        try:
            plain = crypto_aead_xchacha20poly1305_ietf_decrypt(box, _authenticated(header), nonce, key)
        except (CryptoError, ValueError):
            self.lock()
            raise Refusal(Code.VAULT_PASSPHRASE, path=str(self._path)) from None
        return {name: base64.b64decode(value) for name, value in json.loads(plain).items()}

    def _write(self, kept: dict[str, bytes]) -> None:
        if not self._key:
            salt = base64.b64encode(os.urandom(_SALT_BYTES)).decode()
            self._key_for({"v": 1, "m": _MEMORY_KIB, "t": _PASSES, "p": _LANES, "salt": salt})
        plain = json.dumps({name: base64.b64encode(value).decode() for name, value in kept.items()}).encode()
        # 192 bits of nonce: random ones never meet (the reason for the X in the cipher's name).
        nonce = os.urandom(crypto_aead_xchacha20poly1305_ietf_NPUBBYTES)
        box = crypto_aead_xchacha20poly1305_ietf_encrypt(plain, _authenticated(self._header), nonce, self._key)
        whole = {
            "header": self._header,
            "nonce": base64.b64encode(nonce).decode(),
            "box": base64.b64encode(box).decode(),
        }
        write_private(self._path, json.dumps(whole).encode())

    def _key_for(self, header: dict[str, Any]) -> bytes:
        if self._key and header == self._header:
            return self._key
        salt = base64.b64decode(header["salt"], validate=True)
        if header["v"] != 1 or len(salt) != _SALT_BYTES or not (1 <= header["t"] <= 16 and 1 <= header["p"] <= 16):
            raise ValueError("not a header of a vault")
        # At least eight blocks a lane (RFC 9106, section 3.1): Argon2 itself would refuse with an error of its own.
        if not 8 * header["p"] <= header["m"] <= _MAX_MEMORY_KIB:
            raise ValueError("not a header of a vault")
        if self._passphrase is None:
            raise Refusal(Code.VAULT_LOCKED, path=str(self._path))
        self._key = hash_secret_raw(
            self._passphrase().encode(),
            salt,
            time_cost=header["t"],
            memory_cost=header["m"],
            parallelism=header["p"],
            hash_len=crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
            type=Type.ID,
        )
        self._header = header
        return self._key


def _authenticated(header: dict[str, Any]) -> bytes:
    return json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
