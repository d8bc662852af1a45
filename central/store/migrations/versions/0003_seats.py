"""Workstations that several people share, what is unsent there, work sealed before its keys were destroyed, sign-in
through a provider (OIDC). Adds tables and columns only: a server of the release before goes on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "workstation",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("region", sa.Text, nullable=False),
        sa.Column("registry_key", sa.LargeBinary, nullable=False),
        sa.Column("enrolled_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "sealed_work",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("device", sa.Text, sa.ForeignKey("device.id"), nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("applied_at", sa.BigInteger),
    )
    op.create_table(
        "oidc_flow",
        sa.Column("handle_hash", sa.LargeBinary, primary_key=True),
        sa.Column("device", sa.Text, nullable=False),
        sa.Column("device_code", sa.Text, nullable=False),
        sa.Column("interval_ms", sa.BigInteger, nullable=False),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )
    op.add_column("device", sa.Column("workstation", sa.Text))
    op.add_column("device", sa.Column("unsent", sa.BigInteger))
    op.add_column("account", sa.Column("subject", sa.Text))
    op.create_index("account_by_subject", "account", ["subject"], unique=True)
