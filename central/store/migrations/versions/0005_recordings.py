"""Which recording belongs to which call, and messages of the night voice mail. Adds tables and an index only: a server
of the release before goes on. ``recording`` is filled from the events when somebody asks (central/recordings.py)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_RECORDED = "kind = 'call.recorded'"


def upgrade() -> None:
    op.create_index(
        "event_recorded",
        "event",
        ["region", "stream", "seq"],
        sqlite_where=sa.text(_RECORDED),
        postgresql_where=sa.text(_RECORDED),
    )
    op.create_table(
        "recording",
        sa.Column("region", sa.Text, primary_key=True),
        sa.Column("op", sa.Text, primary_key=True),
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("call", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("ms", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("by", sa.BigInteger, nullable=False),
    )
    op.create_index("recording_by_call", "recording", ["region", "call"])
    op.create_table(
        "recording_read",
        sa.Column("stream", sa.Text, primary_key=True),
        sa.Column("seq", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "voice_message",
        sa.Column("device", sa.Text, sa.ForeignKey("device.id"), primary_key=True),
        sa.Column("n", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("region", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("region", "key", name="voice_message_once"),
    )
