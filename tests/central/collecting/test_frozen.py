"""A stream whose chain broke stays where it was; the others go on, and what was collected is never written over."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
import sqlalchemy as sa

from central import collecting
from central.auth.seats import revoke
from central.backup import new_epoch
from central.collected import FILE, Collection
from central.collecting import LOOK_S, enrol, follow
from central.devices import collector_code
from central.store import tables as t
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.secrets.cipher import open_encrypted
from operator_tui.sync.link import Link
from tests.central.collecting.wire import (
    AUDIT,
    FUND,
    INSURER,
    REFERENCE,
    Wire,
    asking,
    body_of,
    collected,
    cut_off,
    line,
    set_body,
    set_stream,
    stands,
    stored,
    tamper,
    written_anew,
)
from tests.central.conftest import KEY
from tests.central.desks import Desk, Office

# What is frozen is decided at the collector; what each engine of the server tells is in test_told and test_broken.
pytestmark = pytest.mark.parametrize("open_database", ["sqlite"], indirect=True)

ANOTHER = '{"a":1}'
OTHER = bytes(31) + b"\1"

Undo = Callable[[], None]


def _text(office: Office) -> Undo:
    true = body_of(office, FUND, 2)
    set_body(office, FUND, 2, ANOTHER)
    return lambda: set_body(office, FUND, 2, true)


def _entry(office: Office, **values: Any) -> Undo:
    here = (t.event.c.stream == FUND, t.event.c.seq == 2)
    (row,) = office.rows(t.event, stream=FUND, seq=2)
    tamper(office, sa.update(t.event).where(*here).values(**values))
    true = {name: getattr(row, name) for name in values}
    return lambda: tamper(office, sa.update(t.event).where(*here).values(**true))


def _missing(office: Office) -> Undo:
    (row,) = office.rows(t.event, stream=FUND, seq=2)
    tamper(office, sa.delete(t.event).where(t.event.c.stream == FUND, t.event.c.seq == 2))
    return lambda: tamper(office, sa.insert(t.event).values(**row._mapping))


def _audit(office: Office) -> Undo:
    (row,) = office.rows(t.audit, region="26", seq=2)
    here = (t.audit.c.region == "26", t.audit.c.seq == 2)
    tamper(office, sa.update(t.audit).where(*here).values(object="другое"))
    return lambda: tamper(office, sa.update(t.audit).where(*here).values(object=row.object))


def _stands(office: Office, **values: Any) -> Undo:
    seq, head = stands(office, FUND)
    set_stream(office, FUND, **values)
    return lambda: set_stream(office, FUND, seq=seq, head=head, region="26")


BEFORE_IT_CAME: dict[str, Callable[[Office], Undo]] = {
    "text": _text,
    "kind": lambda office: _entry(office, kind="card.set"),
    "hash": lambda office: _entry(office, hash=OTHER),
    "missing": _missing,
    "audit": _audit,
}
WHEN_IT_WAS_HERE: dict[str, Callable[[Office], Undo]] = {
    "head": lambda office: _stands(office, head=OTHER),
    "one less": lambda office: _stands(office, seq=1),
    "all": lambda office: _stands(office, seq=0),
    "less than it says": lambda office: _stands(office, seq=9),
    "gone": lambda office: _stands(office, region="99"),
}


def former(folder: Path, collection: Collection, stream: str) -> list[tuple[int, str]]:
    """Place and text of what is kept beside the present version."""
    chosen = "SELECT seq, body FROM event WHERE stream = ? AND epoch <> ? ORDER BY seq, epoch"
    with closing(open_encrypted(folder / FILE, KEY, read_only=True)) as db:
        return [(seq, body) for seq, body in db.execute(chosen, [stream, collection.epoch]).fetchall()]


async def taken(office: Office, collection: Collection) -> int:
    return await follow(line(office), collection, once=True)


async def test_the_others_go_on_and_a_restart_changes_nothing(
    office: Office, collection: Collection, region: tuple[Desk, Desk], folder: Path
) -> None:
    set_body(office, FUND, 2, ANOTHER)
    await taken(office, collection)
    (found,) = collection.broken()
    for desk in region:
        desk.send(desk.new_card())
    office.clock.advance(3600)
    assert await taken(office, collection) == 1
    assert collection.cursors() == {AUDIT: len(stored(office)[AUDIT]), FUND: 1, INSURER: 3, REFERENCE: 1}
    assert collection.broken() == [found], "since when it is broken, not since when somebody looked"
    with Collection.looked_into(folder, KEY) as other:
        assert other.broken() == [found]
        assert other.frozen() == {FUND}


async def test_each_of_several_is_broken_by_itself(office: Office, collection: Collection) -> None:
    puts_right = [_text(office), _audit(office)]
    await taken(office, collection)
    cut_off(office, INSURER, 1)
    await taken(office, collection)
    assert [(each.stream, each.seq, each.what) for each in collection.broken()] == [
        (AUDIT, 2, "hash"),
        (INSURER, 2, "cut"),
        (FUND, 2, "body"),
    ]
    puts_right[1]()
    await taken(office, collection)
    assert collection.frozen() == {FUND, INSURER}
    assert collection.events(AUDIT) == stored(office)[AUDIT]
    collection.take_anew(INSURER)
    await taken(office, collection)
    assert collection.frozen() == {FUND}
    assert len(collection.events(INSURER)) == 1


async def test_a_frozen_stream_does_not_take_the_room_of_the_others(
    office: Office, collection: Collection, region: tuple[Desk, Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stands in front of the others in an answer of some bytes, and may not be taken, is not asked for."""
    monkeypatch.setattr(collecting, "_PAGE_BYTES", 1500)
    set_body(office, INSURER, 1, ANOTHER)
    for _ in range(5):
        region[1].send(region[1].new_card(text="длинный рассказ " * 40))
    await taken(office, collection)
    assert collection.cursors().get(INSURER, 0) == 0
    assert [each.stream for each in collection.breaks()] == [INSURER], "what has not come yet is not missing"
    assert collected(collection) == {name: there for name, there in stored(office).items() if name != INSURER}
    # Nor when it is looked at: its next entry comes, and no other.
    region[0].send(region[0].new_card())
    looking = asking(office, collection).send(c=collection.asked(INSURER), max=1)
    assert [(event.s, event.q) for event in looking.events] == [(INSURER, 1)]
    going_on = asking(office, collection).send(c=collection.asked())
    assert [(event.s, event.q) for event in going_on.events] == [(FUND, 3)]


