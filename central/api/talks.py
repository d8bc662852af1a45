"""``POST /v1/talks``: who of the organisation talked about an appeal, when and how long, for the desks that did not.

Not what was said: whether there is a recording, and never its name or its key (``/v1/files/…``).
"""

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
from central.log import log
from central.talked import talks_about
from operator_tui.appeals.talks import TALKS_PATH, Answer, Asked
from operator_tui.sync.protocol import JSON_TYPE


@post(
    TALKS_PATH,
    status_code=HTTP_200_OK,
    opt={"access": SIGNED_IN},
    summary="Talks about an appeal of the caller's organisation",
)
async def talks(request: AnyRequest, service: NamedDependency[Service], who: NamedDependency[Device]) -> Response[Any]:
    asked = await message(request, Asked)
    found = await service.run(lambda: talks_about(service.database, asked.card, who.operator.organisation))
    log("talks", device=who.id, sent=len(found))
    return Response(msgspec.json.encode(Answer(found)), media_type=JSON_TYPE, headers={"Cache-Control": "no-store"})
