"""Callers who were answered and of whom nothing was written down."""

from __future__ import annotations

from operator_tui.appeals.clock import ManualClock
from operator_tui.appeals.draft import new_draft
from operator_tui.appeals.operations import Kind
from operator_tui.journal.journal import Journal
from tests.journal.making import appeal

NUMBER = "+78652000041"


def answered(journal: Journal, call: str) -> None:
    journal.record(Kind.CALL_OFFERED, {"call": call, "number": NUMBER})
    journal.record(Kind.CALL_ANSWERED, {"call": call})


def test_only_who_was_answered_and_left_no_trace(journal: Journal, clock: ManualClock) -> None:
    for call in ("bare", "drafted", "saved"):
        answered(journal, call)
    journal.record(Kind.CALL_OFFERED, {"call": "rang", "number": NUMBER})
    journal.record(Kind.CALL_ANSWERED, {"call": "dialled"})  # our own call is nobody's appeal
    journal.put_draft(new_draft(call="drafted"))
    journal.save(appeal(call="saved"))
    assert [(call, number) for call, number, _ in journal.calls_without_card()] == [("bare", NUMBER)]
    clock.advance(25 * 3600)
    assert journal.calls_without_card() == []
