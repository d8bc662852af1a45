"""A copied journal beside the one it was copied of, when the server comes back without what it had of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from operator_tui.appeals.clock import ManualClock
from operator_tui.appeals.draft import draft_of
from operator_tui.appeals.hlc import next_stamp
from operator_tui.appeals.operations import CARD_NOW, Event, Kind, Outcome
from operator_tui.appeals.sums import day_of
from operator_tui.journal.journal import Journal
from tests.journal.making import Server, appeal, enrolled, identity

NUMBER = "k7q2mx:1"  # what the copy and ours give next
RETURNED = "bbbbbb:1"


@pytest.fixture
def copy(tmp_path: Path, clock: ManualClock) -> Iterator[Journal]:
    """Gives the numbers that ``journal`` gives; its clock is a little ahead."""
    (tmp_path / "copy").mkdir()
    opened = enrolled(tmp_path / "copy", clock=ManualClock(clock.now_ms() + 500))
    yield opened
    opened.close()


@pytest.fixture
def restored() -> Server:
    """What the server is after its disk was lost: it has nothing."""
    return Server()


def edited(journal: Journal, card_id: str, **fields: str) -> None:
    card = journal.card(card_id)
    assert card is not None
    draft = draft_of(card)
    draft.fields |= fields
    journal.save(draft)


def lost(*desks: Journal) -> None:
    for desk in desks:
        desk.rewind(1, "epoch-2")


def forked(journal: Journal, code: str = "bbbbbb") -> None:
    journal.fork(msgspec.structs.replace(identity(code=code), epoch="epoch-2"))


def texts(journal: Journal) -> dict[str, object]:
    return {card.id: card.value("text") for card in journal.active()}


@pytest.mark.parametrize("first", ["event", "fork"])
def test_another_act_of_ours_under_the_number_of_a_copys_appeal_does_not_keep_that_twice_on_the_screen(
    journal: Journal, copy: Journal, server: Server, restored: Server, first: str
) -> None:
    """The fault simulator's seed 628930: what waits here under the appeal's old id is a call."""
    copy.save(appeal(text="копии"))
    server.answer(copy)
    journal.receive(server.events_after(journal.cursors()))
    assert texts(journal) == {NUMBER: "копии"}

    lost(copy, journal)
    journal.record(Kind.CALL_OFFERED, {"call": "1"})
    edited(journal, NUMBER, address="дописано здесь")
    forked(copy)
    restored.answer(copy)
    if first == "fork":
        forked(journal, "cccccc")
    journal.receive(restored.events_after(journal.cursors()))
    if first == "event":
        forked(journal, "cccccc")
    assert texts(journal) == {RETURNED: "копии"}
    restored.answer(journal)
    assert journal.card(RETURNED) == restored.cards[RETURNED]
    assert restored.cards[RETURNED].value("address") == "дописано здесь"
    assert (journal.attention(), journal.unsent()) == ([], 0)


@pytest.mark.parametrize("first", ["event", "fork"])
def test_an_appeal_of_ours_under_the_number_of_a_copys_stays_with_all_that_was_written_on_it(
    journal: Journal, copy: Journal, server: Server, restored: Server, first: str
) -> None:
    copy.save(appeal(text="копии"))
    server.answer(copy)
    lost(copy)
    ours = journal.save(appeal(text="наше"))
    assert ours.id == NUMBER
    edited(journal, NUMBER, address="к нашему")
    journal.receive(server.events_after(journal.cursors()))
    lost(journal)

    forked(copy)
    restored.answer(copy)
    if first == "fork":
        forked(journal, "cccccc")
    journal.receive(restored.events_after(journal.cursors()))
    if first == "event":
        assert texts(journal) == {NUMBER: "наше", RETURNED: "копии"}
        forked(journal, "cccccc")
    assert texts(journal) == {"cccccc:1": "наше", RETURNED: "копии"}
    restored.answer(journal)
    restored.answer(copy)
    assert {card.id: card for card in journal.active()} == restored.cards == {card.id: card for card in copy.active()}
    assert restored.cards["cccccc:1"].value("address") == "к нашему"
    assert not restored.cards[RETURNED].value("address")
    assert journal.attention() == []


def test_our_own_appeal_that_a_copy_returned_first_is_one_when_the_server_says_so(
    journal: Journal, copy: Journal, server: Server, restored: Server
) -> None:
    """Both have it: ours still waits under the id it was made with when the copy's comes."""
    ours = journal.save(appeal(text="наше"))
    (made,) = journal.outbox(1)
    server.answer(journal)
    lost(journal)
    edited(journal, NUMBER, address="дописано")
    change = {**server.streams["26/tf"][0].x, "was": NUMBER}
    returned = msgspec.structs.replace(server.streams["26/tf"][0], op=RETURNED, c=RETURNED, x=change)
    journal.receive([returned])
    assert [operation.n for operation in journal.outbox(9)] == [made.n, 2]
    assert [operation.c for operation in journal.outbox(9)] == ["", ours.id], "the answer says what it is"
    (outcome,) = server.answers["k7q2mx"]
    journal.settle([msgspec.structs.replace(outcome, op=RETURNED)], durable=0)
    assert [operation.c for operation in journal.outbox(9)] == [RETURNED]
    assert texts(journal) == {RETURNED: "наше"}


