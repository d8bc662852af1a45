"""The journal sifted, counted and moved as a whole."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from operator_tui.appeals.card import Status
from operator_tui.appeals.lifecycle import Act
from operator_tui.appeals.people import Role
from operator_tui.journal.journal import Journal
from operator_tui.journal.sieve import Heap, Order, Sieve
from tests.journal.making import Server, appeal, identity
from tests.timing import tell_if_slow

QUEUE = Sieve(statuses=(Status.IN_REVIEW,), order=Order.DUE)


def closed(journal: Journal, result: str = "R02", place: int = 0) -> str:
    card = journal.save(appeal(place=place, comment="Дан ответ"))
    journal.move(card.id, Act.CLOSE, {"result": result, "comment": "Дан ответ"})
    return card.id


def test_each_property_lets_through_what_it_says(journal: Journal) -> None:
    first, second = closed(journal), closed(journal, "R01", 1)
    third = journal.save(appeal(surname="Тестова")).id
    assert {card.id for card in journal.page(Sieve())} == {first, second, third}
    assert [card.id for card in journal.page(Sieve(statuses=(Status.IN_WORK,)))] == [third]
    assert [card.id for card in journal.page(Sieve(result="R01"))] == [second]
    assert [card.id for card in journal.page(Sieve(text="тест"))] == [third]
    assert [card.id for card in journal.page(Sieve(closer=1944, order=Order.DUE))] == [first, second]
    assert journal.page(Sieve(worker=7)) == []
    assert journal.page(Sieve(unclaimed=True)) == []
    assert journal.page(Sieve(due="2020-01-01")) == []
    assert journal.count(QUEUE) == 2
    assert journal.heaps(QUEUE, "result") == [Heap("R01", 1), Heap("R02", 1)]
    assert journal.heaps(QUEUE, "closer") == [Heap("1944", 2)]
    with pytest.raises(ValueError, match="body"):
        journal.heaps(QUEUE, "body")


def test_pages_follow_one_another_without_a_gap(journal: Journal) -> None:
    made = [journal.save(appeal()).id for _ in range(5)]
    pages = [card.id for offset in (0, 2, 4) for card in journal.page(Sieve(), 2, offset)]
    assert pages == made[::-1]


def test_a_filter_is_kept_by_name_until_it_is_forgotten(journal: Journal) -> None:
    journal.keep_sieve("мои", Sieve(worker=1944))
    journal.keep_sieve("очередь", QUEUE)
    assert journal.sieves() == {"мои": Sieve(worker=1944), "очередь": QUEUE}
    journal.keep_sieve("мои", None)
    assert journal.sieves() == {"очередь": QUEUE}


def test_a_group_is_approved_but_for_what_one_closed_oneself(journal: Journal, server: Server) -> None:
    own = closed(journal)
    server.answer(journal)
    journal.enrol(identity(user=1944, role=Role.ADMINISTRATOR))
    before = len(journal.outbox(100))
    moved, refused = journal.move_all(QUEUE, Act.APPROVE, {})
    assert moved == []
    assert list(refused) == [own]
    assert len(journal.outbox(100)) == before, "nothing refused is written"
    journal.enrol(identity(user=3001, role=Role.ADMINISTRATOR))
    moved, refused = journal.move_all(QUEUE, Act.APPROVE, {})
    assert (moved, refused) == ([own], {})
    assert journal.counts()[Status.CLOSED] == 1


def test_a_hundred_thousand_appeals_are_read_without_delay(journal: Journal) -> None:
    card = journal.save(appeal(surname="Тестова"))
    own = ("row", "id", "created", "deadline", "nearest", "status", "result")
    store = journal._store
    with store.writing():
        known = [row[1] for row in store.db.execute("PRAGMA table_info(shown)")]
        names = ", ".join(name for name in known if name not in own)
        store.db.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) "
            f"INSERT INTO shown(id, created, deadline, nearest, status, result, {names}) SELECT 'x:' || i, "
            "printf('%016x', i), date('2026-01-01', '+' || (i % 300) || ' day'), (i % 299) * 86400000, "
            "CASE i % 3 WHEN 0 THEN 'work' WHEN 1 THEN 'review' ELSE 'deferred' END, 'R' || (i % 26), "
            f"{names} FROM n, shown WHERE id = ?",
            [card.id],
        )

    def steps(read: Callable[[], object]) -> int:
        """What SQLite's machine does for it, in thousands of its instructions: the same on any machine."""
        passed: list[None] = []
        store.db.conn.set_progress_handler(lambda: passed.append(None), 1000)
        began = time.perf_counter()
        read()
        tell_if_slow("a hundred thousand appeals", time.perf_counter() - began, 0.3)
        store.db.conn.set_progress_handler(None, 1000)
        return len(passed)

    assert steps(lambda: journal.page(Sieve())) < 10, "its order is an index"
    assert steps(lambda: journal.page(QUEUE)) < 10
    assert steps(lambda: journal.page(Sieve(order=Order.DUE))) < 10
    assert steps(lambda: (journal.count(Sieve()), journal.counts())) < 2000, "each appeal is passed once"
    assert steps(lambda: journal.page(Sieve(), 200, 99_800)) < 600
    assert steps(lambda: journal.heaps(QUEUE, "result")) < 1000
