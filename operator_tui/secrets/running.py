"""A file sealed while it is being written: what a kill leaves behind is readable up to its last piece.

``sealed`` encrypts a file that is there already, in pieces of one size; a recording grows, and no second of it may
wait in memory for a piece to fill. Layout: magic, file key sealed to a public key (X25519), stream header (libsodium
secretstream), then for each piece four bytes of length (big endian) and the encrypted piece. The last piece is marked,
so a file cut short is noticed.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from nacl.bindings import (
    crypto_secretstream_xchacha20poly1305_ABYTES as _TAG_BYTES,
)
from nacl.bindings import (
    crypto_secretstream_xchacha20poly1305_HEADERBYTES as _HEADER_BYTES,
)
from nacl.bindings import (
    crypto_secretstream_xchacha20poly1305_init_pull,
    crypto_secretstream_xchacha20poly1305_init_push,
    crypto_secretstream_xchacha20poly1305_keygen,
    crypto_secretstream_xchacha20poly1305_pull,
    crypto_secretstream_xchacha20poly1305_push,
    crypto_secretstream_xchacha20poly1305_state,
)
from nacl.bindings import (
    crypto_secretstream_xchacha20poly1305_TAG_FINAL as _FINAL,
)
from nacl.bindings import (
    crypto_secretstream_xchacha20poly1305_TAG_MESSAGE as _MESSAGE,
)
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.secrets.address import KEY_BYTES, LABELLED_BOX, PLAIN_BOX, unwrap, wrap

MAGIC = b"OTR1"
MAGIC_LABELLED = b"OTR2"  # the seal says what it is good for
_BOX_BYTES = {MAGIC: PLAIN_BOX, MAGIC_LABELLED: LABELLED_BOX}
_LENGTH_BYTES = 4
_MOST = 1 << 20  # no piece of ours is longer


def public_key(private_key: bytes) -> bytes:
    """The public half of a private key of 32 bytes."""
    return bytes(PrivateKey(private_key).public_key)


class RunningFile:
    """A new file of mode 0600, encrypted for ``address``: a public key of 32 bytes, or address.fund_address. Every
    method may raise the disk's OSError."""

    def __init__(self, path: Path, address: bytes) -> None:
        key = crypto_secretstream_xchacha20poly1305_keygen()
        self._state = crypto_secretstream_xchacha20poly1305_state()
        header = crypto_secretstream_xchacha20poly1305_init_push(self._state, key)
        self._digest = hashlib.sha256()
        self.size = 0
        # Unbuffered: what is written is the kernel's, and a killed process takes none of it along.
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._file = os.fdopen(file, "wb", buffering=0)
        self._put((MAGIC if len(address) == KEY_BYTES else MAGIC_LABELLED) + wrap(key, address) + header)

    def write(self, piece: bytes) -> None:
        """Add a piece."""
        self._piece(piece, _MESSAGE)

    def sync(self) -> None:
        """On the disk itself when this returns: a power cut takes nothing of what stands here."""
        os.fsync(self._file.fileno())

    def close(self) -> str:
        """Mark the end; SHA-256 of the whole file, hexadecimal."""
        try:
            self._piece(b"", _FINAL)
            self.sync()
        finally:
            self._file.close()
        return self._digest.hexdigest()

    def abandon(self) -> None:
        """Let go of the file without an end mark: the disk takes no more."""
        self._file.close()

    def _piece(self, piece: bytes, tag: int) -> None:
        box = crypto_secretstream_xchacha20poly1305_push(self._state, piece, None, tag)
        self._put(len(box).to_bytes(_LENGTH_BYTES, "big") + box)

    def _put(self, data: bytes) -> None:
        view = memoryview(data)
        while view:  # an unbuffered write may take a part
            taken = self._file.write(view)
            view = view[taken:]
        self._digest.update(data)
        self.size += len(data)


@dataclass(frozen=True)
class Opened:
    """What a running file holds; ``whole`` when its end mark was found."""

    plain: bytes
    whole: bool


def open_running(file: Path, private_key: bytes) -> Opened:
    """Everything up to the last whole piece. Refusal(FILE_SEAL) for another's file and for a changed piece."""
    return _open(file, lambda box: unwrap(box, private_key))


def open_with_key(file: Path, key: bytes) -> Opened:
    """The same with the file's own key, as the server has unwrapped it."""
    return _open(file, lambda box: key)


def opened_with_key(data: bytes, key: bytes, name: str = "") -> Opened:
    """The same for a file that is not on this disk; ``name`` is what a refusal calls it."""
    return _opened(data, name, lambda box: key)


def box_of(file: Path) -> bytes:
    """The sealed key, for the server to unwrap. Refusal(FILE_SEAL) for a file that is none."""
    with file.open("rb") as stream:
        return box_in(stream.read(len(MAGIC) + LABELLED_BOX), file.name)


def box_in(data: bytes, name: str = "") -> bytes:
    """The same for bytes: the file's beginning is enough."""
    size = _BOX_BYTES.get(data[: len(MAGIC)], 0)
    if not size or len(data) < len(MAGIC) + size:
        raise Refusal(Code.FILE_SEAL, file=name)
    return data[len(MAGIC) : len(MAGIC) + size]


def _open(file: Path, key_of: Callable[[bytes], bytes]) -> Opened:
    return _opened(file.read_bytes(), file.name, key_of)


def _opened(data: bytes, name: str, key_of: Callable[[bytes], bytes]) -> Opened:
    box = box_in(data, name)
    at = len(MAGIC) + len(box) + _HEADER_BYTES
    state = crypto_secretstream_xchacha20poly1305_state()
    try:
        crypto_secretstream_xchacha20poly1305_init_pull(state, data[at - _HEADER_BYTES : at], key_of(box))
        plain = bytearray()
        while at + _LENGTH_BYTES <= len(data):
            length = int.from_bytes(data[at : at + _LENGTH_BYTES], "big")
            piece_box = data[at + _LENGTH_BYTES : at + _LENGTH_BYTES + length]
            if not _TAG_BYTES <= length <= _MOST:
                raise Refusal(Code.FILE_SEAL, file=name)
            if len(piece_box) < length:
                break
            piece, tag = crypto_secretstream_xchacha20poly1305_pull(state, piece_box)
            plain += piece
            at += _LENGTH_BYTES + length
            if tag == _FINAL:
                if at != len(data):
                    raise Refusal(Code.FILE_SEAL, file=name)
                return Opened(bytes(plain), True)
    except (CryptoError, ValueError, TypeError):
        raise Refusal(Code.FILE_SEAL, file=name) from None
    return Opened(bytes(plain), False)
