"""Requests that come while the disk is busy share a transaction; each gets what it would have got alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from litestar.testing import TestClient

from central import apply
from central.app import create_app
from central.exchange import Answer, Asked, Told, exchange_all
from central.gathering import Gathering
from central.store import tables as t
from central.store.database import Database
from central.verify import verify
from operator_tui.appeals.clock import ManualClock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import Operation
from operator_tui.reference import packaged_catalogue
from operator_tui.sync.protocol import Head, SyncRequest, plain_operation
from tests.central.desks import Desk, Office
from tests.peers.postgres import Postgres

CATALOGUE = packaged_catalogue()


def asked(desk: Desk, *operations: Operation | dict[str, Any], **more: Any) -> Asked:
    plain = [each if isinstance(each, dict) else plain_operation(each) for each in operations]
    return Asked(desk.identity.token, SyncRequest(v=1, d=desk.code, c={"26/tf": desk.cursor}, o=plain, **more))


def all_at_once(office: Office, asking: Sequence[Asked]) -> list[Told]:
    return exchange_all(office.database, asking, office.clock.now_ms(), CATALOGUE)


def answers(told: Sequence[Told]) -> list[Answer]:
    assert not [each for each in told if isinstance(each, Exception)]
    return [each[1] for each in told if not isinstance(each, Exception)]


@pytest.fixture
def transactions(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pushes each transaction had."""
    seen: list[int] = []
    inside = apply._push_all

    def counted(database: Database, connection: sa.Connection, pushes: Sequence[apply.Push], *more: Any) -> Any:
        seen.append(len(pushes))
        return inside(database, connection, pushes, *more)

    monkeypatch.setattr(apply, "_push_all", counted)
    return seen


def test_those_of_several_desks_are_one_transaction_in_their_order(office: Office, transactions: list[int]) -> None:
    desks = [office.desk(f"Оператор {number}") for number in range(4)]
    found = answers(all_at_once(office, [asked(desk, desk.new_card(), desk.new_card()) for desk in desks]))
    assert transactions == [4]
    assert [[outcome.q for outcome in answer.outcomes] for answer in found] == [[1, 2], [3, 4], [5, 6], [7, 8]]
    assert all(answer.head.next == 3 and len(answer.events) == 8 for answer in found)
    assert len(office.rows(t.op_log)) == 8
    assert verify(office.database).faults == ()


def test_what_is_wrong_with_one_is_its_own(office: Office, transactions: list[int]) -> None:
    good, forked, late = office.desk("Первая"), office.desk("Вторая"), office.desk("Третья")
    forked.send(forked.new_card())
    stranger = Asked("unknown", SyncRequest(v=1, d=good.code, o=[{"n": 1}]))
    asking = [
        stranger,
        asked(forked, forked.operation("call.offered", {"call": "1"}, n=1)),
        asked(good, good.new_card()),
        Asked(good.identity.token, Refusal(Code.BAD_REQUEST, reason="json")),
        asked(late, late.new_card(), e="another lineage"),
    ]
    transactions.clear()
    wrong, fork, (_, taken), unread, (_, strange) = all_at_once(office, asking)  # type: ignore[misc]  # two are answers
    assert [each.code for each in (wrong, fork, unread)] == [Code.TOKEN_INVALID, Code.FORK, Code.BAD_REQUEST]  # type: ignore[union-attr]
    assert [outcome.s for outcome in taken.outcomes] == ["applied"]
    assert (strange.head.next, strange.outcomes) == (1, [])
    assert transactions == [2]
    assert [row.action for row in office.rows(t.audit)][-1] == "device.forked"