def test_what_is_known_of_a_former_number_is_not_taken_for_what_has_that_number_now(journal: Journal) -> None:
    """The server is older than our fork. What stood under the former code it had from another copy already."""
    first = journal.save(appeal(text="под прежним кодом"))
    journal.settle([Outcome(1, "applied", q=1)], durable=0)
    journal.fork(identity(code="bbbbbb"))
    second = journal.save(appeal(text="под новым"))
    assert (first.id, second.id) == ("k7q2mx:1", "bbbbbb:1")
    edited(journal, first.id, address="к первому")
    edited(journal, second.id, address="ко второму")

    (former,) = journal.formers()
    journal.lacking(former, 1)
    assert [operation.n for operation in journal.waiting_as(former, 9)] == [1]
    journal.settle_as(former, [Outcome(1, "applied", q=1, op="dddddd:7")])
    about = {operation.x["address"]: operation.c for operation in journal.outbox(9) if operation.c}
    assert about == {"к первому": "dddddd:7", "ко второму": "bbbbbb:1"}
    shown = {card.id: card.value("address") for card in journal.active()}
    assert shown["bbbbbb:1"] == "ко второму"


def test_a_refusal_of_a_lost_lineage_is_not_asked_about_when_the_former_number_is_judged_anew(journal: Journal) -> None:
    journal.save(appeal(text="вопрос"))
    journal.settle([Outcome(1, "rejected", w="field_invalid", p={"field": "text"})], durable=0)
    journal.fork(identity(code="bbbbbb"))
    assert [came.op for came in journal.attention()] == [NUMBER]
    (former,) = journal.formers()
    journal.lacking(former, 1)
    assert journal.attention() == []
    journal.settle_as(former, [Outcome(1, "applied", q=1)])
    assert journal.attention() == []


def test_what_was_sent_under_a_code_the_server_does_not_know_goes_again_also_from_before_a_second_fork(
    journal: Journal, restored: Server
) -> None:
    """Forked twice, then the server came back from before both: it knows the first identity alone."""
    first = journal.save(appeal(text="первым кодом"))
    journal.settle([Outcome(1, "applied", q=1)], durable=0)
    journal.fork(identity(code="bbbbbb"))
    journal.save(appeal(text="вторым"))
    edited(journal, first.id, address="вторым")
    journal.settle([Outcome(1, "applied", q=2), Outcome(2, "rejected", w="locked")], durable=0)
    journal.fork(identity(code="cccccc"))
    third = journal.save(appeal(text="третьим"))
    edited(journal, "bbbbbb:1", address="третьим")

    newest, oldest = journal.formers()
    assert (newest.identity.code, newest.to, oldest.identity.code) == ("bbbbbb", 3, "k7q2mx")
    for _ in range(2):  # killed once in between
        journal.lacking(oldest, 1)
        journal.settle_as(oldest, restored.push(oldest.identity, journal.waiting_as(oldest, 9)))
    journal.start_over(msgspec.structs.replace(identity(code="dddddd"), epoch="epoch-2"))
    assert [each.identity.code for each in journal.formers()] == ["k7q2mx"]
    waiting = journal.outbox(9)
    assert [operation.was for operation in waiting] == ["bbbbbb:1", "bbbbbb:2", third.id, "cccccc:2"]
    assert [operation.c for operation in waiting] == ["", "k7q2mx:1", "", "dddddd:1"]
    assert journal.attention() == [], "nobody has judged it in this lineage yet"
    restored.answer(journal)
    assert {card.id: card for card in journal.active()} == restored.cards
    assert {card.value("text"): card.value("address") for card in journal.active()} == {
        "первым кодом": "вторым",
        "вторым": "третьим",
        "третьим": "",
    }
    assert (journal.unsent(), journal.attention()) == (0, [])


