"""The side of sync: answers, events, refusals that come back, a server that is another."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from operator_tui.appeals.card import Card, Status
from operator_tui.appeals.clock import ManualClock
from operator_tui.appeals.draft import draft_of
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.hlc import next_stamp
from operator_tui.appeals.lifecycle import Act
from operator_tui.appeals.operations import Event, Kind, Outcome
from operator_tui.appeals.people import Role
from operator_tui.journal.confirm import KEEP_SENT_MS
from operator_tui.journal.journal import Journal
from tests.journal.making import STREAM, Server, appeal, enrolled, identity

CLOSING = {"result": "R02", "comment": "Дан ответ"}


def card_of(journal: Journal, card_id: str) -> Card:
    card = journal.card(card_id)
    assert card is not None
    return card


def edit(journal: Journal, card_id: str, **fields: str) -> Card:
    draft = draft_of(card_of(journal, card_id))
    draft.fields |= fields
    return journal.save(draft)


def push(journal: Journal, server: Server, limit: int = 100) -> list[Outcome]:
    assert journal.device is not None
    return server.push(journal.device, journal.outbox(limit))


def test_an_acknowledged_operation_stays_shown_until_its_event_comes(journal: Journal, server: Server) -> None:
    card = journal.save(appeal(text="вопрос"))
    journal.settle(push(journal, server), durable=0)
    assert (journal.unsent(), journal.outbox(10)) == (0, [])
    assert journal.card(card.id) == card
    assert journal.receive(server.events_after(journal.cursors())) == [card.id]
    assert journal.card(card.id) == card == server.cards[card.id]
    assert journal.cursors() == {STREAM: 1}


def test_an_event_that_comes_before_its_answer_settles_it(journal: Journal, server: Server) -> None:
    card = journal.save(appeal())
    outcomes = push(journal, server)
    journal.receive(server.events_after(journal.cursors()))
    assert journal.unsent() == 0
    assert journal.card(card.id) == card
    journal.settle(outcomes, durable=0)
    assert journal.card(card.id) == card
    assert journal.attention() == []


def test_everything_may_come_twice(journal: Journal, server: Server) -> None:
    card = journal.save(appeal(answers=["S-01"]))
    edit(journal, card.id, address="Ставрополь")
    outcomes, events = push(journal, server), server.events_after({STREAM: 0})
    for _ in range(2):
        journal.settle(outcomes, durable=2)
        journal.receive(events)
        journal.receive(events[:1])
    assert journal.card(card.id) == server.cards[card.id]
    assert card_of(journal, card.id).value("answers") == ["S-01"]
    assert journal.cursors() == {STREAM: 2}


def test_events_after_a_gap_wait_for_what_is_missing(journal: Journal, colleague: Journal, server: Server) -> None:
    for _ in range(3):
        colleague.save(appeal())
    server.answer(colleague)
    events = server.events_after({STREAM: 0})
    assert journal.receive(events[1:]) == []
    assert journal.receive([events[0], events[2]]) == ["zzzzzz:1"]
    assert journal.cursors() == {STREAM: 1}
    assert journal.receive(events[1:]) == ["zzzzzz:2", "zzzzzz:3"]
    assert len(journal.active()) == 3


def test_own_edits_stay_over_what_others_do(journal: Journal, colleague: Journal, server: Server) -> None:
    card = journal.save(appeal(text="вопрос"))
    for desk in (journal, colleague):
        server.answer(desk)
    edit(journal, card.id, address="мой адрес")
    edit(colleague, card.id, phone="+78652000009")
    server.answer(colleague)
    journal.receive(server.events_after(journal.cursors()))
    shown = card_of(journal, card.id)
    assert (shown.value("address"), shown.value("phone")) == ("мой адрес", "+78652000009")
    server.answer(journal)
    assert card_of(journal, card.id) == server.cards[card.id]


def test_an_edit_does_not_change_back_what_another_has_written_since(
    journal: Journal, colleague: Journal, server: Server
) -> None:
    """The form was opened before the other's change arrived; its untouched fields are not a change."""
    card = journal.save(appeal(text="вопрос", address="старый"))
    for desk in (journal, colleague):
        server.answer(desk)
    for whole in (True, False):
        draft = draft_of(card_of(journal, card.id))
        if not whole:
            draft.seen = {}  # a form that only knows which operations it has seen
        before = card_of(journal, card.id).value("address")
        edit(colleague, card.id, address=f"{before} исправлен")
        server.answer(colleague)
        journal.receive(server.events_after(journal.cursors()))
        draft.fields["phone"] = f"+7865200000{int(whole)}"
        after = journal.save(draft)
        assert after.value("address") == f"{before} исправлен"
        assert journal.outbox(1)[0].x == {"phone": f"+7865200000{int(whole)}"}
        for desk in (journal, colleague):
            server.answer(desk)


