"""``GET /v1/registry`` and ``GET /v1/registry/{name}``: packages of the caller's region, for desks that keep a copy.

A line of 64 kbit/s drops: ``Range: bytes=N-`` with ``If-Range`` goes on where it broke off (RFC 9110 sections 13.1.5
and 14.2). Packages are sealed; the manifest holds their keys and is told only to who is signed in. Who took which
package, and from which byte on, is in the audit: it is everybody of the region at once.
"""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio.to_thread
import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream

from central.api.access import SIGNED_IN
from central.api.errors import AnyRequest
from central.api.service import Service
from central.devices import Device
from central.log import log
from central.registry.share import folder_of
from central.streams import region_of
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.registry.packages import PACKAGES_PATH, Package, read_manifest
from operator_tui.sync.protocol import JSON_TYPE

_BYTES = "application/octet-stream"
_RANGE = re.compile(r"bytes=(\d{1,15})-")
_CHUNK = 64 << 10


@get(PACKAGES_PATH, opt={"access": SIGNED_IN}, summary="Packages of the registry of the caller's region")
async def packages(who: NamedDependency[Device]) -> Response[Any]:
    manifest = read_manifest(folder_of(region_of(who.operator.organisation)))
    return Response(msgspec.json.encode(manifest), media_type=JSON_TYPE, headers={"Cache-Control": "no-store"})


@get(f"{PACKAGES_PATH}/{{name:str}}", opt={"access": SIGNED_IN}, summary="One package, or its rest (Range)")
async def package(
    name: FromPath[str], request: AnyRequest, service: NamedDependency[Service], who: NamedDependency[Device]
) -> Response[Any]:
    """206 from the byte asked for, when ``If-Range`` names this very package; 200 and the whole of it otherwise."""
    folder = folder_of(region_of(who.operator.organisation))
    found = next((one for one in read_manifest(folder).packages if one.name == name), None)
    if found is None:
        raise Refusal(Code.BAD_REQUEST, reason="package_unknown")
    tag = f'"{found.sha256}"'
    start = _start(request, found, tag)
    headers = {"ETag": tag, "Accept-Ranges": "bytes", "Content-Length": str(found.size - start)}
    if start:
        headers["Content-Range"] = f"bytes {start}-{found.size - 1}/{found.size}"
    given = {"from": start, "as_of": found.as_of, "people": found.people}
    await service.run(lambda: service.record(who, "registry.given", name, given))
    log("package_sent", device=who.id, sent=found.size - start)
    return Stream(_chunks(folder / name, start), status_code=206 if start else 200, media_type=_BYTES, headers=headers)


def _start(request: AnyRequest, found: Package, tag: str) -> int:
    asked = _RANGE.fullmatch(request.headers.get("range", ""))
    if asked is None or request.headers.get("if-range", tag) != tag:
        return 0
    start = int(asked[1])
    return start if start < found.size else 0


async def _chunks(file: Path, start: int) -> AsyncIterator[bytes]:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        while chunk := await anyio.to_thread.run_sync(os.pread, descriptor, _CHUNK, start):
            start += len(chunk)
            yield chunk
    finally:
        os.close(descriptor)
