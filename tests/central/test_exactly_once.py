"""Each operation is taken once, whatever the line does to the request and its answer (design 1.5, rules 1 and 2)."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from litestar.testing import TestClient
from msgspec.structs import replace

from central.app import create_app
from central.store import tables as t
from central.store.database import Database
from operator_tui.appeals.clock import ManualClock
from operator_tui.appeals.operations import Outcome
from tests.central.desks import Desk, Office


def test_an_operation_becomes_one_card_and_one_event(office: Office, desk: Desk) -> None:
    answer = desk.send(desk.new_card(text="вопрос"))
    assert answer.outcomes == [Outcome(n=1, s="applied", q=1)]
    assert (answer.head.next, answer.end.end["26/tf"].head, answer.end.more) == (2, 1, False)
    (event,) = answer.events
    assert (event.op, event.c, event.k, event.by) == (f"{desk.code}:1", f"{desk.code}:1", "card.new", 1)
    card = office.card(event.c)
    assert (card["fields"]["text"], card["status"], card["worker"]) == ("вопрос", "work", 1)


def test_sent_again_it_gets_the_same_answer_and_changes_nothing(office: Office, desk: Desk) -> None:
    operations = [desk.new_card(), desk.operation("card.set", {"comment": "а"}, card=f"{desk.code}:1")]
    first = desk.send(*operations)
    again = desk.send(*operations)
    part = desk.send(operations[1])
    assert first.outcomes == again.outcomes
    assert part.outcomes == first.outcomes[1:]
    assert (len(first.events), len(again.events)) == (2, 0)
    assert len(office.rows(t.event)) == len(office.rows(t.op_log)) == 2
    assert office.card(f"{desk.code}:1")["rev"] == 2


def test_doubled_inside_one_request_it_counts_once(office: Office, desk: Desk) -> None:
    operation = desk.new_card()
    answer = desk.send(operation, operation)
    assert answer.states == ["applied"]
    assert len(office.rows(t.card)) == 1


def test_nothing_is_taken_behind_a_gap(office: Office, desk: Desk) -> None:
    first, second, third = desk.new_card(), desk.new_card(), desk.new_card()
    answer = desk.send(first, third)
    assert (answer.states, answer.head.next) == (["applied"], 2)
    answer = desk.send(second, third)
    assert (answer.states, answer.head.next) == (["applied", "applied"], 4)
    assert len(office.rows(t.card)) == 3


def test_another_operation_under_a_known_number_is_a_fork(office: Office, desk: Desk) -> None:
    desk.send(desk.new_card())
    answer = desk.send(desk.operation("card.new", {"type": "Жалоба"}, n=1), desk.new_card())
    assert (answer.status, answer.refusal) == (409, {"code": "fork", "params": {"n": 1}})
    assert len(office.rows(t.op_log)) == 1, "nothing of a forked request is stored"
    assert [row.action for row in office.rows(t.audit)] == ["enrolment.made", "device.enrolled", "device.forked"]


def test_two_different_operations_of_one_number_in_a_request_are_a_fork(office: Office, desk: Desk) -> None:
    answer = desk.send(desk.new_card(), desk.operation("call.offered", {"call": "1"}, n=1))
    assert answer.status == 409
    assert office.rows(t.op_log) == []


def test_a_refused_operation_never_blocks_the_queue(office: Office, desk: Desk) -> None:
    bad = desk.operation("card.new", {"type": "Жалоба", "text": "то, что набрал оператор"})
    answer = desk.send(bad, desk.new_card())
    assert answer.states == ["rejected", "applied"]
    assert (answer.outcomes[0].w, answer.outcomes[0].p) == ("field_required", {"field": "theme"})
    (stored, _) = office.rows(t.op_log)
    assert msgspec.json.decode(stored.body)["x"]["text"] == "то, что набрал оператор"
    assert desk.send(bad).outcomes == answer.outcomes[:1], "and it is refused the same way again"


def test_an_unknown_kind_is_stored_whole_and_refused(office: Office, desk: Desk) -> None:
    future = {"n": 1, "k": "card.sign", "at": "0" * 16, "x": {"a": [1]}, "new": {"field": True}}
    answer = desk.send(future)
    assert (answer.outcomes[0].w, answer.outcomes[0].p) == ("unknown_kind", {"kind": "card.sign"})
    assert msgspec.json.decode(office.rows(t.op_log)[0].body) == future
    assert desk.send({**future, "new": {"field": False}}).status == 409, "unknown fields count for the digest"


def test_the_answer_is_the_same_after_a_restart(open_database: Callable[[], Database], clock: ManualClock) -> None:
    database = open_database()
    with TestClient(create_app(database, clock=clock)) as client:
        desk = Office(database, client, clock).desk("Петрова Анна")
        operation = desk.new_card()
        first = desk.send(operation)
    database = open_database()
    with TestClient(create_app(database, clock=clock)) as client:
        desk.client = client
        again = desk.send(operation, desk.new_card())
        assert again.outcomes[:1] == first.outcomes
        assert again.head.e == first.head.e
        assert len(Office(database, client, clock).rows(t.card)) == 2


def test_a_desk_of_another_lineage_is_told_and_nothing_is_taken(office: Office, desk: Desk) -> None:
    answer = desk.send(desk.new_card(), e="0123456789abcdef")
    assert (answer.head.e, answer.head.next) == (desk.identity.epoch, 1)
    assert answer.outcomes == []
    assert answer.events == []
    assert office.rows(t.op_log) == []


def test_after_a_fork_the_same_operation_under_a_new_number_counts_once(office: Office, desk: Desk) -> None:
    first = desk.new_card()
    made = desk.send(first)
    anew = office.desk("Петрова Анна Сергеевна")
    again = replace(first, was=f"{desk.code}:1")
    unknown = replace(anew.new_card(text="новое"), n=3, was="k7q2mx:9")
    answer = anew.send(again, replace(again, n=2), unknown)
    known = replace(made.outcomes[0], op=f"{desk.code}:1")
    assert answer.outcomes == [replace(known, n=1), replace(known, n=2), Outcome(3, "applied", 2)]
    (settled,) = anew.send(replace(unknown, n=4)).outcomes
    assert settled == Outcome(n=4, s="applied", q=2, op=f"{anew.code}:3"), "told where it stands"
    assert len(office.rows(t.card)) == 2


def test_nobody_elses_answer_is_given_for_an_old_id(office: Office, desk: Desk) -> None:
    first = desk.new_card()
    desk.send(first)
    other = office.desk("Другая")
    assert other.send(replace(first, was=f"{desk.code}:1")).outcomes[0].q == 2