def test_a_refused_operation_comes_back_whole(journal: Journal, colleague: Journal, server: Server) -> None:
    colleague.enrol(identity("zzzzzz", user=1945, role=Role.ADMINISTRATOR, number=13))
    card = journal.save(appeal(text="вопрос"))
    for desk in (journal, colleague):
        server.answer(desk)
    colleague.move(card.id, Act.VOID, {"reason": "ошибка"})
    edit(journal, card.id, text="дописано оператором")
    journal.move(card.id, Act.CLOSE, {"result": "R02", "comment": "набрано при закрытии"})
    assert card_of(journal, card.id).status is Status.IN_REVIEW
    server.answer(colleague)
    server.answer(journal)
    assert card_of(journal, card.id) == server.cards[card.id]
    first, second = journal.attention()
    assert first.reason is not None
    assert first.reason.code is Code.LOCKED
    assert first.operation.x == {"text": "дописано оператором"}
    assert second.operation.x["comment"] == "набрано при закрытии"
    assert first.card == server.cards[card.id]
    refused = [entry for entry in journal.timeline(card.id) if entry.refused is not None]
    assert [entry.values.get("text") for entry in refused] == ["дописано оператором", None]
    journal.dismiss(first.op)
    assert [entry.op for entry in journal.attention()] == [second.op]
    with pytest.raises(Refusal) as refused:
        journal.dismiss("k7q2mx:999")
    assert refused.value.code is Code.BAD_REQUEST


def test_a_refusal_does_not_stall_what_stands_behind_it(journal: Journal, server: Server) -> None:
    card = journal.save(appeal())
    server.answer(journal)
    server.cards[card.id] = msgspec.structs.replace(server.cards[card.id], status=Status.CLOSED)
    edit(journal, card.id, address="поздно")
    later = journal.save(appeal(text="следующий"))
    server.answer(journal)
    assert journal.unsent() == 0
    assert server.cards[later.id].value("text") == "следующий"
    assert len(journal.attention()) == 1


def test_a_refused_new_card_is_not_shown_but_kept(journal: Journal, server: Server) -> None:
    card = journal.save(appeal(text="важное"))
    edit(journal, card.id, address="и адрес")
    journal.settle([Outcome(1, "rejected", w="unknown_theme", p={"theme": "К-01.1"})], durable=0)
    assert journal.card(card.id) is None
    assert journal.search("важное") == []
    (entry,) = journal.attention()
    assert (entry.operation.x["text"], entry.card) == ("важное", None)
    assert entry.reason is not None
    assert entry.reason.code is Code.UNKNOWN_THEME
    journal.settle([Outcome(2, "rejected", w="unknown_card", p={})], durable=0)
    assert [entry.operation.x for entry in journal.attention()][1] == {"address": "и адрес"}


@pytest.mark.parametrize("lost_answer", [False, True])
def test_two_texts_are_told_to_the_second_writer(
    journal: Journal, colleague: Journal, server: Server, lost_answer: bool
) -> None:
    card = journal.save(appeal(text="вопрос"))
    for desk in (journal, colleague):
        server.answer(desk)
    edit(colleague, card.id, text="от коллеги")
    edit(journal, card.id, text="от меня")
    server.answer(colleague)
    if lost_answer:
        push(journal, server)
        journal.receive(server.events_after(journal.cursors()))
    else:
        server.answer(journal)
    assert card_of(journal, card.id).rival == {"text": ["от меня"]}
    (entry,) = journal.attention()
    assert (entry.reason, entry.operation.x) == (None, {"text": "от меня"})
    assert journal.timeline(card.id)[-1].rival == {"text": "от меня"}


