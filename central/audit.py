"""The audit: who did what at the server, append-only and chained like a stream, one chain a region."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from central.store import tables as t
from central.store.database import Database
from central.streams import Place, advance, audit_stream, chain, take_place
from operator_tui.sync.protocol import canonical


def record(
    database: Database,
    connection: sa.Connection,
    *,
    region: str,
    at: int,
    action: str,
    object: str,
    actor: int | None = None,
    device: str = "",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Add one entry in the caller's transaction, as its last step. ``detail`` holds ids, never personal data."""
    stream = audit_stream(region)
    place = take_place(connection, stream)
    row = {
        "region": region,
        "seq": place.seq + 1,
        "at": at,
        "actor": actor,
        "device": device,
        "action": action,
        "object": object,
        "detail": canonical(detail or {}).decode(),
    }
    head = chain(place.head, row)
    connection.execute(sa.insert(t.audit).values({**row, "hash": head}))
    advance(connection, stream, Place(place.seq + 1, head))
