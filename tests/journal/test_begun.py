"""Begun forms in the journal: kept as they stand, each operator's and each appeal's own, gone when they were sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from operator_tui.appeals.begun import Begun, FormOf, Typed
from operator_tui.appeals.clock import SystemClock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.journal.forked import _move_forms
from operator_tui.journal.journal import Journal
from tests.journal.making import appeal, enrolled, open_journal

ME, OTHER = 1944, 7


def begun(of: FormOf, text: str, *, user: int = ME, at_ms: int = 1) -> Begun:
    return Begun(of, user, "Обещание", {"ask": Typed("Кого спросить", text)}, at_ms)


def texts(journal: Journal, user: int | None = ME) -> dict[FormOf, str]:
    return {one.of: one.lines["ask"].text for one in journal.begun(user)}


def test_it_is_there_after_a_new_start_and_gone_when_it_was_sent(tmp_path: Path) -> None:
    journal = enrolled(tmp_path)
    of, other = FormOf("promise", "k7q2mx:1"), FormOf("promise", "k7q2mx:2")
    journal.keep_begun([begun(of, "Ан"), begun(other, "Дочь")], [], ME)
    journal.keep_begun([begun(of, "Анна", at_ms=2)], [], ME)
    journal.close()
    journal = open_journal(tmp_path)
    assert texts(journal) == {other: "Дочь", of: "Анна"}
    assert list(texts(journal)) == [other, of], "the last typed one last"
    journal.keep_begun([], [of], ME)
    assert texts(journal) == {other: "Дочь"}
    journal.close()


def test_another_operator_neither_sees_it_nor_takes_it_away(journal: Journal) -> None:
    of = FormOf("incident")
    journal.keep_begun([begun(of, "дым")], [], ME)
    assert texts(journal, OTHER) == {}
    journal.keep_begun([begun(of, "потоп", user=OTHER)], [], OTHER)
    journal.keep_begun([], [of], OTHER)
    assert texts(journal) == {of: "дым"}
    assert texts(journal, None) == {of: "дым"}


def test_of_a_card_that_was_saved_meanwhile_it_is_the_appeals(journal: Journal) -> None:
    draft = appeal(surname="Тестова")
    journal.put_draft(draft)
    of = FormOf("promise", draft.id)
    journal.keep_begun([begun(of, "Анна")], [], ME)
    card = journal.save(draft)
    now = replace(of, about=card.id)
    assert texts(journal) == {now: "Анна"}
    journal.keep_begun([begun(now, "Дочь", at_ms=2)], [], ME)
    assert texts(journal) == {now: "Дочь"}, "one text, not two"
    journal.keep_begun([], [now], ME)
    assert journal.begun() == []


def test_it_goes_with_its_appeal_to_another_id(journal: Journal) -> None:
    journal.keep_begun([begun(FormOf("promise", "k7q2mx:1"), "Анна")], [], ME)
    with journal._store.writing():
        _move_forms(journal._store, {"k7q2mx:1": {"k7q2mx:1": "other:1"}})
    assert texts(journal) == {FormOf("promise", "other:1"): "Анна"}


def test_a_disk_without_room_says_so_and_keeps_what_there_was(tmp_path: Path) -> None:
    journal = enrolled(tmp_path, clock=SystemClock())
    of = FormOf("content", "k7q2mx:1")
    journal.keep_begun([begun(of, "кратко")], [], ME)
    with journal._store.reading() as db:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(Refusal) as refused:
        journal.keep_begun([begun(of, "длинно" * 9000)], [], ME)
    assert refused.value.code is Code.DISK_FULL
    assert texts(journal) == {of: "кратко"}
    journal.close()


def test_it_can_not_be_read_without_the_key(tmp_path: Path) -> None:
    journal = enrolled(tmp_path)
    journal.keep_begun([begun(FormOf("promise", "k7q2mx:1"), "Зюзинаполиктестова")], [], ME)
    on_disk = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    journal.close()
    on_disk += b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert "Зюзинаполиктестова".encode() not in on_disk
