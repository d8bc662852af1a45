"""The tables of design/sync-and-security.md 1.3, as far as they are used now. The same on both engines.

The region is in the key of everything that belongs to one: on PostgreSQL what grows (PARTITIONED) lies in one partition
for each region. Texts that a digest is taken of are stored as text, byte for byte; the card's state is JSON (JSONB on
PostgreSQL).
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

metadata = sa.MetaData()

JSON = sa.JSON().with_variant(JSONB(), "postgresql")

# One row a fact of the database itself: ``epoch`` names its lineage (new after a restore from backup).
server = sa.Table(
    "server",
    metadata,
    sa.Column("k", sa.Text, primary_key=True),
    sa.Column("v", sa.Text, nullable=False),
)

# Numbers given out one by one: ``operator`` and ``device``.
counter = sa.Table(
    "counter",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
)

operator = sa.Table(
    "operator",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("region", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("extension", sa.Text, nullable=False),
    sa.Column("organisation", sa.Text, nullable=False),
    sa.Column("zone", sa.Text, nullable=False),
    sa.UniqueConstraint("organisation", "extension", "name", name="operator_once"),
)

enrolment = sa.Table(
    "enrolment",
    metadata,
    sa.Column("code_hash", sa.LargeBinary, primary_key=True),
    sa.Column("operator", sa.BigInteger, sa.ForeignKey("operator.number"), nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    sa.Column("used_at", sa.BigInteger),
)

device = sa.Table(
    "device",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False, unique=True),
    sa.Column("operator", sa.BigInteger, sa.ForeignKey("operator.number"), nullable=False),
    sa.Column("token_hash", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("last_n", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("durable_n", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("proto", sa.Integer, nullable=False, server_default="1"),
    sa.Column("last_seen", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("revoked", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("workstation", sa.Text),  # workstation.key, none for those that share nothing
    sa.Column("unsent", sa.BigInteger),  # as the desk last said, none since its session began
)

# ``seq`` is the place of the last event, ``head`` the hash of the chain up to it.
stream = sa.Table(
    "stream",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("region", sa.Text, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("head", sa.LargeBinary, nullable=False),
)

event = sa.Table(
    "event",
    metadata,
    sa.Column("region", sa.Text, primary_key=True),
    sa.Column("stream", sa.Text, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("op", sa.Text, nullable=False),
    sa.Column("card", sa.Text, nullable=False),
    sa.Column("by", sa.BigInteger, nullable=False),
    sa.Column("stamp", sa.Text, nullable=False),  # hybrid clock of the device, clamped
    sa.Column("at", sa.BigInteger, nullable=False),  # UTC ms of the stamp
    sa.Column("zone", sa.Text, nullable=False),  # IANA zone of the office
    sa.Column("received_at", sa.BigInteger, nullable=False),
    sa.Column("body_digest", sa.LargeBinary, nullable=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
    sa.UniqueConstraint("region", "op", name="event_once"),
    sa.Index(
        "event_recorded",
        "region",
        "stream",
        "seq",
        sqlite_where=sa.text("kind = 'call.recorded'"),
        postgresql_where=sa.text("kind = 'call.recorded'"),
    ),
)

event_body = sa.Table(
    "event_body",
    metadata,
    sa.Column("region", sa.Text, primary_key=True),
    sa.Column("stream", sa.Text, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("body", sa.Text, nullable=False),
)
ITS_BODY = sa.and_(*(event_body.c[key] == event.c[key] for key in ("region", "stream", "seq")))

# ``body`` is appeals.card.Card whole; the columns beside it are what the server itself asks for: ``enp`` and ``phone``
# (its last ten digits) of a person's history are none where the card has none.
card = sa.Table(
    "card",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("region", sa.Text, primary_key=True),
    sa.Column("stream", sa.Text, nullable=False),
    sa.Column("rev", sa.BigInteger, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("worker", sa.BigInteger),
    sa.Column("deadline", sa.Text, nullable=False),
    sa.Column("body", JSON, nullable=False),
    sa.Column("enp", sa.Text),
    sa.Column("phone", sa.Text),
    sa.Column("created", sa.Text),  # the stamp; none where a server of the release before 0007 wrote it
    sa.Index("card_by_stream", "region", "stream", "status"),
    sa.Index("card_by_day", "region", "stream", "created"),
    sa.Index("card_by_enp", "region", "enp"),
    sa.Index("card_by_phone", "region", "phone"),
)

# Every operation ever received, refused ones too, whole: what exactly-once stands on. ``region`` is empty where a
# server of the release before 0008 wrote it.
op_log = sa.Table(
    "op_log",
    metadata,
    sa.Column("device", sa.Text, primary_key=True),
    sa.Column("n", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("was", sa.Text),  # id before a fork
    sa.Column("hash", sa.LargeBinary, nullable=False),
    sa.Column("operator", sa.BigInteger, nullable=False),
    sa.Column("received_at", sa.BigInteger, nullable=False),
    sa.Column("stamp", sa.Text, nullable=False),  # hybrid clock as the device gave it
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("result", sa.Text, nullable=False),  # operations.Outcome
    sa.Column("region", sa.Text, primary_key=True, server_default=""),
    sa.UniqueConstraint("was", "hash", "region", name="op_log_moved_once"),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("region", sa.Text, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("actor", sa.BigInteger),  # an operator's number, none for the server itself
    sa.Column("device", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("object", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
)

# A person who signs in. An operator without an account is a device's (the demonstration): its token alone opens.
account = sa.Table(
    "account",
    metadata,
    sa.Column("operator", sa.BigInteger, sa.ForeignKey("operator.number"), primary_key=True, autoincrement=False),
    sa.Column("login", sa.Text, nullable=False, unique=True),
    sa.Column("password_hash", sa.Text),  # Argon2id, none until he has chosen one
    sa.Column("groups", sa.Text, nullable=False, server_default="[]"),  # JSON list of names
    sa.Column("blocked", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("sip_secret", sa.Text),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
    sa.Column("subject", sa.Text),  # who he is to the provider (OIDC ``sub``); tied at his first sign-in there
    sa.Index("account_by_subject", "subject", unique=True),
)

device_key = sa.Table(
    "device_key",
    metadata,
    sa.Column("device", sa.Text, sa.ForeignKey("device.id"), primary_key=True),
    sa.Column("public_key", sa.LargeBinary, nullable=False),  # Ed25519
    sa.Column("voice_key", sa.LargeBinary, nullable=False),
    sa.Column("journal_key", sa.LargeBinary),  # sealed to the recovery key
)

# ``former_hash`` is the refresh token before; it counts until somebody has ``seen`` the pair that replaced it.
# ``ended_by`` says why it ended where its desk is to be told (central/auth/accounts.py).
session = sa.Table(
    "session",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("device", sa.Text, sa.ForeignKey("device.id"), nullable=False, index=True),
    sa.Column("access_hash", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("access_until", sa.BigInteger, nullable=False),
    sa.Column("refresh_hash", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("refresh_until", sa.BigInteger, nullable=False),
    sa.Column("former_hash", sa.LargeBinary, index=True),
    sa.Column("seen", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("ended_at", sa.BigInteger),
    sa.Column("ended_by", sa.Text),
)

# Nonces that were used (central/auth/signatures.py), until they would be too old anyway.
challenge = sa.Table(
    "challenge",
    metadata,
    sa.Column("nonce_hash", sa.LargeBinary, primary_key=True),
    sa.Column("device", sa.Text, nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
)

attempt = sa.Table(
    "attempt",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("since", sa.BigInteger, nullable=False),
)

reset = sa.Table(
    "reset",
    metadata,
    sa.Column("code_hash", sa.LargeBinary, primary_key=True),
    sa.Column("operator", sa.BigInteger, sa.ForeignKey("operator.number"), nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    sa.Column("used_at", sa.BigInteger),
)

# A machine that somebody has enrolled: people who are known may join it. ``key`` is its public key (Ed25519, hex);
# ``registry_key`` opens the copy of the registry that all of them share there.
workstation = sa.Table(
    "workstation",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("region", sa.Text, nullable=False),
    sa.Column("registry_key", sa.LargeBinary, nullable=False),
    sa.Column("enrolled_at", sa.BigInteger, nullable=False),
)

# What a revoked device had not sent, sealed to the recovery key before it destroyed its own.
sealed_work = sa.Table(
    "sealed_work",
    metadata,
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("device", sa.Text, sa.ForeignKey("device.id"), nullable=False),
    sa.Column("received_at", sa.BigInteger, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("applied_at", sa.BigInteger),
)

# A sign-in through the provider that goes on (RFC 8628): what the desk knows is ``handle``, never the device code.
oidc_flow = sa.Table(
    "oidc_flow",
    metadata,
    sa.Column("handle_hash", sa.LargeBinary, primary_key=True),
    sa.Column("device", sa.Text, nullable=False),
    sa.Column("device_code", sa.Text, nullable=False),
    sa.Column("interval_ms", sa.BigInteger, nullable=False),
    sa.Column("asked_at", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
)

# Which file is the recording of which call: read out of the events when somebody asks, up to ``recording_read.seq``.
recording = sa.Table(
    "recording",
    metadata,
    sa.Column("region", sa.Text, primary_key=True),
    sa.Column("op", sa.Text, primary_key=True),
    sa.Column("stream", sa.Text, nullable=False),
    sa.Column("call", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),  # SHA-256 of the sealed file
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("ms", sa.BigInteger, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("by", sa.BigInteger, nullable=False),
    sa.Index("recording_by_call", "region", "call"),
)

recording_read = sa.Table(
    "recording_read",
    metadata,
    sa.Column("stream", sa.Text, primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
)

# Messages left at night (central/voicemail.py): the operation that makes the appeal is written here before it is
# pushed, so each becomes one, however often it is met.
voice_message = sa.Table(
    "voice_message",
    metadata,
    sa.Column("device", sa.Text, sa.ForeignKey("device.id"), primary_key=True),
    sa.Column("n", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("region", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),  # ``tf/KEY``: PBXs of several organisations may make the same
    sa.Column("body", sa.Text, nullable=False),  # operations.Operation
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("region", "key", name="voice_message_once"),
)

PARTITIONED = (event, event_body, audit, card, op_log, recording)
