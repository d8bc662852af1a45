"""The key of a registry file, as a file of its own."""

from __future__ import annotations

from pathlib import Path

from operator_tui.appeals.errors import Code, Refusal


def read_key(place: Path) -> bytes:
    """32 raw bytes, or the same in hexadecimal. Refusal(FILE_UNREADABLE) for anything else."""
    try:
        raw = place.read_bytes()
    except OSError as error:
        raise Refusal(Code.FILE_UNREADABLE, file=str(place), reason=error.strerror or "") from error
    if len(raw) == 32:
        return raw
    try:
        key = bytes.fromhex(raw.decode("ascii").strip())
    except (UnicodeDecodeError, ValueError):
        key = b""
    if len(key) != 32:
        raise Refusal(Code.FILE_UNREADABLE, file=str(place), reason="это не ключ из 32 байт")
    return key
