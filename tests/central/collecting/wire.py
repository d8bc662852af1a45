"""A collector's line to the server in this process, what either end has, and how a history is tampered with."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import msgspec
import sqlalchemy as sa
from litestar.testing import TestClient

from central.collected import Collection
from central.store import tables as t
from central.streams import EMPTY_HEAD, chain, is_audit
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.sync.link import Link
from operator_tui.sync.protocol import canonical
from tests.central.desks import Desk, Office

FUND, INSURER, FAR = "26/tf", "26/smo-26001", "27/tf"
AUDIT, REFERENCE = "26/audit", "26/ref"

Entries = dict[str, list[tuple[int, str, str, dict[str, Any]]]]


class Wire:
    """The collector's line to the server in this process; ``cut`` breaks the next answer off behind so many eighths."""

    def __init__(self, client: TestClient[Any]) -> None:
        self._client = client
        self.cut: int | None = None

    @asynccontextmanager
    async def post(
        self, path: str, body: bytes, *, token: str = "", packed: bool = True
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        headers = {"Authorization": f"Bearer {token}"} | ({"Content-Encoding": "zstd"} if packed else {})
        with self._client.stream("POST", path, content=body, headers=headers) as response:
            raw = b"".join(response.iter_raw())
        if response.status_code != 200:
            raise Refusal.from_wire(msgspec.json.decode(raw))
        cut, self.cut = self.cut, None

        async def chunks() -> AsyncIterator[bytes]:
            for start in range(0, len(raw) if cut is None else len(raw) * cut // 8, 64):
                yield raw[start : start + 64]
            if cut is not None:
                raise Refusal(Code.SERVER_AWAY)

        yield chunks()


def line(office: Office) -> Link:
    return cast("Link", Wire(office.client))


def stored(office: Office) -> Entries:
    """What the server has in each stream of the region that a collector is told."""
    bodies = {(row.stream, row.seq): msgspec.json.decode(row.body) for row in office.rows(t.event_body)}
    found: Entries = {FUND: [], INSURER: [], REFERENCE: []}
    for row in office.rows(t.event):
        if row.stream in found:
            found[row.stream].append((row.seq, row.kind, row.op, bodies.get((row.stream, row.seq), {})))
    audit = office.rows(t.audit, region="26")
    return found | {AUDIT: [(row.seq, row.action, row.object, msgspec.json.decode(row.detail)) for row in audit]}


def entries(office: Office) -> int:
    """How many those are."""
    return sum(map(len, stored(office).values()))


def collected(collection: Collection) -> Entries:
    return {stream: collection.events(stream) for stream in collection.cursors()}


def count(office: Office, table: sa.Table) -> int:
    return len(office.rows(table))


def asking(office: Office, collection: Collection) -> Desk:
    """Who tries, with the collector's own token, what a collector's program never does."""
    identity = collection.identity
    assert identity is not None
    return Desk(office.client, office.clock, identity)


def tamper(office: Office, *statements: sa.Executable) -> None:
    """What somebody with the database in his hands may do: the tables that only grow let him change them too."""
    of = {table: f" ON {table}" if office.database.engine.dialect.name == "postgresql" else "" for table in _GROWING}

    def work(connection: sa.Connection) -> None:
        for table, on in of.items():
            for act in ("update", "delete"):
                connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {table}_no_{act}{on}")
        for statement in statements:
            connection.execute(statement)

    office.database.write(work)


_GROWING = ("event", "event_body", "audit")


def body_of(office: Office, stream: str, seq: int) -> str:
    (row,) = office.rows(t.event_body, stream=stream, seq=seq)
    return str(row.body)


def set_body(office: Office, stream: str, seq: int, body: str) -> None:
    """Change the text of an event and nothing else."""
    here = (t.event_body.c.stream == stream, t.event_body.c.seq == seq)
    tamper(office, sa.update(t.event_body).where(*here).values(body=body))


def set_stream(office: Office, stream: str, **values: Any) -> None:
    """Change where the server says that a stream stands."""
    tamper(office, sa.update(t.stream).where(t.stream.c.id == stream).values(**values))


def cut_off(office: Office, stream: str, seq: int) -> None:
    """The server's history ends there now, and looks as if it never had gone on."""
    (last,) = office.rows(t.event, stream=stream, seq=seq)
    set_stream(office, stream, seq=seq, head=last.hash)


def stands(office: Office, stream: str) -> tuple[int, bytes]:
    (row,) = office.rows(t.stream, id=stream)
    return row.seq, row.head


def written_anew(office: Office, stream: str, seq: int, body: dict[str, Any]) -> None:
    """Give an event another text and compute everything behind it anew, as who rewrites a history does."""
    assert not is_audit(stream)
    text, head, changes = canonical(body), EMPTY_HEAD, []
    for row in office.rows(t.event, stream=stream):
        entry = dict(row._mapping)
        entry.pop("hash")
        if row.seq == seq:
            entry["body_digest"] = hashlib.sha256(text).digest()
        head = chain(head, entry)
        here = (t.event.c.stream == stream, t.event.c.seq == row.seq)
        changes.append(sa.update(t.event).where(*here).values(body_digest=entry["body_digest"], hash=head))
    tamper(office, *changes)
    set_body(office, stream, seq, text.decode())
    set_stream(office, stream, head=head)