async def test_of_a_frozen_stream_nothing_is_taken_that_was_not_asked_for(
    office: Office, collection: Collection
) -> None:
    put_right = _text(office)
    await taken(office, collection)
    put_right()
    told = [event for event in asking(office, collection).send(c={FUND: 1}).events if event.s == FUND]
    assert [event.q for event in told] == [2]
    assert (collection.keep(told), collection.frozen()) == (0, {FUND})
    assert (collection.keep(told, look=INSURER), collection.frozen()) == (0, {FUND})
    assert (collection.keep(told, look=FUND), collection.frozen()) == (1, set())


@pytest.mark.parametrize("kind", BEFORE_IT_CAME)
async def test_put_right_at_the_server_it_goes_on_by_itself(office: Office, collection: Collection, kind: str) -> None:
    put_right = BEFORE_IT_CAME[kind](office)
    await taken(office, collection)
    assert len(collection.broken()) == 1
    office.clock.advance(60)
    put_right()
    await taken(office, collection)
    assert (collection.broken(), collection.gone()) == ([], 0)
    assert collected(collection) == stored(office)
    (over,) = collection.breaks()
    assert (over.how, over.ended_ms) == ("healed", office.clock.now_ms()), "that it was broken is remembered"


@pytest.mark.parametrize("kind", WHEN_IT_WAS_HERE)
async def test_put_right_behind_what_is_here_it_goes_on_by_itself(
    office: Office, collection: Collection, region: tuple[Desk, Desk], kind: str
) -> None:
    await taken(office, collection)
    put_right = WHEN_IT_WAS_HERE[kind](office)
    for _ in range(2):
        await taken(office, collection)
        assert [each.stream for each in collection.broken()] == [FUND]
    put_right()
    region[0].send(region[0].new_card())
    await taken(office, collection)
    await taken(office, collection)
    assert (collection.broken(), collection.gone()) == ([], 0)
    assert collected(collection) == stored(office)
    (over,) = collection.breaks()
    assert over.how == "healed"


async def test_put_right_with_nothing_new_behind_it_the_same_end_is_enough(
    office: Office, collection: Collection
) -> None:
    await taken(office, collection)
    put_right = WHEN_IT_WAS_HERE["head"](office)
    await taken(office, collection)
    put_right()
    assert await taken(office, collection) == 0
    assert collection.broken() == []


async def test_what_broke_and_is_cut_off_meanwhile_has_not_healed(office: Office, collection: Collection) -> None:
    """Where what is here ends, the server ends now; the entry it broke at was seen, and is away."""
    set_body(office, FUND, 2, ANOTHER)
    await taken(office, collection)
    cut_off(office, FUND, 1)
    await taken(office, collection)
    assert collection.frozen() == {FUND}


