"""Uploads by tus 1.0 (tus.io/protocols/resumable-upload), the desk's end: core, creation and checksum.

The address of an upload is the SHA-256 of the file, so creating one that is under way, or that is there already, finds
it and says how far it is. The server's end is central/api/tus.py.
"""

from __future__ import annotations

import base64
import hashlib

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.sync.link import Link

FILES_PATH = "/v1/files"
_VERSION = {"Tus-Resumable": "1.0.0"}
_CHUNK_TYPE = "application/offset+octet-stream"
_CODES = {
    "files_not_here": Code.FILE_STORE_AWAY,
    "file_size": Code.FILE_TOO_LONG,
}


async def begin(link: Link, token: str, name: str, length: int) -> int:
    """Begin the upload of that digest (hex) and length, or find it; how many bytes of it are there.

    Refusals: FILE_STORE_FULL, FILE_STORE_AWAY (a server that takes no files), FILE_TOO_LONG, and those of the link.
    """
    said = base64.b64encode(name.encode()).decode()
    headers = {**_VERSION, "Upload-Length": str(length), "Upload-Metadata": f"sha256 {said}"}
    return await _offset(link, "POST", FILES_PATH, headers, token=token)


async def append(link: Link, token: str, name: str, offset: int, piece: bytes) -> int:
    """Put the next bytes behind ``offset``; how many are there now, on the server's disk.

    Where others stand there already (a request whose answer was lost came through), their place comes back.
    Refusals: those of ``begin``, FILE_UPLOAD when the server has thrown the upload away: it is to begin anew.
    """
    checksum = base64.b64encode(hashlib.sha1(piece, usedforsecurity=False).digest()).decode()
    headers = {
        **_VERSION,
        "Upload-Offset": str(offset),
        "Upload-Checksum": f"sha1 {checksum}",
        "Content-Type": _CHUNK_TYPE,
    }
    return await _offset(link, "PATCH", f"{FILES_PATH}/{name}", headers, piece, token=token)


async def standing(link: Link, token: str, name: str) -> tuple[int, int] | None:
    """How many bytes of a file the server has, and how many there are; None when it has none of it.

    Refusals: those of the link.
    """
    try:
        answered = await link.exchange("HEAD", f"{FILES_PATH}/{name}", _VERSION, token=token)
        return int(answered["upload-offset"]), int(answered["upload-length"])
    except Refusal as refusal:
        if refusal.code is not Code.SERVER_REFUSED:  # a refusal of HEAD has no body: 404 all the same
            raise
    except (KeyError, ValueError):
        pass
    return None


async def _offset(link: Link, method: str, path: str, headers: dict[str, str], body: bytes = b"", *, token: str) -> int:
    try:
        answered = await link.exchange(method, path, headers, body, token=token)
    except Refusal as refusal:
        reason = refusal.params.get("reason")
        standing = refusal.params.get("offset")
        if reason == "offset" and isinstance(standing, int):
            return standing
        # More bytes than the upload has: who began it was wrong about its length, and it is begun anew.
        if reason in ("file_unknown", "checksum") or (reason == "file_size" and method == "PATCH"):
            raise Refusal(Code.FILE_UPLOAD) from None
        if refusal.code is Code.BAD_REQUEST and reason in _CODES:
            raise Refusal(_CODES[reason], **{"limit": refusal.params.get("limit", 0)}) from None
        raise
    said = answered.get("upload-offset", "")
    if not said.isdigit():
        raise Refusal(Code.SERVER_REFUSED, reason="tus")
    return int(said)
