"""When a card was made, by an index: the sums by day and one day of a stream read no other days.

Adds a column and an index only: a server of the release before goes on, and what it writes meanwhile is found by its
body (central/days.py).
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("card", sa.Column("created", sa.Text))
    made = "body ->> 'created'" if op.get_bind().dialect.name == "postgresql" else "json_extract(body, '$.created')"
    op.execute(f"UPDATE card SET created = {made}")
    op.create_index("card_by_day", "card", ["region", "stream", "created"])
