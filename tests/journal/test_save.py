"""Saving, closing, drafts: what an operator does and what is on disk then."""

from __future__ import annotations

import threading
import time
from typing import Any

import msgspec
import pytest

from operator_tui.appeals.card import Status
from operator_tui.appeals.catalogue import AppealType
from operator_tui.appeals.clock import ManualClock, SystemClock
from operator_tui.appeals.draft import Draft, draft_of
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.lifecycle import Act
from operator_tui.appeals.number import told_right
from operator_tui.appeals.operations import Kind, Outcome
from operator_tui.journal.journal import Journal
from tests.journal.making import appeal, enrolled, identity, open_journal
from tests.timing import tell_if_slow

CLOSING = {"result": "R02", "comment": "Дан ответ"}


def refusing(code: Code, act: Any, *arguments: Any, **more: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        act(*arguments, **more)
    assert caught.value.code is code
    return caught.value


@pytest.mark.function("K-5.1.6.3")
def test_a_saved_appeal_is_in_the_journal_in_work(journal: Journal) -> None:
    draft = appeal(call="c1", surname="Тестова", phone="+78652000001")
    journal.put_draft(draft)
    card = journal.save(draft)
    assert card.status is Status.IN_WORK
    assert journal.card(card.id) == card
    assert journal.active() == [card]
    assert journal.counts()[Status.IN_WORK] == 1
    assert journal.drafts() == []


def test_the_journal_fills_number_zone_version_and_deadline(journal: Journal) -> None:
    card = journal.save(appeal(AppealType.COMPLAINT, call="c1"))
    (operation,) = journal.outbox(10)
    assert card.id == f"k7q2mx:{operation.n}"
    assert told_right(card.value("number"))
    assert card.value("number").startswith("12-")
    assert (card.value("zone"), card.value("call")) == ("Europe/Moscow", "c1")
    assert len(card.value("catalogue")) == 12
    assert card.deadline == operation.x["deadline"] == "2026-10-21"
    assert (operation.k, operation.c, operation.z, operation.b) == (Kind.CARD_NEW, "", "Europe/Moscow", {})


@pytest.mark.parametrize("field", ["type", "theme"])
def test_what_is_missing_is_named_and_the_draft_stays(journal: Journal, field: str) -> None:
    draft = appeal(text="вопрос")
    draft.fields[field] = ""
    journal.put_draft(draft)
    assert refusing(Code.FIELD_REQUIRED, journal.save, draft).params == {"field": field}
    assert refusing(Code.FIELD_REQUIRED, journal.save_and_close, draft, CLOSING).params == {"field": field}
    assert [kept.fields["text"] for kept in journal.drafts()] == ["вопрос"]
    assert (journal.unsent(), journal.active()) == (0, [])


def test_a_second_save_makes_no_second_card(journal: Journal) -> None:
    draft = appeal(text="вопрос")
    first = journal.save(draft)
    assert journal.save(draft) == first
    assert journal.unsent() == 1
    draft.fields["text"] = "вопрос и ещё"
    again = journal.save(draft)
    assert (again.id, again.value("text")) == (first.id, "вопрос и ещё")
    assert [operation.x for operation in journal.outbox(10)[1:]] == [{"text": "вопрос и ещё"}]


def test_a_second_save_after_a_restart_makes_no_second_card(journal: Journal, tmp_path: Any) -> None:
    draft = appeal(text="вопрос")
    first = journal.save(draft)
    journal.close()
    opened = open_journal(tmp_path)
    assert opened.save(draft).id == first.id
    assert opened.unsent() == 1
    opened.close()


def test_a_draft_that_comes_after_its_save_is_no_ghost(journal: Journal) -> None:
    draft = appeal(text="вопрос")
    card = journal.save(draft)
    journal.put_draft(draft)
    assert journal.drafts() == []
    late = Draft(id=draft.id, fields={**draft.fields, "text": "дописано"})
    journal.put_draft(late)
    (kept,) = journal.drafts()
    assert kept.card == card.id
    assert journal.save(kept).value("text") == "дописано"
    assert len(journal.active()) == 1


def test_an_edit_sends_only_what_changed(journal: Journal) -> None:
    card = journal.save(appeal(text="вопрос", address="старый"))
    draft = draft_of(card)
    draft.fields["address"] = "новый"
    edited = journal.save(draft)
    assert edited.value("address") == "новый"
    operation = journal.outbox(10)[-1]
    assert (operation.k, operation.c, operation.x, operation.b) == (
        Kind.CARD_SET,
        card.id,
        {"address": "новый"},
        {"address": card.id},
    )


def test_an_edit_of_nothing_writes_nothing(journal: Journal) -> None:
    card = journal.save(appeal(text="вопрос"))
    draft = draft_of(card)
    journal.put_draft(draft)
    assert journal.save(draft) == card
    assert journal.unsent() == 1
    assert journal.drafts() == []


def test_a_result_offered_in_the_form_is_not_saved_before_it_is_given(journal: Journal) -> None:
    card = journal.save(appeal(text="вопрос", result="R02"))
    assert card.value("result") == ""
    assert journal.move(card.id, Act.CLOSE, CLOSING).value("result") == "R02"


@pytest.mark.function("K-6.1.4")
def test_closing_sends_the_appeal_to_review(journal: Journal) -> None:
    card = journal.save(appeal())
    closed = journal.move(card.id, Act.CLOSE, CLOSING)
    assert closed.status is Status.IN_REVIEW
    assert journal.card(card.id) == closed
    assert journal.counts()[Status.IN_REVIEW] == 1
    operation = journal.outbox(10)[-1]
    assert (operation.k, operation.b["status"]) == (Kind.CARD_MOVE, card.id)


def test_save_and_close_is_two_operations_or_none(journal: Journal) -> None:
    draft = appeal(text="вопрос")
    journal.put_draft(draft)
    refusing(Code.FIELD_REQUIRED, journal.save_and_close, draft, {"result": "R02"})
    assert (journal.unsent(), journal.active(), len(journal.drafts())) == (0, [], 1)
    card = journal.save_and_close(draft, CLOSING)
    assert card.status is Status.IN_REVIEW
    assert [operation.k for operation in journal.outbox(10)] == [Kind.CARD_NEW, Kind.CARD_MOVE]
    assert [operation.n for operation in journal.outbox(10)] == [1, 2]
    assert journal.drafts() == []


def test_save_and_close_of_an_unchanged_card_is_one_operation(journal: Journal) -> None:
    card = journal.save(appeal(comment="Дан ответ"))
    assert journal.save_and_close(draft_of(card), {"result": "R02"}).status is Status.IN_REVIEW
    assert journal.unsent() == 2


def test_a_refused_move_writes_nothing(journal: Journal) -> None:
    card = journal.save(appeal(AppealType.COMPLAINT))
    refusing(Code.RIGHT_MISSING, journal.move, card.id, Act.CLOSE, {"result": "R19", "comment": "x"})
    refusing(Code.MOVE_NOT_ALLOWED, journal.move, card.id, Act.APPROVE, {})
    refusing(Code.UNKNOWN_CARD, journal.move, "k7q2mx:99", Act.CLOSE, CLOSING)
    assert journal.card(card.id) == card
    assert journal.unsent() == 1


def test_an_edit_of_an_appeal_in_review_is_refused_and_kept(journal: Journal) -> None:
    card = journal.save_and_close(appeal(text="вопрос"), CLOSING)
    draft = draft_of(card)
    draft.fields["text"] = "дописано"
    journal.put_draft(draft)
    refusing(Code.LOCKED, journal.save, draft)
    assert journal.drafts()[0].fields["text"] == "дописано"


def test_numbers_have_no_gap_after_refusals(journal: Journal) -> None:
    journal.save(appeal())
    refusing(Code.UNKNOWN_THEME, journal.save, Draft(id="d", fields={"type": "Жалоба", "theme": "нет"}))
    journal.record(Kind.CALL_ENDED, {"call": "c1", "by": "caller"})
    journal.save(appeal())
    assert [operation.n for operation in journal.outbox(10)] == [1, 2, 3]


def test_events_are_operations_of_the_same_queue(journal: Journal) -> None:
    operation = journal.record(Kind.CALL_ANSWERED, {"call": "c1"}, card="k7q2mx:9")
    assert (operation.n, operation.k, operation.c, operation.z) == (1, "call.answered", "k7q2mx:9", "Europe/Moscow")
    assert journal.outbox(10) == [operation]
    assert journal.active() == []
    with pytest.raises(ValueError, match="save or move"):
        journal.record(Kind.CARD_NEW, {})


def test_stamps_grow_when_the_clock_runs_back(journal: Journal, clock: ManualClock) -> None:
    for seconds in (0, -3600, 0, 5):
        clock.advance(seconds)
        journal.record(Kind.SHIFT_BEGUN, {})
    stamps = [operation.at for operation in journal.outbox(10)]
    assert stamps == sorted(set(stamps))


def test_before_enrolment_only_drafts_are_kept(tmp_path: Any) -> None:
    journal = open_journal(tmp_path)
    assert journal.device is None
    assert (journal.outbox(5), journal.cursors(), journal.unsent()) == ([], {}, 0)
    draft = appeal(text="набрано до входа")
    journal.put_draft(draft)
    refusing(Code.NOT_ENROLLED, journal.save, draft)
    refusing(Code.NOT_ENROLLED, journal.record, Kind.SHIFT_BEGUN, {})
    journal.enrol(identity())
    assert journal.save(journal.drafts()[0]).value("text") == "набрано до входа"
    journal.close()


def test_what_waits_goes_on_under_another_device(journal: Journal, server: Any) -> None:
    sent = journal.save(appeal())
    server.answer(journal)
    waiting = journal.save(appeal())
    journal.enrol(identity("newone"))
    assert [(operation.n, operation.was) for operation in journal.outbox(9)] == [(1, waiting.id)]
    assert journal.save(appeal()).id == "newone:2"
    assert {card.id for card in journal.active()} == {sent.id, "newone:1", "newone:2"}


# drafts


def test_drafts_come_back_whole(journal: Journal, clock: ManualClock) -> None:
    draft = appeal(call="c1", text="многострочный\nтекст", links=["k7q2mx:1"])
    draft.screen = {"field": "text", "cursor": 12}
    clock.advance(2)
    journal.put_draft(draft)
    assert draft.updated_ms == clock.now_ms()
    assert journal.drafts() == [draft]
    assert journal.draft_for_call("c1") == draft
    assert journal.draft_for_call("c2") is None
    assert journal.draft_for_call("") is None


def test_the_last_typed_draft_is_first(journal: Journal, clock: ManualClock) -> None:
    one, two = appeal(call="c1"), appeal(call="c2")
    for draft in (one, two, one):
        clock.advance(1)
        journal.put_draft(draft)
    assert [draft.id for draft in journal.drafts()] == [one.id, two.id]
    journal.drop_draft(one.id)
    journal.drop_draft("never was")
    assert [draft.id for draft in journal.drafts()] == [two.id]


# threads and time


def test_threads_take_turns(journal: Journal) -> None:
    def work(name: str) -> None:
        for count in range(20):
            journal.save(appeal(surname=f"{name}{count}"))
            journal.search(name)

    threads = [threading.Thread(target=work, args=(name,)) for name in ("альфа", "бета", "гамма")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert journal.unsent() == len(journal.active(limit=500)) == 60
    assert [operation.n for operation in journal.outbox(100)] == list(range(1, 61))


def test_how_long_a_save_takes(tmp_path: Any, record_property: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Measured, not judged: the machine decides (design 4: p99 at most 10 ms). The desk stays usable far above it."""
    journal = enrolled(tmp_path, clock=SystemClock())
    took = []
    for count in range(400):
        draft = appeal(call=f"c{count}", surname=f"Тестов{count}", text="содержание обращения " * 20)
        begun = time.perf_counter()
        journal.save(draft)
        took.append((time.perf_counter() - begun) * 1000)
    journal.close()
    took.sort()
    p50, p99 = took[len(took) // 2], took[len(took) * 99 // 100]
    record_property("save_p50_ms", round(p50, 2))
    record_property("save_p99_ms", round(p99, 2))
    with capsys.disabled():
        print(f" save: p50 {p50:.2f} ms, p99 {p99:.2f} ms ", end="")  # noqa: T201 - the figure is the point
    tell_if_slow("half of all saves", p50 / 1000, 0.25)


def test_enrolled_anew_at_a_restored_server_sends_all_that_no_copy_holds(journal: Journal) -> None:
    sent = journal.save(appeal())
    journal.settle([Outcome(1, "applied", q=1)], durable=0)
    assert journal.unsent() == 0
    journal.enrol(msgspec.structs.replace(identity("newone"), epoch="another"))
    assert [(operation.n, operation.was) for operation in journal.outbox(9)] == [(1, sent.id)]
    assert set(journal.cursors().values()) == {0}