def test_the_same_desk_twice_and_a_card_of_both(office: Office, transactions: list[int]) -> None:
    one, two = office.desk("Первая"), office.desk("Вторая")
    made = one.new_card()
    one.send(made)
    card = one.card_id(made)
    first = one.operation("card.set", {"links": ["а"]}, card=card)
    transactions.clear()
    found = answers(
        all_at_once(
            office,
            [
                asked(one, first),
                asked(two, two.operation("card.set", {"links": ["б"]}, card=card)),
                asked(one, first),  # the line doubled it
            ],
        )
    )
    assert transactions == [2, 1]
    assert found[0].outcomes == found[2].outcomes
    assert [found[0].outcomes[0].q, found[1].outcomes[0].q] == [2, 3]
    assert office.card(card)["fields"]["links"] == ["а", "б"]
    assert office.card(card)["rev"] == 3


def test_one_that_fails_the_transaction_fails_alone(
    office: Office, transactions: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = office.desk("Первая"), office.desk("Вторая")
    row = apply._log_row

    def broken(device: Any, *more: Any) -> Any:
        if device.id == bad.code:
            raise ZeroDivisionError
        return row(device, *more)

    monkeypatch.setattr(apply, "_log_row", broken)
    transactions.clear()
    told = all_at_once(office, [asked(bad, bad.new_card()), asked(good, good.new_card())])
    assert isinstance(told[0], ZeroDivisionError)
    assert answers(told[1:])[0].outcomes[0].q == 1, "nothing of the other stands before it"
    assert transactions == [2, 1, 1]
    assert [row.device for row in office.rows(t.op_log)] == [good.code]


def test_one_that_comes_again_under_another_number_goes_alone(office: Office, transactions: list[int]) -> None:
    """Two copies of a journal that both forked send what they have in common in the same moment."""
    old = office.desk("Петрова")
    made = old.new_card()
    copies = [office.desk("Петрова") for _ in range(2)]
    plain = {**plain_operation(made), "was": f"{old.code}:1"}
    found = answers(all_at_once(office, [asked(copy, plain) for copy in copies]))
    assert transactions == [1, 1]
    assert [answer.outcomes[0].op for answer in found] == ["", f"{copies[0].code}:1"]
    assert len(office.rows(t.event, stream="26/tf")) == 1


def test_one_that_comes_again_under_another_number_does_not_overtake_its_own_desk(office: Office) -> None:
    old, desk, other = office.desk("Петрова"), office.desk("Петрова"), office.desk("Другая")
    again = {**plain_operation(old.new_card()), "n": 2, "was": f"{old.code}:1"}
    found = answers(
        all_at_once(office, [asked(desk, desk.new_card()), asked(desk, again), asked(other, other.new_card())])
    )
    assert [[outcome.q for outcome in answer.outcomes] for answer in found] == [[1], [2], [3]]


def test_what_a_copy_returned_is_known_under_its_first_id_too(office: Office) -> None:
    """A restored server lost it, a copy of the journal returned it under its new code, then the first one sends it."""
    first, copy, stranger = office.desk("Петрова"), office.desk("Петрова"), office.desk("Другая")
    made = first.new_card()
    change = first.operation("card.set", {"comment": "а"}, card=f"{first.code}:1")
    plain = [plain_operation(made), plain_operation(change)]
    copy.send({**plain[0], "was": f"{first.code}:1"}, {**plain[1], "c": f"{copy.code}:1", "was": f"{first.code}:2"})
    answer = first.send(made, change)
    assert [outcome.op for outcome in answer.outcomes] == [f"{copy.code}:1", f"{copy.code}:2"]
    assert len(office.rows(t.event, stream="26/tf")) == 2
    third = first.new_card()
    stranger.send({**plain_operation(third), "n": 1, "was": f"{first.code}:3"})
    assert first.send(third).outcomes[0].op == "", "nobody else speaks for this operator"


class Slow:
    """Stands where the threads stand: each transaction lasts until it is let go."""

    def __init__(self) -> None:
        self.groups: list[int] = []
        self.open = asyncio.Event()

    def exchange_all(self, asking: Sequence[Asked]) -> list[Told]:
        self.groups.append(len(asking))
        request = SyncRequest(v=1, d="aaaaaa")
        return [(request, Answer("aaaaaa", Head("e", 0, 1), touched=frozenset({"26/tf"}))) for _ in asking]

    async def run(self, work: Callable[[], list[Told]]) -> list[Told]:
        await self.open.wait()
        return work()


def sending(count: int = 1) -> Asked:
    return Asked("t", SyncRequest(v=1, d="aaaaaa", o=[{"n": n} for n in range(count)]))


async def test_who_comes_while_one_is_under_way_goes_with_the_next() -> None:
    slow, grown = Slow(), []
    gathering = Gathering(slow.run, slow.exchange_all, lambda streams: grown.append(set(streams)))
    first = asyncio.create_task(gathering.exchange(sending()))
    await asyncio.sleep(0)
    rest = [asyncio.create_task(gathering.exchange(sending())) for _ in range(5)]
    await asyncio.sleep(0)
    rest[2].cancel()
    slow.open.set()
    await asyncio.gather(first, *rest, return_exceptions=True)
    assert slow.groups == [1, 5], "nobody waits for others to come; who has gone is taken all the same"
    assert grown == [{"26/tf"}, {"26/tf"}]


async def test_a_transaction_is_not_made_too_long() -> None:
    slow = Slow()
    slow.open.set()
    gathering = Gathering(slow.run, slow.exchange_all, lambda streams: None)
    await asyncio.gather(*(gathering.exchange(sending(100)) for _ in range(9)))
    assert sum(slow.groups) == 9
    assert max(slow.groups) == 4


async def test_what_goes_wrong_is_told_to_all_of_a_transaction_and_the_next_goes_on() -> None:
    slow, fails = Slow(), [True, False]

    async def run(work: Callable[[], list[Told]]) -> list[Told]:
        await slow.open.wait()
        if fails.pop(0):
            raise Refusal(Code.DATABASE_AWAY)
        return work()

    gathering = Gathering(run, slow.exchange_all, lambda streams: None)
    slow.open.set()
    with pytest.raises(Refusal) as refused:
        await gathering.exchange(sending())
    assert refused.value.code is Code.DATABASE_AWAY
    assert (await gathering.exchange(sending()))[1].device == "aaaaaa"


async def test_a_hint_that_fails_keeps_nobody_waiting() -> None:
    slow = Slow()

    def broken(streams: object) -> None:
        raise ZeroDivisionError

    gathering = Gathering(slow.run, slow.exchange_all, broken)
    asking = [asyncio.create_task(gathering.exchange(sending(300))) for _ in range(3)]
    slow.open.set()
    async with asyncio.timeout(60):
        await asyncio.gather(*asking)
    assert slow.groups == [1, 1, 1]


async def test_who_only_looks_waits_for_nobody_s_disk() -> None:
    slow, begun = Slow(), asyncio.Event()

    async def run(work: Callable[[], list[Told]]) -> list[Told]:
        if not begun.is_set():
            begun.set()
            await slow.open.wait()
        return work()

    gathering = Gathering(run, slow.exchange_all, lambda streams: None)
    writing = asyncio.create_task(gathering.exchange(sending()))
    await begun.wait()
    await gathering.exchange(sending(0))
    assert not writing.done()
    slow.open.set()
    await writing


@pytest.mark.needs("postgresql")
def test_a_row_that_somebody_holds_concerns_who_needs_it(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("central.store.engine._BUSY_MS", 300)
    monkeypatch.setattr("central.exchange._ALONE_MS", 50)
    database, clock = Database.postgres(postgres.fresh()), ManualClock()
    with TestClient(create_app(database, clock=clock)) as client:
        office = Office(database, client, clock)
        held, free = office.desk("Первая"), office.desk("Вторая")
        with database.engine.connect() as other, other.begin():
            other.execute(sa.select(t.device).where(t.device.c.id == held.code).with_for_update())
            (away, (_, taken)) = all_at_once(office, [asked(held, held.new_card()), asked(free, free.new_card())])  # type: ignore[misc]  # the first is a refusal
        assert isinstance(away, Refusal)
        assert away.code is Code.DATABASE_AWAY
        assert [outcome.s for outcome in taken.outcomes] == ["applied"]
