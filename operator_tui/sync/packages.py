"""Brings the registry's packages from the centre: cut and gone on with, verified by their digest, then handed over."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.registry.packages import PACKAGES_PATH, Manifest, Package, digest_of
from operator_tui.sync.link import Link
from operator_tui.sync.persistence import WAIT_S, until_whole

_MOST_MANIFEST = 1 << 20

Token = Callable[[], Awaitable[str]]
Told = Callable[[int, int], None]


async def manifest(link: Link, token: Token) -> Manifest:
    """What the centre has for this desk's region. Refusals: those of ``Link.get``, SERVER_REFUSED."""
    raw = b""
    async with link.get(PACKAGES_PATH, token=await token()) as (_, chunks):
        async for chunk in chunks:
            raw += chunk
            if len(raw) > _MOST_MANIFEST:
                break
    try:
        return msgspec.json.decode(raw, type=Manifest)
    except msgspec.MsgspecError as error:
        raise Refusal(Code.SERVER_REFUSED, reason="manifest") from error


async def fetch(
    link: Link, token: Token, package: Package, folder: Path, told: Told | None = None, *, wait_s: float = WAIT_S
) -> Path:
    """The package as a file of the folder, complete and verified. ``told`` gets (bytes here, bytes in all).

    What has arrived stays when the line drops, also over a restart, and the rest is asked for. Refusals: SERVER_AWAY
    after five tries without a byte, REGISTRY_BUSY when another desk of this host does the same, REGISTRY_TRANSFER for
    a package that is not what the manifest says (it is thrown away), DISK_FAILED, and what the server refuses.
    """
    file = folder / f".package-{package.sha256[:32]}"

    async def more() -> None:
        await _more(link, await token(), package, file, _size(file), told)

    async def here() -> int:
        return _size(file)

    async def whole(size: int) -> bool:
        return size >= package.size

    await until_whole(more, here, whole, wait_s=wait_s)
    try:
        right = _size(file) == package.size and await asyncio.to_thread(digest_of, file) == package.sha256
    except FileNotFoundError:  # another desk of this host has brought it in meanwhile, and took it away
        raise Refusal(Code.REGISTRY_BUSY, path=str(folder)) from None
    if not right:
        file.unlink(missing_ok=True)
        raise Refusal(Code.REGISTRY_TRANSFER, reason="контрольная сумма не сошлась")
    return file


async def _more(link: Link, token: str, package: Package, file: Path, here: int, told: Told | None) -> None:
    """What the line gives until it ends or drops, behind what is here."""
    path = f"{PACKAGES_PATH}/{package.name}"
    async with link.get(path, token=token, start=here, tag=package.sha256) as (first, chunks):
        try:
            descriptor = os.open(file, os.O_CREAT | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "wb", buffering=0) as stream:
                os.ftruncate(descriptor, first)
                stream.seek(first)
                async for chunk in chunks:
                    first += len(chunk)
                    if first > package.size:
                        return
                    stream.write(chunk)
                    if told is not None:
                        told(first, package.size)
        except OSError as error:
            raise Refusal(Code.DISK_FAILED, path=str(file), reason=error.strerror or "") from error


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0
