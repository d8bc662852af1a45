"""Streams are dense, chained, and can only grow."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from central import streams
from central.store import tables as t
from tests.central.desks import Desk, Office


def test_many_writers_leave_no_gap_and_lose_nothing(office: Office) -> None:
    desks = [office.desk(f"Оператор {number}") for number in range(6)]
    each = 15
    begin = threading.Barrier(len(desks))

    def work(desk: Desk) -> None:
        begin.wait()
        for number in range(each):
            answer = desk.send(desk.new_card(), desk.operation("call.offered", {"call": str(number)}))
            assert answer.states == ["applied", "applied"]

    with ThreadPoolExecutor(len(desks)) as pool:
        list(pool.map(work, desks))
    expected = list(range(1, len(desks) * each + 1))
    for stream in ("26/tf", "26/tf/work"):
        assert [row.seq for row in office.rows(t.event, stream=stream)] == expected
        (row,) = office.rows(t.stream, id=stream)
        assert row.seq == expected[-1]
    for desk in desks:
        desk.cursor = 0
        seen = [event.q for event in _all_events(desk)]
        assert seen == expected


def test_two_desks_on_the_same_cards_never_wait_for_one_another(office: Office) -> None:
    first, second = office.desk("Первая"), office.desk("Вторая")
    made = [first.new_card() for _ in range(4)]
    first.send(*made)
    cards = [first.card_id(operation) for operation in made]

    def work(desk: Desk, order: list[str]) -> None:
        for number in range(10):
            changes = [desk.operation("card.set", {"links": [f"{desk.code}-{number}"]}, card=card) for card in order]
            assert desk.send(*changes).states == ["applied"] * len(order)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(work, first, cards), pool.submit(work, second, cards[::-1])]:
            done.result()
    for card in cards:
        assert len(office.card(card)["fields"]["links"]) == 20
        assert office.card(card)["rev"] == 21


def test_a_page_is_cut_and_the_rest_asked_for(office: Office, desk: Desk) -> None:
    desk.send(*(desk.new_card(text="ж" * 500) for _ in range(20)))
    other = office.desk("Другая")
    first = other.send(max=3000)
    assert first.end.more
    assert 1 <= len(first.events) < 20
    assert [event.q for event in first.events + _all_events(other, max=3000)] == list(range(1, 21))


def test_the_chain_can_be_computed_again(office: Office, desk: Desk) -> None:
    answer = desk.send(*(desk.new_card() for _ in range(7)))
    head = streams.EMPTY_HEAD
    bodies = {row.seq: row.body for row in office.rows(t.event_body, stream="26/tf")}
    for row in office.rows(t.event, stream="26/tf"):
        assert row.body_digest == hashlib.sha256(bodies[row.seq].encode()).digest()
        plain = {name: value for name, value in row._mapping.items() if name != "hash"}
        head = streams.chain(head, plain)
        assert row.hash == head
    assert answer.end.end["26/tf"].hash == head.hex()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET kind = 'x'",
        "DELETE FROM event",
        "UPDATE event_body SET body = '{}'",
        "UPDATE audit SET action = 'x'",
        "DELETE FROM audit",
    ],
)
def test_history_cannot_be_rewritten(office: Office, desk: Desk, statement: str) -> None:
    desk.send(desk.new_card())
    with pytest.raises(sa.exc.IntegrityError, match="append-only"):
        office.database.write(lambda connection: connection.exec_driver_sql(statement))


def test_the_database_itself_refuses_a_second_entry_for_an_operation(office: Office, desk: Desk) -> None:
    desk.send(desk.new_card())

    def again(connection: sa.Connection) -> None:
        place = streams.take_place(connection, "26/tf")
        draft = streams.Draft("26/tf", "card.new", f"{desk.code}:1", "", 1, "0" * 16, "UTC", {})
        streams.append(connection, {"26/tf": place}, {"26/tf": [draft]}, 0)

    with pytest.raises(sa.exc.IntegrityError):
        office.database.write(again)


def _all_events(desk: Desk, **request: int) -> list[streams.Event]:
    found: list[streams.Event] = []
    while True:
        answer = desk.send(**request)
        found += answer.events
        if not answer.end.more:
            return found
