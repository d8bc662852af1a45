"""PostgreSQL: what grows lies in one partition for each region, so that a region's queries read no other's rows and a
region can be taken out (central/regions.py). A region's partitions come with its first stream, by a trigger: also for a
server of the release before, which goes on. Its operations are logged with no region, in a partition of their own.

The rows are copied once: stop the servers for it, or they answer ``database_away`` meanwhile. SQLite has one region and
no partitions; its log has the region beside the operation all the same.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

# The key of each; on PostgreSQL the region belongs into every unique one.
_KEYS = {
    "event": "region, stream, seq",
    "event_body": "region, stream, seq",
    "audit": "region, seq",
    "card": "id, region",
    "op_log": "device, n, region",
    "recording": "region, op",
}
_UNIQUE = {"event": {"event_once": "region, op"}, "op_log": {"op_log_moved_once": "was, hash, region"}}
_NO_UPDATE = ("event", "event_body", "audit")
_NO_DELETE = ("event", "audit")
_OF_DEVICE = (
    "coalesce((SELECT o.region FROM device d JOIN operator o ON o.number = d.operator WHERE d.id = op_log.device), '')"
)

_MAKE_PARTITIONS = """
CREATE FUNCTION make_partitions(region text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  big text;
  part text;
BEGIN
  -- Two that write the first streams of a region come one after the other.
  PERFORM pg_advisory_xact_lock(266861168, hashtext(region));
  FOREACH big IN ARRAY ARRAY['event', 'event_body', 'audit', 'card', 'op_log', 'recording'] LOOP
    part := big || '_r' || region;
    IF to_regclass(quote_ident(part)) IS NULL THEN
      -- Attached, not made as a partition: that lets others write to the table meanwhile.
      EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', part, big);
      EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES IN (%L)', big, part, region);
      IF big IN ('event', 'audit') THEN
        EXECUTE format('CREATE TRIGGER %I BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
                       big || '_no_truncate', part);
      END IF;
    END IF;
  END LOOP;
END $$
"""
_BY_STREAM = """
CREATE FUNCTION make_partitions_of_stream() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM make_partitions(NEW.region);
  RETURN NULL;
END $$
"""


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _region_in_the_log()
        return
    op.execute("LOCK TABLE stream, device IN SHARE ROW EXCLUSIVE MODE")  # nobody writes until this is done
    op.execute("ALTER TABLE op_log ADD COLUMN region text NOT NULL DEFAULT ''")
    for table in _KEYS:
        _make_partitioned(table)
    op.execute(_MAKE_PARTITIONS)
    op.execute(_BY_STREAM)
    op.execute(
        "SELECT make_partitions(region) FROM "
        "(SELECT region FROM stream UNION SELECT region FROM operator UNION SELECT region FROM card_before) AS regions"
    )
    op.execute("CREATE TABLE op_log_r PARTITION OF op_log FOR VALUES IN ('')")
    for table in _KEYS:
        _fill(table)
    op.execute(
        "CREATE TRIGGER stream_makes_partitions AFTER INSERT ON stream "
        "FOR EACH ROW EXECUTE FUNCTION make_partitions_of_stream()"
    )


def _region_in_the_log() -> None:
    with op.batch_alter_table("op_log") as batch:
        batch.add_column(sa.Column("region", sa.Text, nullable=False, server_default=""))
        batch.drop_constraint("op_log_moved_once", type_="unique")
        batch.create_unique_constraint("op_log_moved_once", ["was", "hash", "region"])
    op.execute(f"UPDATE op_log SET region = {_OF_DEVICE}")


def _make_partitioned(table: str) -> None:
    """The same table, empty and partitioned, with its indexes and its guards; what there was is ``…_before``."""
    indexes = (
        op.get_bind()
        .execute(
            sa.text(
                "SELECT c.relname, pg_get_indexdef(i.indexrelid) AS made, k.conname IS NOT NULL AS of_constraint "
                "FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
                "LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u') "
                "WHERE i.indrelid = to_regclass(quote_ident(:of))"
            ),
            {"of": table},
        )
        .all()
    )
    op.execute(f"ALTER TABLE {table} RENAME TO {table}_before")
    for index in indexes:
        op.execute(f"ALTER INDEX {index.relname} RENAME TO {index.relname}_before")
    op.execute(f"CREATE TABLE {table} (LIKE {table}_before INCLUDING DEFAULTS) PARTITION BY LIST (region)")
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {table}_pkey PRIMARY KEY ({_KEYS[table]})")
    for name, columns in _UNIQUE.get(table, {}).items():
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE ({columns})")
    for index in indexes:
        if not index.of_constraint:
            op.execute(index.made)
    for act, names in (("UPDATE", _NO_UPDATE), ("DELETE", _NO_DELETE)):
        if table in names:
            op.execute(
                f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
            )
    if table in _NO_DELETE:
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def _fill(table: str) -> None:
    columns = [column["name"] for column in sa.inspect(op.get_bind()).get_columns(table)]
    names = ", ".join(f'"{name}"' for name in columns)
    if table == "op_log":
        given = ", ".join(_OF_DEVICE if name == "region" else f'"{name}"' for name in columns)
        op.execute(f"INSERT INTO {table} ({names}) SELECT {given} FROM {table}_before AS op_log")
    else:
        op.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM {table}_before")
    op.execute(f"DROP TABLE {table}_before")
