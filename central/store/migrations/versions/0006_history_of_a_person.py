"""A person's and a telephone's appeals by their own indexes. Adds columns and indexes only: a server of the release
before goes on; what it writes meanwhile is found by these from its next change on."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_PAGE = 1000


def upgrade() -> None:
    op.add_column("card", sa.Column("enp", sa.Text))
    op.add_column("card", sa.Column("phone", sa.Text))
    _fill(op.get_bind())
    op.create_index("card_by_enp", "card", ["region", "enp"])
    op.create_index("card_by_phone", "card", ["region", "phone"])


def _fill(connection: sa.Connection) -> None:
    """The cards there are, a page at a time. What the columns hold is written out here: a step never changes later."""
    card = sa.table("card", sa.column("id"), sa.column("body"), sa.column("enp"), sa.column("phone"))
    last = ""
    while True:
        page = sa.select(card.c.id, card.c.body).where(card.c.id > last).order_by(card.c.id).limit(_PAGE)
        rows = connection.execute(page).all()
        if not rows:
            return
        last = rows[-1].id
        for row in rows:
            fields = (json.loads(row.body) if isinstance(row.body, str) else row.body).get("fields", {})
            enp, phone = _digits(fields.get("enp")) or None, _digits(fields.get("phone"))[-10:] or None
            if enp or phone:
                connection.execute(sa.update(card).where(card.c.id == row.id).values(enp=enp, phone=phone))


def _digits(value: Any) -> str:
    return "".join(filter(str.isdigit, str(value or "")))