async def test_a_third_history_heals_nothing_and_is_taken_when_somebody_has_looked(
    office: Office, collection: Collection
) -> None:
    """The changed text made to fit by new hashes: it follows from what is here, and is not the entry that was seen."""
    set_body(office, FUND, 2, ANOTHER)
    await taken(office, collection)
    (found,) = collection.broken()
    written_anew(office, FUND, 2, {"set": {"text": "третье"}})
    await taken(office, collection)
    assert collection.broken() == [found]
    assert collection.cursors()[FUND] == 1
    collection.take_anew(FUND)
    await taken(office, collection)
    assert collected(collection) == stored(office)
    assert (collection.broken(), collection.gone()) == ([], 0), "the first entry is the same, and is kept once"
    assert [each.how for each in collection.breaks()] == ["anew"]


async def test_taken_anew_what_was_here_stays_as_a_former_version(
    office: Office, collection: Collection, folder: Path
) -> None:
    await taken(office, collection)
    true = [body_of(office, FUND, seq) for seq in (1, 2)]
    for n, text in enumerate(("раз", "два"), 1):
        written_anew(office, FUND, 2, {"set": {"text": text}})
        await taken(office, collection)
        assert [each.what for each in collection.broken()] == ["head"]
        collection.take_anew(FUND)
        await taken(office, collection)
        assert collected(collection) == stored(office)
        assert collection.gone(FUND) == collection.gone() == n
    assert former(folder, collection, FUND) == [(2, true[1]), (2, '{"set":{"text":"раз"}}')]
    assert body_of(office, FUND, 1) == true[0]
    with pytest.raises(Refusal) as refused:
        collection.take_anew(FUND)
    assert (refused.value.code, refused.value.params) == (Code.STREAM_SOUND, {"stream": FUND})


async def test_what_is_broken_in_itself_is_taken_by_nobodys_word(office: Office, collection: Collection) -> None:
    set_body(office, FUND, 2, ANOTHER)
    await taken(office, collection)
    collection.take_anew(FUND)
    await taken(office, collection)
    assert [(each.stream, each.seq, each.what) for each in collection.broken()] == [(FUND, 2, "body")]
    assert [each.how for each in collection.breaks()] == ["anew", ""]
    # The way out is the server's: the text purged, its digest left.
    tamper(office, sa.delete(t.event_body).where(t.event_body.c.stream == FUND, t.event_body.c.seq == 2))
    await taken(office, collection)
    assert collection.broken() == []
    assert collected(collection) == stored(office)


async def test_a_text_that_is_purged_meanwhile_is_not_lost_by_another_epoch(
    office: Office, collection: Collection, folder: Path
) -> None:
    await taken(office, collection)
    true = body_of(office, FUND, 1)
    tamper(office, sa.delete(t.event_body).where(t.event_body.c.stream == FUND, t.event_body.c.seq == 1))
    new_epoch(office.database)
    await taken(office, collection)
    assert collected(collection) == stored(office)
    assert former(folder, collection, FUND) == [(1, true)]


async def test_another_epoch_that_has_all_of_it_heals(office: Office, collection: Collection) -> None:
    put_right = _text(office)
    await taken(office, collection)
    put_right()
    new_epoch(office.database)
    await taken(office, collection)
    assert (collection.broken(), collection.gone()) == ([], 0)
    assert collected(collection) == stored(office)
    assert [each.how for each in collection.breaks()] == ["healed"]


async def test_another_epoch_launders_nothing(
    office: Office, collection: Collection, region: tuple[Desk, Desk], folder: Path
) -> None:
    """It is followed, and what somebody has to look at stays said until he has."""
    await taken(office, collection)
    true = body_of(office, FUND, 1)
    written_anew(office, FUND, 1, {"set": {"text": "не было"}})
    await taken(office, collection)
    (found,) = collection.broken()
    new_epoch(office.database)
    for _ in range(2):
        await taken(office, collection)
        assert collected(collection) == stored(office)
        assert (collection.broken(), collection.frozen()) == ([found], set())
    assert collection.gone() == collection.gone(FUND) == 2, "each entry behind the changed one has another hash"
    collection.take_anew(FUND)
    region[0].send(region[0].new_card())
    await taken(office, collection)
    assert collection.broken() == []
    assert len(collection.events(FUND)) == 3
    assert former(folder, collection, FUND)[0] == (1, true)


async def test_another_epoch_with_another_entry_where_it_broke_launders_nothing(
    office: Office, collection: Collection
) -> None:
    set_body(office, FUND, 2, ANOTHER)
    await taken(office, collection)
    (found,) = collection.broken()
    written_anew(office, FUND, 2, {"set": {"text": "третье"}})
    new_epoch(office.database)
    await taken(office, collection)
    assert collected(collection) == stored(office)
    assert (collection.broken(), collection.gone()) == ([found], 0)


