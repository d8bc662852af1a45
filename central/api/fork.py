"""``POST /v1/fork``: a device code of its own for a journal that was copied."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response, post
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_200_OK

from central.api.access import SIGNED_IN, message
from central.api.errors import AnyRequest
from central.api.service import Service
from central.devices import Device
from central.forks import fork as make_fork
from central.log import log
from operator_tui.sync.protocol import FORK_PATH, JSON_TYPE, ForkRequest


@post(FORK_PATH, status_code=HTTP_200_OK, opt={"access": SIGNED_IN}, summary="A device code for a copied journal")
async def fork(request: AnyRequest, service: NamedDependency[Service], who: NamedDependency[Device]) -> Response[Any]:
    await message(request, ForkRequest)
    answer = await service.run(lambda: make_fork(service.database, who, service.clock.now_ms()))
    log("forked", device=who.id)
    return Response(msgspec.json.encode(answer), media_type=JSON_TYPE)
