"""``/v1/files``: uploads that go on where they broke off, by tus 1.0 (core, creation, checksum); and the files whole.

The address of an upload is the SHA-256 of the file, which the desk says in ``Upload-Metadata`` as ``sha256``. The work
on the disk has threads of its own, so a card never waits behind a file.
"""

from __future__ import annotations

import base64
import binascii
import errno
import re
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import anyio
import anyio.to_thread
from litestar import Response, get, head, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED, HTTP_204_NO_CONTENT

from central.api.access import SIGNED_IN
from central.api.errors import AnyRequest
from central.devices import Device
from central.files import CHECKSUMS, MAX_FILE, Files, Standing
from central.log import log
from central.streams import region_of
from operator_tui.appeals.errors import Code, Refusal

FILES_PATH = "/v1/files"
VERSION = "1.0.0"
CHUNK_TYPE = "application/offset+octet-stream"
_ONE = f"{FILES_PATH}/{{name:str}}"
_RANGE = re.compile(r"bytes=(\d{1,15})-")
_CHUNK = 1 << 16
_AT_ONCE = 2  # files the disk works on at once
_limiter: list[anyio.CapacityLimiter] = []

T = TypeVar("T")


@post(FILES_PATH, status_code=HTTP_201_CREATED, opt={"access": SIGNED_IN}, summary="Begin an upload, or find it (tus)")
async def create(request: AnyRequest, who: NamedDependency[Device]) -> Response[None]:
    _demand_tus(request)
    name, length = _digest(request), _number(request, "upload-length")
    at = await _beside(lambda: _files(who).begin(name, length))
    return Response(None, headers={**_headers(at), "Location": f"{FILES_PATH}/{name}"})


@head(_ONE, opt={"access": SIGNED_IN}, summary="How far an upload is (tus)")
async def standing(name: FromPath[str], request: AnyRequest, who: NamedDependency[Device]) -> Response[None]:
    _demand_tus(request)
    at = await _beside(lambda: _files(who).standing(name))
    return Response(None, status_code=HTTP_200_OK, headers={**_headers(at), "Cache-Control": "no-store"})


@patch(_ONE, status_code=HTTP_204_NO_CONTENT, opt={"access": SIGNED_IN}, summary="The next bytes of an upload (tus)")
async def append(name: FromPath[str], request: AnyRequest, who: NamedDependency[Device]) -> Response[None]:
    _demand_tus(request)
    if request.headers.get("content-type", "") != CHUNK_TYPE:
        raise Refusal(Code.BAD_REQUEST, reason="content_type")
    offset, checksum = _number(request, "upload-offset"), _checksum(request)
    content = await request.body()
    at = await _beside(lambda: _files(who).append(name, offset, content, checksum))
    if at.offset == at.length:
        log("file_whole", device=who.id, sent=at.length)
    return Response(None, status_code=HTTP_204_NO_CONTENT, headers=_headers(at))


@get(_ONE, opt={"access": SIGNED_IN}, summary="A whole file as it was sealed, or its rest (Range)")
async def whole(name: FromPath[str], request: AnyRequest, who: NamedDependency[Device]) -> Response[Any]:
    file, size = await _beside(lambda: _files(who).open(name))
    asked, tag = _RANGE.fullmatch(request.headers.get("range", "")), f'"{name}"'
    start = int(asked[1]) if asked and request.headers.get("if-range", tag) == tag else 0
    start = start if start < size else 0
    headers = {"ETag": tag, "Accept-Ranges": "bytes", "Content-Length": str(size - start)}
    if start:
        headers["Content-Range"] = f"bytes {start}-{size - 1}/{size}"
    log("file_sent", device=who.id, sent=size - start)
    status = 206 if start else 200
    return Stream(_chunks(file, start), status_code=status, media_type="application/octet-stream", headers=headers)


async def _chunks(file: Path, start: int) -> AsyncIterator[bytes]:
    async with await anyio.open_file(file, "rb") as opened:
        await opened.seek(start)
        while chunk := await opened.read(_CHUNK):
            yield chunk


def _files(who: Device) -> Files:
    return Files(region_of(who.operator.organisation))


async def _beside(work: Callable[[], T]) -> T:
    if not _limiter:
        _limiter.append(anyio.CapacityLimiter(_AT_ONCE))
    try:
        return await anyio.to_thread.run_sync(partial(work), limiter=_limiter[0])
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Refusal(Code.FILE_STORE_FULL) from None
        raise


def _headers(at: Standing) -> dict[str, str]:
    return {
        "Tus-Resumable": VERSION,
        "Upload-Offset": str(at.offset),
        "Upload-Length": str(at.length),
        "Tus-Max-Size": str(MAX_FILE),
    }


def _demand_tus(request: AnyRequest) -> None:
    if request.headers.get("tus-resumable") != VERSION:
        raise Refusal(Code.BAD_REQUEST, reason="tus_version", spoken=[VERSION])


def _number(request: AnyRequest, name: str) -> int:
    said = request.headers.get(name, "")
    if not (said.isascii() and said.isdigit() and len(said) <= 15):
        raise Refusal(Code.BAD_REQUEST, reason=name)
    return int(said)


def _digest(request: AnyRequest) -> str:
    """``sha256 <base64 of the digest in hex>`` among the pairs of Upload-Metadata."""
    for pair in request.headers.get("upload-metadata", "").split(","):
        key, _, value = pair.strip().partition(" ")
        if key == "sha256":
            try:
                return base64.b64decode(value, validate=True).decode("ascii")
            except (binascii.Error, ValueError):
                break
    raise Refusal(Code.BAD_REQUEST, reason="file_name")


def _checksum(request: AnyRequest) -> tuple[str, bytes] | None:
    said = request.headers.get("upload-checksum")
    if said is None:
        return None
    algorithm, _, value = said.partition(" ")
    if algorithm not in CHECKSUMS:
        raise Refusal(Code.BAD_REQUEST, reason="checksum_algorithm", spoken=list(CHECKSUMS))
    try:
        return algorithm, base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise Refusal(Code.BAD_REQUEST, reason="checksum_algorithm", spoken=list(CHECKSUMS)) from None
