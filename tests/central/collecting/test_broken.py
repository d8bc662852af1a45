"""A chain that broke: what is told of it, and that nothing of it is taken."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from central import exchange
from central.collected import Collection
from central.collecting import follow
from central.store import tables as t
from central.witness import BEGINNING, Break, proven
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import Event, Proof
from tests.central.collecting.wire import (
    AUDIT,
    FUND,
    INSURER,
    REFERENCE,
    collected,
    line,
    set_body,
    set_stream,
    stands,
    stored,
    tamper,
)
from tests.central.desks import Desk, Office

OTHER = bytes(31) + b"\1"
Tampering = Callable[[Office], None]


def _text(office: Office) -> None:
    set_body(office, FUND, 2, '{"a":1}')


def _kind(office: Office) -> None:
    here = (t.event.c.stream == FUND, t.event.c.seq == 2)
    tamper(office, sa.update(t.event).where(*here).values(kind="card.set"))


def _hash(office: Office) -> None:
    here = (t.event.c.stream == FUND, t.event.c.seq == 2)
    tamper(office, sa.update(t.event).where(*here).values(hash=OTHER))


def _missing(office: Office) -> None:
    tamper(office, sa.delete(t.event).where(t.event.c.stream == FUND, t.event.c.seq == 2))


def _audit(office: Office) -> None:
    tamper(office, sa.update(t.audit).where(t.audit.c.region == "26", t.audit.c.seq == 2).values(object="другое"))


@pytest.mark.parametrize(
    ("tampering", "stream", "what"),
    [
        (_text, FUND, "body"),
        (_kind, FUND, "hash"),
        (_hash, FUND, "hash"),
        (_missing, FUND, "gap"),
        (_audit, AUDIT, "hash"),
    ],
    ids=["text", "kind", "hash", "missing", "audit"],
)
async def test_an_entry_that_was_changed_before_it_came_is_told(
    office: Office, collection: Collection, tampering: Tampering, stream: str, what: str
) -> None:
    tampering(office)
    await follow(line(office), collection, once=True)
    (found,) = collection.broken()
    assert (found.stream, found.seq, found.what) == (stream, 2, what)
    assert (found.epoch, found.since_ms) == (collection.epoch, office.clock.now_ms())
    # What was expected is computed here of what was told, what was seen is the server's word for it.
    told = {(row.stream, row.seq): row.hash.hex() for row in office.rows(t.event)}
    told |= {(AUDIT, row.seq): row.hash.hex() for row in office.rows(t.audit, region="26")}
    assert found.seen == told.get((stream, 2), "")
    assert found.expected != found.seen if what != "gap" else found.expected == ""
    assert collection.cursors()[stream] == 1, "nothing of it is taken for true, and what is before it is"
    true = {name: there for name, there in stored(office).items() if name != stream}
    assert {name: there for name, there in collected(collection).items() if name != stream} == true


@pytest.mark.parametrize("stream", [FUND, REFERENCE, AUDIT])
async def test_a_history_that_was_written_anew_is_told(office: Office, collection: Collection, stream: str) -> None:
    """Who rewrites a stream computes its hashes anew; the head that the collector has is another then. Also of the
    reference data, whose end a desk is told only when it is another place."""
    await follow(line(office), collection, once=True)
    true = collected(collection)
    seq, expected = stands(office, stream)
    set_stream(office, stream, head=OTHER)
    await follow(line(office), collection, once=True)
    (found,) = collection.broken()
    assert (found.stream, found.seq, found.what) == (stream, seq, "head")
    assert (found.expected, found.seen) == (expected.hex(), OTHER.hex())
    assert collected(collection) == true


async def test_a_history_that_was_written_anew_and_has_gone_on_is_told(
    office: Office, collection: Collection, region: tuple[Desk, Desk]
) -> None:
    await follow(line(office), collection, once=True)
    true = collected(collection)
    set_stream(office, FUND, head=OTHER)
    region[0].send(region[0].new_card())
    await follow(line(office), collection, once=True)
    (found,) = collection.broken()
    assert (found.stream, found.seq, found.what) == (FUND, 3, "hash")
    assert found.seen == office.rows(t.event, stream=FUND)[-1].hash.hex() != found.expected
    assert collected(collection) == true


@pytest.mark.parametrize(
    ("seq", "first", "what"),
    [(1, 2, "cut"), (0, 1, "cut"), (9, 3, "gap")],
    ids=["one less", "all", "less than it says"],
)
async def test_a_history_that_was_cut_off_is_told(
    office: Office, collection: Collection, seq: int, first: int, what: str
) -> None:
    await follow(line(office), collection, once=True)
    true = collected(collection)
    set_stream(office, FUND, seq=seq)
    await follow(line(office), collection, once=True)
    (found,) = collection.broken()
    assert (found.stream, found.seq, found.what, found.seen) == (FUND, first, what, "")
    kept = {row.seq: row.hash.hex() for row in office.rows(t.event, stream=FUND)}
    assert found.expected == kept.get(first, "")
    assert collected(collection) == true


async def test_a_stream_that_is_there_no_more_is_told(office: Office, collection: Collection) -> None:
    await follow(line(office), collection, once=True)
    set_stream(office, INSURER, region="99")
    await follow(line(office), collection, once=True)
    (found,) = collection.broken()
    assert (found.stream, found.seq, found.what) == (INSURER, 1, "gone")
    assert found.expected == office.rows(t.event, stream=INSURER)[0].hash.hex()


async def test_what_a_server_calls_a_stream_is_written_nowhere(
    office: Office, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names go to a log and a terminal: one that is no stream of the region is no answer."""
    monkeypatch.setattr(exchange, "_told_to", lambda *_: ["\x1b[2J", FUND])
    for _ in range(2):
        with pytest.raises(Refusal) as refused:
            await follow(line(office), collection, once=True)
        assert (refused.value.code, refused.value.params) == (Code.SERVER_REFUSED, {"reason": "stream"})
    assert collection.broken() == []


def test_a_hash_that_is_none_is_not_repeated() -> None:
    proof = Proof("Europe/Moscow", 0, "00" * 32, "набранный оператором текст")
    found = proven(Event(s=FUND, q=1, k="card.new", op="a:1", by=1, at="not a stamp", p=proof), BEGINNING)
    assert found == Break(FUND, 1, "hash")
    with pytest.raises(Refusal) as refused:
        proven(Event(s=FUND, q=1, k="card.new", op="a:1", by=1, at="not a stamp"), BEGINNING)
    assert refused.value.params == {"reason": "proof"}
