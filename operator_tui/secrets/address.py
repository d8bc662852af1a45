"""Whom a file is encrypted for: the public key that its own key is sealed to, and what the seal is good for.

The label (SHA-256 over kind and organisation) is sealed in beside the file's key. The server that unwraps compares it
with who asks: a recording is not opened by who may read attachments, nor a file of one organisation by another's.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

KEY_BYTES = 32
BOX_BYTES = 48  # crypto_box_SEALBYTES
PLAIN_BOX, LABELLED_BOX = KEY_BYTES + BOX_BYTES, 2 * KEY_BYTES + BOX_BYTES


class FileKind(StrEnum):
    """What a sealed file is."""

    RECORDING = "recording"
    ATTACHMENT = "attachment"
    VOICE_MAIL = "voice_mail"  # a message left at night: for whoever answers it


def fund_address(public_key: bytes, kind: FileKind, organisation: str) -> bytes:
    """64 bytes: where ``seal_file`` and ``RunningFile`` send the file's key."""
    return public_key + label(kind, organisation)


def label(kind: FileKind, organisation: str) -> bytes:
    """What a seal is good for, 32 bytes."""
    return hashlib.sha256(f"operator-tui/{kind.value}\0{organisation}".encode()).digest()


def wrap(key: bytes, address: bytes) -> bytes:
    """The file's key for an address of 32 bytes (a public key alone) or 64 (with a label)."""
    return SealedBox(PublicKey(address[:KEY_BYTES])).encrypt(key + address[KEY_BYTES:])


def unwrap(box: bytes, private_key: bytes, wanted: bytes | None = None) -> bytes:
    """The file's key. ValueError for a box of another, a changed one, or one that is not good for ``wanted``."""
    try:
        plain = SealedBox(PrivateKey(private_key)).decrypt(box)
    except (CryptoError, TypeError):
        raise ValueError("not sealed to this key") from None
    if wanted is not None and plain[KEY_BYTES:] != wanted:
        raise ValueError("sealed for another purpose")
    return plain[:KEY_BYTES]