def test_other_organisations_and_kinds_do_no_harm(journal: Journal, server: Server) -> None:
    card = journal.save(appeal())
    server.answer(journal)
    strange = [
        Event(STREAM, 2, "card.merge", "zzzzzz:1", 7, "01a0c4506fe80000", card.id, {"into": "x"}),
        Event(STREAM, 3, "card.set", "zzzzzz:2", 7, "01a0c4506fe80001", card.id, {"set": "not a map"}),
        Event(STREAM, 4, "card.set", "zzzzzz:3", 7, "01a0c4506fe80002", card.id, {"set": {"mood": 5}, "future": 1}),
        Event(STREAM, 5, "card.set", "zzzzzz:4", 7, "01a0c4506fe80003", "zzzzzz:9", {"set": {"text": "x"}}),
        Event("26/ref", 1, "theme.new", "srv:1", 0, "01a0c4506fe80004", "", {"code": "Ж-99"}),
    ]
    journal.receive(strange)
    assert journal.cursors() == {STREAM: 5, "26/ref": 1}
    assert card_of(journal, card.id).value("mood") == 5
    assert [entry.kind for entry in journal.timeline(card.id)] == ["card.new", "card.merge", "card.set", "card.set"]


def test_answers_for_operations_we_never_made_change_nothing(journal: Journal) -> None:
    card = journal.save(appeal())
    journal.settle([Outcome(77, "applied", q=5), Outcome(1, "postponed")], durable=0)
    assert journal.unsent() == 1
    assert journal.card(card.id) == card


def test_stamps_follow_those_received_but_not_a_clock_gone_mad(journal: Journal, clock: ManualClock) -> None:
    def received(seconds: int, q: int) -> str:
        stamp = f"{(clock.now_ms() + seconds * 1000) << 16:016x}"
        journal.receive([Event(STREAM, q, "x.y", f"z:{q}", 7, stamp)])
        return stamp

    near = received(100, 1)
    assert journal.record(Kind.SHIFT_BEGUN, {}).at > near
    mad = received(100_000, 2)
    assert journal.record(Kind.SHIFT_BEGUN, {}).at < mad


def test_what_is_sent_goes_only_when_it_is_durable_and_a_week_old(
    journal: Journal, server: Server, clock: ManualClock
) -> None:
    def kept() -> list[int]:
        with journal._store.reading():
            return [n for (n,) in journal._store.rows("SELECT n FROM outbox ORDER BY n")]

    device = journal.device
    assert device is not None
    for _ in range(3):
        journal.save(appeal())
    journal.settle(server.push(device, journal.outbox(9)), durable=2)
    journal.receive(server.events_after(journal.cursors()))
    assert kept() == [1, 2, 3]
    clock.advance(KEEP_SENT_MS / 1000 + 1)
    journal.record(Kind.SHIFT_BEGUN, {})
    journal.settle(server.push(device, journal.outbox(9)), durable=2)
    assert kept() == [3, 4]
    journal.settle([], durable=4)
    assert kept() == [3, 4]
    assert len(journal.active()) == 3


def test_a_refusal_is_kept_as_long_as_the_operator_has_not_seen_it(
    journal: Journal, server: Server, clock: ManualClock
) -> None:
    journal.save(appeal(text="важное"))
    journal.settle([Outcome(1, "rejected", w="locked", p={})], durable=1)
    clock.advance(KEEP_SENT_MS / 1000 + 1)
    journal.record(Kind.SHIFT_BEGUN, {})
    journal.settle([Outcome(2, "applied", q=1)], durable=2)
    assert [entry.operation.x["text"] for entry in journal.attention()] == ["важное"]


# a server restored from a backup


def test_a_server_restored_from_yesterday_gets_everything_again(
    journal: Journal, colleague: Journal, server: Server
) -> None:
    first = journal.save(appeal(text="в копии", answers=["S-01"]))
    server.answer(journal)
    backup = msgspec.json.encode([server.cards, server.streams, server.answers])
    second = journal.save(appeal(text="после копии"))
    edit(journal, first.id, address="после копии")
    theirs = colleague.save(appeal(text="коллеги"))
    for desk in (journal, colleague, journal):
        server.answer(desk)
    before = {card.id: card for card in journal.active()}
    assert set(before) == {first.id, second.id, theirs.id}

    restored = Server()
    cards, streams, answers = msgspec.json.decode(
        backup, type=tuple[dict[str, Card], dict[str, list[Event]], dict[str, list[Outcome]]]
    )
    restored.cards, restored.streams, restored.answers = cards, streams, answers
    journal.rewind(len(answers["k7q2mx"]) + 1, "epoch-2")
    assert journal.device is not None
    assert journal.device.epoch == "epoch-2"
    assert journal.cursors() == {STREAM: 0}
    assert [operation.n for operation in journal.outbox(10)] == [2, 3]
    assert {card.id: card for card in journal.active()} == before  # the screen does not go blank meanwhile

    restored.answer(journal)
    assert journal.unsent() == 0
    assert card_of(journal, first.id) == restored.cards[first.id]
    assert card_of(journal, first.id).value("answers") == ["S-01"]
    assert card_of(journal, first.id).value("address") == "после копии"
    assert card_of(journal, second.id) == restored.cards[second.id]
    colleague.rewind(1, "epoch-2")
    restored.answer(colleague)
    restored.answer(journal)
    assert {card.id: card for card in journal.active()} == restored.cards
    assert set(restored.cards) == set(before)


