"""``GET /v1/dict/{number}``: a zstd dictionary of the protocol, for programs that were not shipped with it."""

from __future__ import annotations

from typing import Any

from litestar import Response, get
from litestar.params import FromPath

from central.api.access import OPEN
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.sync.dictionary import dictionaries
from operator_tui.sync.protocol import DICT_PATH


@get(f"{DICT_PATH}/{{number:int}}", opt={"access": OPEN}, summary="A zstd dictionary by its id")
async def dictionary(number: FromPath[int]) -> Response[Any]:
    """404 for an unknown one. A released dictionary never changes, so it may be kept for ever."""
    found = dictionaries().get(number)
    if found is None:
        raise Refusal(Code.BAD_REQUEST, reason="dictionary_unknown", dictionary=number)
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(found.as_bytes(), media_type="application/octet-stream", headers=headers)
