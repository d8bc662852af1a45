"""Files encrypted for the fund: recordings and attachments (libsodium secretstream, a key for each file).

The file's key is sealed to the fund's public key (X25519): this desk can not open what it has written; the server
unwraps for who may read (address.py). Chunks are authenticated in their order and the last one is marked, so a file
cut short is noticed. Layout: magic, sealed key, stream header, chunks of CHUNK bytes of plain text each.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
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

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.secrets.address import KEY_BYTES, LABELLED_BOX, PLAIN_BOX, unwrap, wrap

MAGIC = b"OTF1"
MAGIC_LABELLED = b"OTF2"  # the seal says what it is good for
CHUNK = 64 * 1024
_BOX_BYTES = {MAGIC: PLAIN_BOX, MAGIC_LABELLED: LABELLED_BOX}


def seal_file(source: BinaryIO, target: Path, address: bytes, key: bytes = b"") -> None:
    """Write what ``source`` holds, encrypted for ``address`` (a public key, or address.fund_address), to a new file of
    mode 0600; on disk when this returns. An OSError of the disk comes out, and nothing of the file stays then. ``key``
    is this file's own (``file_key``), given by who keeps it too."""
    key = key or file_key()
    state = crypto_secretstream_xchacha20poly1305_state()
    header = crypto_secretstream_xchacha20poly1305_init_push(state, key)
    draft = target.with_name(target.name + ".new")
    try:
        file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(file, "wb") as out:
            out.write((MAGIC if len(address) == KEY_BYTES else MAGIC_LABELLED) + wrap(key, address) + header)
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


def file_key() -> bytes:
    """A new key for one file."""
    return bytes(crypto_secretstream_xchacha20poly1305_keygen())


def open_sealed(file: Path, private_key: bytes) -> Iterator[bytes]:
    """The plain text, chunk by chunk. Refusal(FILE_SEAL) for another's file, a changed one and one cut short: that
    comes when the place is reached, so nothing may be trusted before the end."""
    return _open(file, lambda box: unwrap(box, private_key))


def open_with_key(file: Path, key: bytes) -> Iterator[bytes]:
    """The same with the file's own key, as the server has unwrapped it."""
    return _open(file, lambda box: key)


def opened_with_key(data: bytes, key: bytes, name: str = "") -> bytes:
    """The same, whole, for a file that is not on this disk; ``name`` is what a refusal calls it."""
    return b"".join(_opened(io.BytesIO(data), name, lambda box: key))


def box_of(file: Path) -> bytes:
    """The sealed key, for the server to unwrap. Refusal(FILE_SEAL) for a file that is none."""
    with file.open("rb") as stream:
        return _head(stream, file.name)[0]


def box_in(data: bytes, name: str = "") -> bytes:
    """The same for bytes."""
    return _head(io.BytesIO(data), name)[0]


def _open(file: Path, key_of: Callable[[bytes], bytes]) -> Iterator[bytes]:
    with file.open("rb") as stream:
        yield from _opened(stream, file.name, key_of)


def _opened(stream: BinaryIO, name: str, key_of: Callable[[bytes], bytes]) -> Iterator[bytes]:
    box, header = _head(stream, name)
    state = crypto_secretstream_xchacha20poly1305_state()
    try:
        crypto_secretstream_xchacha20poly1305_init_pull(state, header, key_of(box))
    except (CryptoError, ValueError, TypeError):
        raise Refusal(Code.FILE_SEAL, file=name) from None
    ended = False
    while chunk := stream.read(CHUNK + _TAG_BYTES):
        if ended:
            raise Refusal(Code.FILE_SEAL, file=name)
        try:
            plain, tag = crypto_secretstream_xchacha20poly1305_pull(state, chunk)
        except (CryptoError, ValueError):
            raise Refusal(Code.FILE_SEAL, file=name) from None
        ended = tag == _FINAL
        yield plain
    if not ended:
        raise Refusal(Code.FILE_SEAL, file=name)


def _head(stream: BinaryIO, name: str) -> tuple[bytes, bytes]:
    """The sealed key and the stream's header."""
    size = _BOX_BYTES.get(stream.read(len(MAGIC)), 0)
    box, header = stream.read(size), stream.read(_HEADER_BYTES)
    if not size or len(header) != _HEADER_BYTES:
        raise Refusal(Code.FILE_SEAL, file=name)
    return box, header