@pytest.mark.parametrize("way", ["snapshot", "missing", "now", "day"])
def test_a_card_that_came_again_under_another_id_in_whatever_way_is_there_once(
    journal: Journal, copy: Journal, server: Server, restored: Server, way: str
) -> None:
    copy.save(appeal(text="копии"))
    server.answer(copy)
    journal.receive(server.events_after(journal.cursors()))
    lost(copy, journal)
    edited(journal, NUMBER, address="дописано здесь")
    forked(copy)
    restored.answer(copy)
    (card,) = restored.cards.values()
    if way == "snapshot":
        journal.begin_snapshot("26/tf", "epoch-2")
        journal.put_snapshot([card], 1)
        journal.end_snapshot("26/tf", 1)
    elif way == "missing":
        assert journal.take_missing([], 0, [card]) == [RETURNED]
    elif way == "day":
        assert journal.take_day("26/tf", day_of(card.created), 0, [card]) == sorted([NUMBER, RETURNED])
    else:
        now = Event(
            "26/tf", 1, CARD_NOW, f"{RETURNED}>26/tf", 1, card.created, RETURNED, {"card": msgspec.to_builtins(card)}
        )
        journal.receive([now])
    assert texts(journal) == {RETURNED: "копии"}
    (waiting,) = journal.outbox(9)
    assert (waiting.c, waiting.x) == (RETURNED, {"address": "дописано здесь"})


def test_what_a_copy_had_returned_gives_way_when_it_comes_under_the_id_it_was_made_with(
    journal: Journal, copy: Journal, server: Server, restored: Server
) -> None:
    """Seed 657448: the server was lost once more, and this time the first journal was the first to return it."""
    copy.save(appeal(text="копии"))
    server.answer(copy)
    lost(copy, journal)
    forked(copy)
    restored.answer(copy)
    journal.receive(restored.events_after(journal.cursors()))
    assert texts(journal) == {RETURNED: "копии"}
    journal.rewind(1, "epoch-3")
    edited(journal, RETURNED, address="дописано здесь")
    journal.receive(server.events_after(journal.cursors()))
    assert texts(journal) == {NUMBER: "копии"}
    assert [operation.c for operation in journal.outbox(9)] == [NUMBER]


@pytest.mark.parametrize("other", [{"text": "другое"}, {"call": "c-2"}])
def test_two_appeals_of_one_number_and_one_stamp_are_two(
    journal: Journal, copy: Journal, server: Server, restored: Server, other: dict[str, str]
) -> None:
    """Copies of a journal whose clocks stood alike."""
    copy.save(appeal(text="копии"))
    server.answer(copy)
    journal.receive(server.events_after(journal.cursors()))
    lost(copy, journal)
    forked(copy)
    restored.answer(copy)
    (event,) = restored.events_after({"26/tf": 0})
    change = {**event.x, "set": {**event.x["set"], **other}}
    journal.receive([msgspec.structs.replace(event, x=change)])
    assert set(texts(journal)) == {NUMBER, RETURNED}


