"""``PUT /v1/presence``: what an operator does and whom he looks at; the answers come by his stream."""

from __future__ import annotations

from litestar import put
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_204_NO_CONTENT

from central.api.access import SIGNED_IN, message
from central.api.errors import AnyRequest
from central.api.service import Service
from central.devices import Device
from central.presence import Told
from central.streams import region_of
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.presence import State
from operator_tui.sync.protocol import MAX_WATCHED, PRESENCE_PATH, PresenceRequest

_LONGEST = 64  # letters of a number or of a card's id


@put(
    PRESENCE_PATH,
    status_code=HTTP_204_NO_CONTENT,
    opt={"access": SIGNED_IN},
    summary="What the operator does, and the numbers on his screen",
)
async def presence(request: AnyRequest, service: NamedDependency[Service], who: NamedDependency[Device]) -> None:
    asked = await message(request, PresenceRequest)
    if asked.s not in {state.value for state in State}:
        raise Refusal(Code.BAD_REQUEST, reason="state")
    if len(asked.watch) > MAX_WATCHED or max(map(len, [asked.card, *asked.watch])) > _LONGEST:
        raise Refusal(Code.BAD_REQUEST, reason="too_many", limit=MAX_WATCHED)
    operator = who.operator
    service.presences.watch(who.id, asked.watch, asked.card)
    service.bus.said(Told(who.id, region_of(operator.organisation), operator.extension, asked.s, asked.card))
    service.hub.ring([who.id])  # its own stream: what is on its screen now