def test_a_rewind_half_way_shows_both_old_and_new(journal: Journal, server: Server) -> None:
    one, two = journal.save(appeal(answers=["S-01"])), journal.save(appeal())
    edit(journal, one.id, address="адрес")
    server.answer(journal)
    journal.rewind(4, "epoch-2")
    events = server.events_after({STREAM: 0})
    for event in events:
        journal.receive([event])
        assert {card.id for card in journal.active()} == {one.id, two.id}
        assert card_of(journal, one.id).value("address") == "адрес"
        assert card_of(journal, one.id).value("answers") == ["S-01"]
    assert {card.id: card for card in journal.active()} == server.cards


@pytest.mark.parametrize(("same", "was"), [(True, "aaaaaa:1"), (True, "999999:4"), (False, "aaaaaa:1")])
def test_a_card_of_a_lost_lineage_gives_way_to_what_another_copy_returned_under_a_new_id(
    journal: Journal, server: Server, tmp_path: Path, same: bool, was: str
) -> None:
    """Also when the lost lineage had it from a copy already: what is kept has another id than it was made with."""
    (tmp_path / "copy").mkdir()
    origin = enrolled(tmp_path / "copy", code="aaaaaa", user=7)
    old = origin.save(appeal(text="из потерянной базы"))
    server.answer(origin)
    server.answer(journal)
    assert card_of(journal, old.id).value("text") == "из потерянной базы"

    journal.rewind(1, "epoch-2")
    edit(journal, old.id, address="дописано здесь")
    (created,) = server.streams[STREAM]
    stamp = created.at if same else next_stamp(created.at, 0)
    text = "из потерянной базы" if same else "другое обращение"
    change = {**created.x, "set": {**created.x["set"], "text": text}, "was": was}
    journal.receive([msgspec.structs.replace(created, op="bbbbbb:3", c="bbbbbb:3", at=stamp, x=change)])

    assert card_of(journal, "bbbbbb:3").value("text") == text
    if same:
        assert journal.card(old.id) is None, "not twice on the screen"
        assert card_of(journal, "bbbbbb:3").value("address") == "дописано здесь"
        (waiting,) = journal.outbox(10)
        assert waiting.c == "bbbbbb:3"
    else:  # something else that had the number: what is on the screen stays
        assert card_of(journal, old.id).value("address") == "дописано здесь"
    origin.close()


def test_a_fork_at_a_server_that_was_restored_meanwhile_reads_its_stream_from_the_start(
    journal: Journal, server: Server
) -> None:
    card = journal.save(appeal())
    server.answer(journal)
    edit(journal, card.id, address="ещё не отправлено")
    assert journal.cursors() == {STREAM: 1}
    journal.fork(msgspec.structs.replace(identity(code="bbbbbb"), epoch="epoch-2"))
    assert journal.cursors() == {STREAM: 0}
    assert card_of(journal, card.id).value("address") == "ещё не отправлено", "the screen does not go blank meanwhile"
    assert [operation.was for operation in journal.outbox(10)] == ["k7q2mx:2"]


def test_what_a_copy_sent_first_and_was_refused_is_not_shown_as_applied(
    journal: Journal, colleague: Journal, server: Server
) -> None:
    """The server came back empty. A copy of this journal sent what both have before the card itself was there again,
    and was refused: it stands under the code both had, and the lineage that is lost had applied it."""
    card = colleague.save(appeal(text="вопрос"))
    for desk in (colleague, journal):
        server.answer(desk)
    edit(journal, card.id, phone="+78652000009")
    server.answer(journal)
    journal.fork(identity(code="bbbbbb"))

    restored = Server()
    for desk in (colleague, journal):
        desk.rewind(1, "epoch-2")
    restored.answer(colleague)
    journal.receive(restored.events_after(journal.cursors()))
    assert journal.card(card.id) == restored.cards[card.id]
    assert not card_of(journal, card.id).value("phone")