def test_an_appeal_whose_stamp_was_too_far_ahead_is_known_by_the_id_it_had(
    journal: Journal, copy: Journal, server: Server, restored: Server
) -> None:
    """Its desk's clock runs ahead: the server put another instant there each time it took it."""
    copy.save(appeal(text="копии"))
    server.answer(copy)
    journal.receive(server.events_after(journal.cursors()))
    lost(copy, journal)
    edited(journal, NUMBER, address="дописано здесь")
    forked(copy)
    restored.answer(copy)
    (event,) = restored.events_after({"26/tf": 0})
    journal.receive([msgspec.structs.replace(event, at=next_stamp(event.at, 0))])
    assert texts(journal) == {RETURNED: "копии"}
    assert [operation.c for operation in journal.outbox(9)] == [RETURNED]


def test_where_another_copy_was_quicker_at_the_restored_server_ours_goes_on_from_there_in_its_order(
    journal: Journal, restored: Server
) -> None:
    """The fault simulator's seed 699504: the copies part earlier in this lineage than they did in the lost one."""
    for text in ("одно", "другое", "третье"):
        journal.save(appeal(text=text))
    journal.settle([Outcome(n, "applied", q=n) for n in (1, 2, 3)], durable=0)
    journal.fork(identity(code="bbbbbb"))
    edited(journal, "k7q2mx:2", address="к другому")

    (former,) = journal.formers()
    journal.lacking(former, 1)
    former = journal.parted(former, 2)
    assert [operation.n for operation in journal.waiting_as(former, 9)] == [1]
    with pytest.raises(ValueError, match="2 is not of"):
        journal.parted(former, 2)
    journal.settle_as(former, restored.push(former.identity, journal.waiting_as(former, 9)))
    journal.start_over(msgspec.structs.replace(identity(code="cccccc"), epoch="epoch-2"))
    assert [(each.identity.code, each.to) for each in journal.formers()] == [("k7q2mx", 2)]
    assert [operation.was for operation in journal.outbox(9)] == ["k7q2mx:2", "k7q2mx:3", "bbbbbb:1"]
    restored.answer(journal)
    assert {card.id: card for card in journal.active()} == restored.cards
    shown = {card.value("text"): card.value("address") for card in restored.cards.values()}
    assert shown == {"одно": "", "другое": "к другому", "третье": ""}
    assert (journal.unsent(), journal.attention()) == (0, [])


@pytest.mark.parametrize(("durable", "waiting"), [(0, [1, 2, 3]), (2, [3])])
def test_what_no_copy_held_of_a_former_number_is_asked_about_also_when_the_server_has_something_there(
    journal: Journal, durable: int, waiting: list[int]
) -> None:
    """It may be another copy's of this journal: only the server can tell."""
    for text in ("одно", "другое", "третье"):
        journal.save(appeal(text=text))
    journal.settle([Outcome(n, "applied", q=n) for n in (1, 2, 3)], durable=durable)
    journal.fork(identity(code="bbbbbb"))
    (former,) = journal.formers()
    assert (former.to, former.durable) == (4, durable)
    journal.lacking(former, 4)
    assert [operation.n for operation in journal.waiting_as(former, 9)] == waiting


def test_two_servers_each_older_than_the_last_have_what_they_lack_in_the_order_it_was_made(
    journal: Journal, restored: Server
) -> None:
    """The return to the first one was not finished when it was replaced by one that knew still less."""
    for n, code in enumerate(("bbbbbb", "cccccc", "dddddd"), 1):
        journal.save(appeal(text=str(n)))
        journal.settle([Outcome(1, "applied", q=n)], durable=0)
        journal.fork(identity(code=code))
    newest, middle, oldest = journal.formers()
    assert [each.identity.code for each in (newest, middle, oldest)] == ["cccccc", "bbbbbb", "k7q2mx"]
    journal.lacking(middle, 1)
    journal.lacking(oldest, 1)
    journal.settle_as(oldest, restored.push(oldest.identity, journal.waiting_as(oldest, 9)))
    journal.start_over(msgspec.structs.replace(identity(code="eeeeee"), epoch="epoch-2"))
    assert [operation.was for operation in journal.outbox(9)] == ["bbbbbb:1", "cccccc:1"]
