"""``POST /v1/sums`` and ``POST /v1/day``: whether a desk's copy is what the server has, and one day of it again."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response, post
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_200_OK

from central.api.access import SIGNED_IN, message
from central.api.errors import AnyRequest
from central.api.service import Service
from central.days import made_on, sums_since
from central.devices import Device
from central.exchange import followed
from central.streams import heads
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.sync.dictionary import current
from operator_tui.sync.packing import pack
from operator_tui.sync.protocol import (
    DAY_PATH,
    JSON_TYPE,
    PROTOCOL_VERSION,
    SUMS_PATH,
    DayAnswer,
    DayRequest,
    SumsAnswer,
    SumsRequest,
)

_FURTHEST = 1 << 31  # a day beyond it is none


@post(SUMS_PATH, status_code=HTTP_200_OK, opt={"access": SIGNED_IN}, summary="Sums of a stream's cards by day")
async def sums(request: AnyRequest, service: NamedDependency[Service], who: NamedDependency[Device]) -> Response[Any]:
    asked = await message(request, SumsRequest)
    _demand_seen(who, asked.s)

    def look() -> SumsAnswer:
        with service.database.one_moment() as connection:
            head = heads(connection, [asked.s])[asked.s].head
            if head != asked.q:
                return SumsAnswer(head, {})
            return SumsAnswer(head, sums_since(connection, asked.s, _day(asked.since)))

    return _packed(await service.run(look))


@post(DAY_PATH, status_code=HTTP_200_OK, opt={"access": SIGNED_IN}, summary="The cards of a stream made on a day")
async def day(request: AnyRequest, service: NamedDependency[Service], who: NamedDependency[Device]) -> Response[Any]:
    asked = await message(request, DayRequest)
    _demand_seen(who, asked.s)

    def look() -> DayAnswer:
        with service.database.one_moment() as connection:
            head = heads(connection, [asked.s])[asked.s].head
            return DayAnswer(head, made_on(connection, asked.s, _day(asked.day)))

    return _packed(await service.run(look))


def _day(asked: int) -> int:
    return min(max(asked, 0), _FURTHEST)


def _demand_seen(who: Device, stream: str) -> None:
    if stream not in followed(who.operator, PROTOCOL_VERSION):
        raise Refusal(Code.RIGHT_MISSING, right="stream")


def _packed(answer: msgspec.Struct) -> Response[Any]:
    """Packed by the protocol's own hand, which is no encoding HTTP knows of: the dictionary is ours."""
    return Response(pack(answer, current()), media_type=JSON_TYPE)
