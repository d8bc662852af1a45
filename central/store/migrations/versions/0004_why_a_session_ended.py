"""Why a session ended, for the desk to be told. Adds a column only: a server of the release before goes on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("session", sa.Column("ended_by", sa.Text))
