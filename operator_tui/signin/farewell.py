"""The end of a revoked workstation: what it has not sent is sealed for the server, then its keys are destroyed.

In this order, each step on disk before the next: sealed and signed pieces beside the profile, the end of the keys, the
way to the server. The pieces need no key of ours any more and go as soon as the server is there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import zstandard

from operator_tui.secrets.files import read_private, write_private
from operator_tui.signin.messages import MAX_SEALED_WORK, SealedWorkRequest, sealed_work_text
from operator_tui.sync.protocol import PROTOCOL_VERSION

_MAX_PLAIN = 64 << 20
# Hex doubles it, a signature and a name come with it.
_PIECE_BYTES = MAX_SEALED_WORK // 2 - 4096


class Unsent(msgspec.Struct, frozen=True):
    """Operations as they stand in a request (protocol.plain_operation), and drafts that were never saved."""

    operations: list[dict[str, Any]]
    drafts: list[dict[str, Any]] = []


def packed(unsent: Unsent) -> list[bytes]:
    """Pieces that fit one message each, to be sealed."""
    plain = zstandard.ZstdCompressor().compress(msgspec.json.encode(unsent))
    if len(plain) <= _PIECE_BYTES or len(unsent.operations) + len(unsent.drafts) < 2:  # nothing to halve
        return [plain]
    middle, other = len(unsent.operations) // 2, len(unsent.drafts) // 2
    first = Unsent(unsent.operations[:middle], unsent.drafts[:other])
    return packed(first) + packed(Unsent(unsent.operations[middle:], unsent.drafts[other:]))


def opened(piece: bytes) -> Unsent:
    """The other end."""
    plain = zstandard.ZstdDecompressor().decompress(piece, max_output_size=_MAX_PLAIN)
    return msgspec.json.decode(plain, type=Unsent)


def keep(
    folder: Path, device: str, pieces: Sequence[bytes], recovery: bytes, sign: Callable[[bytes], str]
) -> list[Path]:
    """Seal the pieces to the recovery key and put them on disk, ready to be sent."""
    from nacl.public import PublicKey, SealedBox

    box = SealedBox(PublicKey(recovery))
    files = []
    for number, piece in enumerate(pieces):
        sealed = box.encrypt(piece).hex()
        message = SealedWorkRequest(PROTOCOL_VERSION, device, sealed, sign(sealed_work_text(device, sealed)))
        file = folder / f"{device}-{number}.sealed"
        write_private(file, msgspec.json.encode(message))
        files.append(file)
    return files


def waiting(folder: Path) -> list[tuple[Path, SealedWorkRequest]]:
    """What still has to go to the server, by name."""
    found = []
    for file in sorted(folder.glob("*.sealed")) if folder.is_dir() else []:
        content = read_private(file)
        if content is not None:
            found.append((file, msgspec.json.decode(content, type=SealedWorkRequest)))
    return found
