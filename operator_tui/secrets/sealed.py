"""Files encrypted for the fund: recordings and attachments (libsodium secretstream, a key for each file).

The file's key is sealed to the fund's public key (X25519): this desk can not open what it has written; the server
unwraps for who may read. Chunks are authenticated in their order and the last one is marked, so a file cut short is
noticed. Layout: magic, sealed key, stream header, chunks of CHUNK bytes of plain text each.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

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
from nacl.public import PrivateKey, PublicKey, SealedBox

from operator_tui.appeals.errors import Code, Refusal

MAGIC = b"OTF1"
CHUNK = 64 * 1024
_SEALED_BYTES = 32 + 48  # crypto_box_SEALBYTES more than the key


def seal_file(source: BinaryIO, target: Path, public_key: bytes) -> None:
    """Write what ``source`` holds, encrypted for ``public_key`` (32 bytes), to a new file of mode 0600; on disk when
    this returns. An OSError of the disk comes out, and nothing of the file stays then."""
    key = crypto_secretstream_xchacha20poly1305_keygen()
    state = crypto_secretstream_xchacha20poly1305_state()
    header = crypto_secretstream_xchacha20poly1305_init_push(state, key)
    draft = target.with_name(target.name + ".new")
    try:
        file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(file, "wb") as out:
            out.write(MAGIC + SealedBox(PublicKey(public_key)).encrypt(key) + header)
            ahead = source.read(CHUNK)
            while True:
                chunk, ahead = ahead, source.read(CHUNK)
                tag = _MESSAGE if ahead else _FINAL
                out.write(crypto_secretstream_xchacha20poly1305_push(state, chunk, None, tag))
                if not ahead:
                    break
            out.flush()
            os.fsync(out.fileno())
        draft.replace(target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def open_sealed(file: Path, private_key: bytes) -> Iterator[bytes]:
    """The plain text, chunk by chunk. Refusal(FILE_SEAL) for another's file, a changed one and one cut short: that
    comes when the place is reached, so nothing may be trusted before the end."""
    with file.open("rb") as stream:
        head = stream.read(len(MAGIC) + _SEALED_BYTES + _HEADER_BYTES)
        state = _begin(head, private_key, file)
        ended = False
        while box := stream.read(CHUNK + _TAG_BYTES):
            if ended:
                raise Refusal(Code.FILE_SEAL, file=file.name)
            try:
                plain, tag = crypto_secretstream_xchacha20poly1305_pull(state, box)
            except (CryptoError, ValueError):
                raise Refusal(Code.FILE_SEAL, file=file.name) from None
            ended = tag == _FINAL
            yield plain
        if not ended:
            raise Refusal(Code.FILE_SEAL, file=file.name)


def _begin(head: bytes, private_key: bytes, file: Path) -> crypto_secretstream_xchacha20poly1305_state:
    sealed = head[len(MAGIC) : len(MAGIC) + _SEALED_BYTES]
    header = head[len(MAGIC) + _SEALED_BYTES :]
    if not head.startswith(MAGIC) or len(header) != _HEADER_BYTES:
        raise Refusal(Code.FILE_SEAL, file=file.name)
    state = crypto_secretstream_xchacha20poly1305_state()
    try:
        key = SealedBox(PrivateKey(private_key)).decrypt(sealed)
        crypto_secretstream_xchacha20poly1305_init_pull(state, header, key)
    except (CryptoError, ValueError):
        raise Refusal(Code.FILE_SEAL, file=file.name) from None
    return state
