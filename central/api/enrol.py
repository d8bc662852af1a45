"""``POST /v1/enroll``: a one-time code for a device identity."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec
from litestar import Response, post
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_200_OK

from central.api.access import OPEN
from central.api.errors import AnyRequest
from central.api.service import Service
from central.auth.devices import enrol_person
from central.devices import enrol as take_code
from central.log import log
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.sync.protocol import ENROL_PATH, JSON_TYPE, EnrolRequest, demand_version

_MAX_BYTES = 4096


@post(ENROL_PATH, status_code=HTTP_200_OK, opt={"access": OPEN}, summary="A one-time code for a device identity")
async def enrol(request: AnyRequest, service: NamedDependency[Service]) -> Response[Any]:
    body = await request.body()
    if len(body) > _MAX_BYTES:
        raise Refusal(Code.BAD_REQUEST, reason="too_large", limit=_MAX_BYTES)
    try:
        asked = msgspec.json.decode(body, type=EnrolRequest)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise Refusal(Code.BAD_REQUEST, reason="json") from None
    demand_version(asked.v)
    if asked.oidc and service.provider is None:
        raise Refusal(Code.OIDC_OFF)  # else a code alone, without the password, would bring the seat's secrets
    make = (
        partial(enrol_person, service.database, asked)
        if asked.key
        else partial(take_code, service.database, asked.code, collectors_only=service.persons_only)
    )
    answer = await service.run(lambda: make(service.clock.now_ms()))
    log("enrolled", device=answer.device)
    return Response(msgspec.json.encode(answer), media_type=JSON_TYPE)
