"""Accounts, device keys, sessions and what guards them. Adds tables only: a server of the release before goes on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("operator", sa.BigInteger, sa.ForeignKey("operator.number"), primary_key=True, autoincrement=False),
        sa.Column("login", sa.Text, nullable=False, unique=True),
        sa.Column("password_hash", sa.Text),
        sa.Column("groups", sa.Text, nullable=False, server_default="[]"),
        sa.Column("blocked", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("sip_secret", sa.Text),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "device_key",
        sa.Column("device", sa.Text, sa.ForeignKey("device.id"), primary_key=True),
        sa.Column("public_key", sa.LargeBinary, nullable=False),
        sa.Column("voice_key", sa.LargeBinary, nullable=False),
        sa.Column("journal_key", sa.LargeBinary),
    )
    op.create_table(
        "session",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("device", sa.Text, sa.ForeignKey("device.id"), nullable=False, index=True),
        sa.Column("access_hash", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("access_until", sa.BigInteger, nullable=False),
        sa.Column("refresh_hash", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("refresh_until", sa.BigInteger, nullable=False),
        sa.Column("former_hash", sa.LargeBinary, index=True),
        sa.Column("seen", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("ended_at", sa.BigInteger),
    )
    op.create_table(
        "challenge",
        sa.Column("nonce_hash", sa.LargeBinary, primary_key=True),
        sa.Column("device", sa.Text, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "attempt",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "reset",
        sa.Column("code_hash", sa.LargeBinary, primary_key=True),
        sa.Column("operator", sa.BigInteger, sa.ForeignKey("operator.number"), nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("used_at", sa.BigInteger),
    )
