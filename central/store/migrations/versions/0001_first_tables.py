"""The first tables, and the triggers that keep the event log and the audit append-only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None

_JSON = sa.JSON().with_variant(JSONB(), "postgresql")
# What may never change, and what may never be taken away. A body is taken away by the purge of a card alone.
_NO_UPDATE = ("event", "event_body", "audit")
_NO_DELETE = ("event", "audit")


def upgrade() -> None:
    _small_tables()
    _streams()
    _cards()
    if op.get_bind().dialect.name == "sqlite":
        _guard_sqlite()
    else:
        _guard_postgresql()


def _small_tables() -> None:
    op.create_table(
        "server",
        sa.Column("k", sa.Text, primary_key=True),
        sa.Column("v", sa.Text, nullable=False),
    )
    op.create_table(
        "counter",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "operator",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("region", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("extension", sa.Text, nullable=False),
        sa.Column("organisation", sa.Text, nullable=False),
        sa.Column("zone", sa.Text, nullable=False),
        sa.UniqueConstraint("organisation", "extension", "name", name="operator_once"),
    )
    op.create_table(
        "enrolment",
        sa.Column("code_hash", sa.LargeBinary, primary_key=True),
        sa.Column("operator", sa.BigInteger, sa.ForeignKey("operator.number"), nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("used_at", sa.BigInteger),
    )
    op.create_table(
        "device",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False, unique=True),
        sa.Column("operator", sa.BigInteger, sa.ForeignKey("operator.number"), nullable=False),
        sa.Column("token_hash", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("last_n", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("durable_n", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("proto", sa.Integer, nullable=False, server_default="1"),
        sa.Column("last_seen", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("revoked", sa.Boolean, nullable=False, server_default=sa.false()),
    )
    op.bulk_insert(
        sa.table("counter", sa.column("name"), sa.column("value")),
        [{"name": "operator", "value": 0}, {"name": "device", "value": 0}],
    )


def _streams() -> None:
    op.create_table(
        "stream",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("region", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("head", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "event",
        sa.Column("region", sa.Text, primary_key=True),
        sa.Column("stream", sa.Text, primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("op", sa.Text, nullable=False),
        sa.Column("card", sa.Text, nullable=False),
        sa.Column("by", sa.BigInteger, nullable=False),
        sa.Column("stamp", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("body_digest", sa.LargeBinary, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("region", "op", name="event_once"),
    )
    op.create_table(
        "event_body",
        sa.Column("region", sa.Text, primary_key=True),
        sa.Column("stream", sa.Text, primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "audit",
        sa.Column("region", sa.Text, primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.BigInteger),
        sa.Column("device", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("object", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
    )


def _cards() -> None:
    op.create_table(
        "card",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("region", sa.Text, nullable=False),
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("rev", sa.BigInteger, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("worker", sa.BigInteger),
        sa.Column("deadline", sa.Text, nullable=False),
        sa.Column("body", _JSON, nullable=False),
    )
    op.create_index("card_by_stream", "card", ["region", "stream", "status"])
    op.create_table(
        "op_log",
        sa.Column("device", sa.Text, primary_key=True),
        sa.Column("n", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("was", sa.Text),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("operator", sa.BigInteger, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("stamp", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("result", sa.Text, nullable=False),
        sa.UniqueConstraint("was", "hash", name="op_log_moved_once"),
    )


def _guard_sqlite() -> None:
    for act, names in (("UPDATE", _NO_UPDATE), ("DELETE", _NO_DELETE)):
        for name in names:
            op.execute(
                f"CREATE TRIGGER {name}_no_{act.lower()} BEFORE {act} ON {name} "
                f"BEGIN SELECT RAISE(ABORT, '{name} is append-only'); END"
            )


def _guard_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$"
    )
    for act, names in (("UPDATE", _NO_UPDATE), ("DELETE", _NO_DELETE)):
        for name in names:
            op.execute(
                f"CREATE TRIGGER {name}_no_{act.lower()} BEFORE {act} ON {name} "
                "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
            )
    for name in _NO_DELETE:
        op.execute(
            f"CREATE TRIGGER {name}_no_truncate BEFORE TRUNCATE ON {name} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
