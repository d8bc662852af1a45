"""``POST /v1/insured``: the registry's search for offices that hold no copy of it, at most ten people an answer.

Not GET: what is searched for is personal data, and addresses stand in the logs of everything between. Neither the
query nor the answer is ever logged here; that a search was made, and how many it showed, is. Who was shown whom, and
for which call or appeal, is in the audit before the answer is out (docs/decisions/0046).
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
from central.registry.people import find
from central.streams import region_of
from operator_tui.registry.asked import INSURED_PATH, Answer, Asked
from operator_tui.sync.protocol import JSON_TYPE


@post(
    INSURED_PATH,
    status_code=HTTP_200_OK,
    opt={"access": SIGNED_IN},
    summary="At most ten insured people of the caller's region",
)
async def insured(
    request: AnyRequest, service: NamedDependency[Service], who: NamedDependency[Device]
) -> Response[Any]:
    asked = await message(request, Asked)
    region = region_of(who.operator.organisation)

    def work() -> Answer:
        found = find(service.database.engine, region, asked)
        if shown := [hit.person.enp for hit in found.found.hits]:
            service.record(who, "person.shown", asked.call, {"people": shown, "card": asked.card})
        return found

    answer = await service.run(work)
    log("searched", device=who.id, sent=len(answer.found.hits))
    return Response(msgspec.json.encode(answer), media_type=JSON_TYPE, headers={"Cache-Control": "no-store"})
