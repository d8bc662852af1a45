"""``POST /v1/history``: earlier appeals of a person or of a telephone, for desks whose journal does not go back so far.

Not GET: what is asked for is personal data, and addresses stand in the logs of everything between. Neither the question
nor the answer is logged here; that it was asked, and how many appeals were shown, is. Who was shown which appeals is in
the audit before they are out.
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
from central.history import history as look
from central.log import log
from operator_tui.appeals.history import HISTORY_PATH, Answer, Asked
from operator_tui.sync.protocol import JSON_TYPE


@post(
    HISTORY_PATH,
    status_code=HTTP_200_OK,
    opt={"access": SIGNED_IN},
    summary="Earlier appeals of a person or of a telephone in the caller's region",
)
async def history(
    request: AnyRequest, service: NamedDependency[Service], who: NamedDependency[Device]
) -> Response[Any]:
    asked = await message(request, Asked)

    def work() -> Answer:
        found = look(service.database, who.operator.organisation, asked)
        service.record(who, "history.shown", "", {"cards": [card.id for card in found.cards], "more": found.more})
        return found

    answer = await service.run(work)
    log("history", device=who.id, sent=len(answer.cards))
    return Response(msgspec.json.encode(answer), media_type=JSON_TYPE, headers={"Cache-Control": "no-store"})
