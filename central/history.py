"""Earlier appeals of a person or of a telephone, as the organisation that asks may see them. No HTTP in here."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from central.store import tables as t
from central.store.database import Database
from central.streams import region_of
from operator_tui.appeals.card import Card
from operator_tui.appeals.history import MOST, Answer, Asked
from operator_tui.appeals.organisations import STUB, WHOLE, glimpse, view


def history(database: Database, organisation: str, asked: Asked) -> Answer:
    """The appeals of the region, the newest first. Refusal(SEARCH_EMPTY)."""
    enp, phone = asked.keys()
    card = t.card.c
    # One look by each index: an OR over two of them is a scan.
    looks = [
        sa.select(card.id, card.body["created"].as_string().label("created")).where(
            card.region == region_of(organisation), column == key
        )
        for column, key in ((card.enp, enp), (card.phone, phone))
        if key
    ]
    found = sa.union(*looks).subquery()
    newest = sa.select(found.c.id).order_by(found.c.created.desc(), found.c.id.desc()).limit(MOST + 1)
    with database.read() as connection:
        ids = list(connection.execute(newest).scalars())
        here = card.region == region_of(organisation)
        rows = connection.execute(sa.select(card.id, card.body).where(card.id.in_(ids[:MOST]), here))
        bodies = {row.id: msgspec.convert(row.body, Card) for row in rows}
    seen = [_seen(bodies[id_], organisation) for id_ in ids[:MOST] if id_ in bodies]
    return Answer(seen, more=len(ids) > MOST)


def _seen(card: Card, organisation: str) -> Card:
    if card.stream == organisation or card.shared.get(organisation) == WHOLE:
        return card
    return view(card, organisation, STUB) if organisation in card.shared else glimpse(card, organisation)
