"""A stream's cards by the day they were made on: sums to compare copies by, and one day whole."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from central.store import tables as t
from central.streams import region_of
from operator_tui.appeals.card import Card
from operator_tui.appeals.sums import day_sums, first_stamp

_CARD = t.card.c
_IN_BODY = _CARD.body["created"].as_string()
_MADE = sa.func.coalesce(_CARD.created, _IN_BODY)


def sums_since(connection: sa.Connection, stream: str, day: int) -> dict[int, str]:
    """Sums (appeals.sums) of the cards made on that day (since 1970) or later, by day."""
    rows = connection.execute(
        sa.select(_CARD.id, _CARD.rev, _CARD.status, _CARD.worker, _MADE).where(*_of(stream, first_stamp(day)))
    )
    return day_sums(tuple(row) for row in rows)


def made_on(connection: sa.Connection, stream: str, day: int) -> list[Card]:
    """The cards made on that day."""
    rows = connection.execute(sa.select(_CARD.body).where(*_of(stream, first_stamp(day), first_stamp(day + 1))))
    return [msgspec.convert(row.body, Card) for row in rows]


def _of(stream: str, first: str, end: str | None = None) -> list[sa.ColumnElement[Any]]:
    """A server of the release before does not write the column: what it wrote is looked into, and is little."""
    here = [_CARD.region == region_of(stream), _CARD.stream == stream]
    return [
        *here,
        sa.or_(_between(_CARD.created, first, end), sa.and_(_CARD.created.is_(None), _between(_IN_BODY, first, end))),
    ]


def _between(made: sa.ColumnElement[Any], first: str, end: str | None) -> sa.ColumnElement[bool]:
    return made >= first if end is None else sa.and_(made >= first, made < end)
