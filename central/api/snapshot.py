"""``GET /v1/snapshot/{region}/{name}`` and ``POST /v1/cards``: the appeals of the caller's organisation as they stand.

``Range: bytes=N-`` with ``If-Range`` goes on where a line broke off (RFC 9110 sections 13.1.5 and 14.2).
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream
from litestar.status_codes import HTTP_200_OK

from central.api.access import SIGNED_IN, message
from central.api.errors import AnyRequest
from central.api.service import Service
from central.devices import Device
from central.log import log
from central.snapshot import Snapshot, cards_of
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.sync.packing import pack
from operator_tui.sync.protocol import (
    CARDS_PATH,
    ENCODING,
    JSON_TYPE,
    MOST_CARDS,
    SNAPSHOT_PATH,
    CardsAnswer,
    CardsRequest,
)

_BYTES = "application/zstd"
_RANGE = re.compile(r"bytes=(\d{1,15})-")
_CHUNK = 64 << 10


@get(
    f"{SNAPSHOT_PATH}/{{region:str}}/{{name:str}}",
    opt={"access": SIGNED_IN},
    summary="The caller's appeals as they stand, or the rest of them (Range)",
)
async def snapshot(
    region: FromPath[str],
    name: FromPath[str],
    request: AnyRequest,
    service: NamedDependency[Service],
    who: NamedDependency[Device],
) -> Response[Any]:
    """206 from the byte asked for, when ``If-Range`` names this very snapshot; 200 and the whole of it otherwise."""
    stream = f"{region}/{name}"
    if stream != who.operator.organisation:
        raise Refusal(Code.BAD_REQUEST, reason="stream")
    async with service.snapshot_turn:
        made = await service.run(lambda: service.snapshots.of(service.database, stream, service.clock.now_ms()))
    tag = f'"{made.tag}"'
    start = _start(request, made, tag)
    headers = {"ETag": tag, "Accept-Ranges": "bytes", "Content-Length": str(len(made.content) - start)}
    if start:
        headers["Content-Range"] = f"bytes {start}-{len(made.content) - 1}/{len(made.content)}"
    log("snapshot_sent", device=who.id, sent=len(made.content) - start)
    return Stream(_chunks(made.content, start), status_code=206 if start else 200, media_type=_BYTES, headers=headers)


@post(CARDS_PATH, status_code=HTTP_200_OK, opt={"access": SIGNED_IN}, summary="Single appeals as they stand")
async def cards(request: AnyRequest, service: NamedDependency[Service], who: NamedDependency[Device]) -> Response[Any]:
    asked = await message(request, CardsRequest)
    if len(asked.ids) > MOST_CARDS or asked.s != who.operator.organisation:
        raise Refusal(Code.BAD_REQUEST, reason="ids")

    def work() -> CardsAnswer:
        return CardsAnswer(*cards_of(service.database, asked.s, [one.replace("\0", "") for one in asked.ids]))

    headers = {"Content-Encoding": ENCODING, "Cache-Control": "no-store"}
    return Response(await service.run(lambda: pack(work())), media_type=JSON_TYPE, headers=headers)


def _start(request: AnyRequest, made: Snapshot, tag: str) -> int:
    asked = _RANGE.fullmatch(request.headers.get("range", ""))
    if asked is None or request.headers.get("if-range", tag) != tag:
        return 0
    start = int(asked[1])
    return start if start < len(made.content) else 0


async def _chunks(content: bytes, start: int) -> AsyncIterator[bytes]:
    for first in range(start, len(content), _CHUNK):
        yield content[first : first + _CHUNK]
