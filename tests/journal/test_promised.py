"""Promises in the journal: saved at once, listed by their time, absences told by the centre, calls in the time line."""

from __future__ import annotations

import msgspec
import pytest

from operator_tui.appeals.card import Status
from operator_tui.appeals.clock import ManualClock
from operator_tui.appeals.draft import draft_of, new_draft
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.lifecycle import Act
from operator_tui.appeals.operations import Event, Kind
from operator_tui.appeals.people import Role
from operator_tui.appeals.promises import Away
from operator_tui.journal.journal import Journal
from operator_tui.journal.sieve import Sieve
from tests.journal.making import appeal, identity

HOUR_MS = 3_600_000


def test_a_promise_of_an_unfinished_form_is_one_card_and_ends_the_draft(journal: Journal, clock: ManualClock) -> None:
    draft = new_draft(call="k1", fields={"phone": "+78652000101"})
    journal.put_draft(draft)
    due = clock.now_ms() + HOUR_MS
    card = journal.save_promised(draft, {"promise_due": due, "promise_ask": "Анна", "promise_hours": ""})
    assert (card.status, card.value("promise_due"), card.value("promise_ask")) == (Status.DEFERRED, due, "Анна")
    assert card.value("call") == "k1"
    assert journal.drafts() == []
    assert journal.unsent() == 1


def test_a_card_that_was_saved_before_is_deferred_not_doubled(journal: Journal, clock: ManualClock) -> None:
    draft = appeal(phone="+78652000101")
    saved = journal.save(draft)
    card = journal.save_promised(draft, {"promise_due": clock.now_ms() + HOUR_MS})
    assert (card.id, card.status) == (saved.id, Status.DEFERRED)
    assert len(journal.active()) == 1


def test_a_refused_promise_leaves_the_draft(journal: Journal, clock: ManualClock) -> None:
    draft = new_draft(fields={"comment": "спросить о полисе"})
    journal.put_draft(draft)
    for promise, code in (
        ({"promise_due": clock.now_ms() + HOUR_MS}, Code.FIELD_REQUIRED),
        ({"promise_due": clock.now_ms() - 1, "promise_phone": "+78652000101"}, Code.PROMISE_PAST),
    ):
        with pytest.raises(Refusal) as refused:
            journal.save_promised(draft, promise)
        assert refused.value.code is code
    assert [kept.fields["comment"] for kept in journal.drafts()] == ["спросить о полисе"]
    assert journal.unsent() == 0


def test_promises_are_listed_by_their_time(journal: Journal, clock: ManualClock) -> None:
    later, sooner = (
        journal.save_promised(appeal(phone="+78652000101"), {"promise_due": clock.now_ms() + hours * HOUR_MS}).id
        for hours in (5, 1)
    )
    old = journal.save(appeal()).id
    journal.move(old, Act.CLOSE, {"result": "R24", "comment": "Прервалось"})
    assert [card.id for card in journal.promised()] == [sooner, later, old]
    journal.move(sooner, Act.RESUME, {})
    assert [card.id for card in journal.promised()] == [later, old]


def test_the_promises_of_everybody_else_do_not_hide_ones_own(journal: Journal, clock: ManualClock) -> None:
    def promise(hours: int, **given: object) -> str:
        draft = appeal(phone="+78652000101")
        saved = journal.save(draft)
        return journal.move(saved.id, Act.DEFER, {"promise_due": clock.now_ms() + hours * HOUR_MS, **given}).id

    others = [promise(hours, operator=2001) for hours in (1, 2, 3)]
    own, groups, absents = promise(5), promise(6, group="policy"), promise(7, operator=7)
    promise(8, operator=2001)
    assert [card.id for card in journal.promised(2)] == [*others[:2], own], "not in a group, nobody's substitute"
    operator = msgspec.structs.replace(identity().operator, groups=("policy",))
    journal.enrol(msgspec.structs.replace(identity(), operator=operator))
    x = {"user": 7, "since": "2026-01-01", "until": "2099-01-01", "substitute": operator.user}
    journal.receive([Event(s="26/tf", q=1, k=Kind.PERSON_AWAY.value, op="bbbbbb:1", by=9, at="01a0c4506c000000", x=x)])
    assert [card.id for card in journal.promised(3)] == [*others, own, groups, absents]


def test_absences_come_from_the_centre_and_one_of_our_own_is_the_administrators(journal: Journal) -> None:
    x = {"user": 7, "since": "2026-01-01", "until": "2099-01-01", "substitute": 8}
    with pytest.raises(Refusal) as refused:
        journal.record(Kind.PERSON_AWAY, x)
    assert refused.value.code is Code.RIGHT_MISSING
    assert journal.away() == []
    told = Event(s="26/tf", q=1, k=Kind.PERSON_AWAY.value, op="bbbbbb:1", by=9, at="01a0c4506c000000", x=x)
    odd = Event(s="26/tf", q=2, k=Kind.PERSON_AWAY.value, op="bbbbbb:2", by=9, at="01a0c4506c000000", x={"user": "?"})
    journal.receive([told, odd])
    assert journal.away() == [Away(user=7, since="2026-01-01", until="2099-01-01", substitute=8)]
    assert journal.device is not None
    assert journal.device.operator.role is Role.OPERATOR_1


def test_the_time_line_has_the_calls_of_the_appeal_among_its_changes(journal: Journal, clock: ManualClock) -> None:
    journal.record(Kind.CALL_ANSWERED, {"call": "k1"})
    journal.record(Kind.CALL_ANSWERED, {"call": "another"})
    clock.advance(5)
    draft = appeal(phone="+78652000101")
    draft.call = "k1"
    card = journal.save(draft)
    clock.advance(60)
    journal.record(Kind.CALL_ENDED, {"call": "k1", "by": "caller"})
    clock.advance(60)
    edited = draft_of(card)
    edited.fields["attempts"] = [{"ms": clock.now_ms(), "by": 1944, "call": "k9"}]
    journal.save(edited)
    journal.record(Kind.CALL_RINGING, {"call": "k9"})
    assert [entry.kind for entry in journal.timeline(card.id)] == [
        "call.answered", "card.new", "call.ended", "card.set", "call.ringing",
    ]  # fmt: skip


def test_sieves_of_groups_of_days_and_of_what_is_owed(journal: Journal, clock: ManualClock) -> None:
    first = journal.save(appeal())
    begun = clock.now_ms()
    clock.advance(3600)
    second = journal.save(appeal())
    journal.move(second.id, Act.FORWARD, {"group": "policy"})
    assert [card.id for card in journal.page(Sieve(group="policy", unclaimed=True))] == [second.id]
    assert [card.id for card in journal.page(Sieve(groups=("money", "policy"), unclaimed=True))] == [second.id]
    assert journal.page(Sieve(groups=("money", "access"))) == []
    assert [card.id for card in journal.page(Sieve(until=begun))] == [first.id]
    assert [card.id for card in journal.page(Sieve(since=begun + 1, any_status=True))] == [second.id]
    journal.move(first.id, Act.CLOSE, {"result": "R11", "comment": "Направлено", "organisation": "СМО"})
    assert [card.id for card in journal.page(Sieve(owed=True))] == [first.id]
    assert journal.count(Sieve(review="correction")) == 0