async def test_broken_in_the_other_epoch_too_it_is_frozen_there(office: Office, collection: Collection) -> None:
    put_right = _text(office)
    await taken(office, collection)
    former_epoch = collection.epoch
    new_epoch(office.database)
    await taken(office, collection)
    assert collection.frozen() == {FUND}
    assert {each.epoch for each in collection.broken()} == {former_epoch, collection.epoch}
    put_right()
    await taken(office, collection)
    assert collected(collection) == stored(office)
    assert collection.broken() == []


async def test_back_to_a_former_epoch_nothing_is_doubled_and_nothing_lost(
    office: Office, collection: Collection, folder: Path
) -> None:
    """A copy was tried, which differs, and then the database itself was there again."""
    await taken(office, collection)
    first, true = collection.epoch, msgspec.json.decode(body_of(office, FUND, 2))
    written_anew(office, FUND, 2, {"set": {"text": "в копии"}})
    new_epoch(office.database)
    await taken(office, collection)
    assert (collected(collection), collection.gone()) == (stored(office), 1)
    written_anew(office, FUND, 2, true)
    name = sa.update(t.server).where(t.server.c.k == "epoch").values(v=first)
    office.database.write(lambda connection: connection.execute(name))
    await taken(office, collection)
    assert collection.epoch == first
    assert collected(collection) == stored(office)
    assert former(folder, collection, FUND) == [(2, '{"set":{"text":"в копии"}}')]


async def test_refused_meanwhile_it_stays_broken_and_goes_on_when_it_is_let(
    office: Office, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_right = _text(office)
    await taken(office, collection)
    (found,) = collection.broken()
    said: list[str] = []
    monkeypatch.setattr(collecting, "alarm", lambda event, **fields: said.append(fields["stream"]))
    revoke(office.database, asking(office, collection).code, office.clock.now_ms())
    wire = Wire(office.client)
    for once in (True, False):
        with pytest.raises(Refusal) as refused:
            await follow(cast("Link", wire), collection, once=once)
        assert refused.value.code is Code.TOKEN_INVALID
        assert collection.broken() == [found]
    assert said == [FUND, FUND], "also by one that hears nothing"
    await enrol(line(office), collection, collector_code(office.database, "26", office.clock.now_ms()))
    wire.cut = 3
    with pytest.raises(Refusal) as refused:
        await follow(cast("Link", wire), collection, once=True)
    assert refused.value.code is Code.SERVER_AWAY
    assert collection.broken() == [found]
    put_right()
    await follow(cast("Link", wire), collection, once=True)
    assert collected(collection) == stored(office)


async def test_it_is_said_at_its_finding_and_at_every_look(
    office: Office, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A collector that runs looks at what is frozen once a minute; between the looks nothing is asked of it."""
    monkeypatch.setattr(collecting, "MAX_WAIT_S", 0.0)
    monkeypatch.setattr(collecting, "_PAUSE_S", 0.0)
    said: list[dict[str, Any]] = []
    monkeypatch.setattr(collecting, "alarm", lambda event, **fields: said.append(fields))
    put_right, asked, looks = _text(office), itertools.count(), []
    wire = Wire(office.client)
    post, cursors = wire.post, collection.asked

    def counted(look: str | None = None) -> dict[str, int]:
        looks.extend([look] if look else [])
        return cursors(look)

    def waiting(*arguments: Any, **more: Any) -> Any:
        """A quarter of a minute an answer; after some it is put right, and the collector revoked after as many more."""
        n = next(asked)
        office.clock.advance(LOOK_S / 4)
        if n == 30:
            put_right()
        if n == 40:
            revoke(office.database, asking(office, collection).code, office.clock.now_ms())
        return post(*arguments, **more)

    monkeypatch.setattr(wire, "post", waiting)
    monkeypatch.setattr(collection, "asked", counted)
    with pytest.raises(Refusal) as refused:
        await follow(cast("Link", wire), collection, once=False, clock=office.clock)
    assert refused.value.code is Code.TOKEN_INVALID
    found = collection.breaks()[0]
    assert said[0] == {"stream": FUND, "seq": 2, "expected": found.expected, "seen": found.seen}
    # Each look that did not heal it said it again, and the last one healed it.
    assert len(said) == len(looks) - 1 > 3
    assert found.how == "healed"
    true = stored(office)
    assert true[AUDIT].pop()[1] == "device.revoked"
    assert collected(collection) == true
