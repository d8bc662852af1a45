"""``POST /v1/sums`` and ``POST /v1/day``: whether a desk's copy is what the server has, and one day of it again."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa
from litestar import Response, post
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_200_OK

from central.api.access import SIGNED_IN, message
from central.api.errors import AnyRequest
from central.api.service import Service
from central.devices import Device
from central.exchange import followed
from central.store import tables as t
from central.streams import heads, region_of
from operator_tui.appeals.card import Card
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.sums import day_sums, first_stamp
from operator_tui.sync.dictionary import current
from operator_tui.sync.protocol import (
    DAY_PATH,
    JSON_TYPE,
    SUMS_PATH,
    DayAnswer,
    DayRequest,
    SumsAnswer,
    SumsRequest,
    pack,
)

_FURTHEST = 1 << 31  # a day beyond it is none


@post(SUMS_PATH, status_code=HTTP_200_OK, opt={"access": SIGNED_IN}, summary="Sums of a stream's cards by day")
async def sums(request: AnyRequest, service: NamedDependency[Service], who: NamedDependency[Device]) -> Response[Any]:
    asked = await message(request, SumsRequest)
    _demand_seen(who, asked.s)

    def look() -> SumsAnswer:
        with service.database.read() as connection:
            head = heads(connection, [asked.s])[asked.s].head
            if head != asked.q:
                return SumsAnswer(head, {})
            card = t.card.c
            chosen = sa.select(card.id, card.rev, card.status, card.worker, card.body["created"].as_string())
            since = first_stamp(min(max(asked.since, 0), _FURTHEST))
            rows = connection.execute(
                chosen.where(
                    card.region == region_of(asked.s),
                    card.stream == asked.s,
                    card.body["created"].as_string() >= since,
                )
            )
            return SumsAnswer(head, day_sums(tuple(row) for row in rows))

    return _packed(await service.run(look))


@post(DAY_PATH, status_code=HTTP_200_OK, opt={"access": SIGNED_IN}, summary="The cards of a stream made on a day")
async def day(request: AnyRequest, service: NamedDependency[Service], who: NamedDependency[Device]) -> Response[Any]:
    asked = await message(request, DayRequest)
    _demand_seen(who, asked.s)
    wanted = min(max(asked.day, 0), _FURTHEST)

    def look() -> DayAnswer:
        with service.database.read() as connection:
            head = heads(connection, [asked.s])[asked.s].head
            made = t.card.c.body["created"].as_string()
            rows = connection.execute(
                sa.select(t.card.c.body).where(
                    t.card.c.region == region_of(asked.s),
                    t.card.c.stream == asked.s,
                    made >= first_stamp(wanted),
                    made < first_stamp(wanted + 1),
                )
            )
            return DayAnswer(head, [msgspec.convert(row.body, Card) for row in rows])

    return _packed(await service.run(look))


def _demand_seen(who: Device, stream: str) -> None:
    if stream not in followed(who.operator):
        raise Refusal(Code.RIGHT_MISSING, right="stream")


def _packed(answer: msgspec.Struct) -> Response[Any]:
    """Packed by the protocol's own hand, which is no encoding HTTP knows of: the dictionary is ours."""
    return Response(pack(answer, current()), media_type=JSON_TYPE)
