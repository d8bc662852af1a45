"""What the screens read."""

from __future__ import annotations

import pytest

from operator_tui.appeals.card import Status
from operator_tui.appeals.clock import ManualClock
from operator_tui.appeals.draft import draft_of
from operator_tui.appeals.lifecycle import Act
from operator_tui.appeals.operations import Kind
from operator_tui.journal.finding import match_query, normal, phone_key
from operator_tui.journal.journal import Journal
from tests.journal.making import Server, appeal

CLOSING = {"result": "R02", "comment": "Дан ответ"}


def found(journal: Journal, text: str) -> list[str]:
    return [card.value("surname") for card in journal.search(text)]


def test_the_home_list_has_what_is_not_finished_newest_first(journal: Journal, clock: ManualClock) -> None:
    ids = []
    for _ in range(5):
        clock.advance(60)
        ids.append(journal.save(appeal()).id)
    journal.move(ids[1], Act.CLOSE, CLOSING)
    assert [card.id for card in journal.active()] == ids[::-1]
    assert [card.id for card in journal.active(limit=2, offset=1)] == [ids[3], ids[2]]
    assert [card.id for card in journal.active(status=Status.IN_REVIEW)] == [ids[1]]
    assert journal.active(status=Status.CLOSED) == []
    assert journal.counts() == {
        Status.IN_WORK: 4,
        Status.DEFERRED: 0,
        Status.IN_REVIEW: 1,
        Status.CLOSED: 0,
        Status.VOID: 0,
    }


@pytest.mark.parametrize(
    "typed",
    ["Ковалёва", "ковалева", "КОВАЛ", "ковал анна", "анна ковалёв", "Ковалева А", "поликлин", "номерок ковал", "йод"],
)
def test_words_find_by_their_beginnings(journal: Journal, typed: str) -> None:
    journal.save(
        appeal(surname="Ковалёва", name="Анна", text="Не дают номерок в поликлинике", comment="Йодный раствор")
    )
    journal.save(appeal(surname="Иванов", name="Пётр"))
    assert found(journal, typed) == ["Ковалёва"]


@pytest.mark.parametrize("typed", ["", "   ", "!?", '"', "*", "ковалева иван", "NEAR(", "вика"])
def test_nothing_finds_nothing(journal: Journal, typed: str) -> None:
    journal.save(appeal(surname="Ковалёва"))
    assert journal.search(typed) == []


@pytest.mark.parametrize(
    "typed",
    ["+7 (8652) 01-23-45", "88652012345", "78652012345", "8652012345", "8 8652 01", "8652 01-23", "+78652012345"],
)
def test_a_telephone_is_found_however_it_is_written(journal: Journal, typed: str) -> None:
    journal.save(appeal(surname="Ковалёва", phone="+7 8652 012345"))
    journal.save(appeal(surname="Иванов", phone="+7 8652 999999"))
    assert found(journal, typed) == ["Ковалёва"]


def test_a_number_is_found_as_it_is_told(journal: Journal) -> None:
    journal.save(appeal(surname="Иванов"))
    card = journal.save(appeal(surname="Ковалёва"))
    number = card.value("number")
    for told in (number, number.replace("-", " "), number.replace("-", ""), number[:7]):
        assert "Ковалёва" in found(journal, told)
    assert found(journal, number) == ["Ковалёва"]


def test_the_search_follows_every_change(journal: Journal) -> None:
    card = journal.save(appeal(surname="Ковалёва", text="первый"))
    draft = draft_of(card)
    draft.fields |= {"surname": "Смирнова", "text": "второй"}
    journal.save(draft)
    assert found(journal, "ковалева") == found(journal, "первый") == []
    assert found(journal, "смирн втор") == ["Смирнова"]
    journal.move(card.id, Act.CLOSE, {"result": "R02", "comment": "выдан полис"})
    assert found(journal, "выдан") == ["Смирнова"]


def test_history_of_a_person_open_first_then_newest(journal: Journal, clock: ManualClock) -> None:
    enp = "9000012345678901"
    ids = []
    for count in range(4):
        clock.advance(60)
        ids.append(journal.save(appeal(enp=enp, phone=f"+7865200000{count}")).id)
    journal.save(appeal(enp="9000099999999999", phone="+78652111111"))
    journal.move(ids[3], Act.CLOSE, CLOSING)  # in review is still open
    assert [card.id for card in journal.history(enp=enp)] == [ids[3], ids[2], ids[1], ids[0]]
    assert [card.id for card in journal.history(enp=enp, limit=1)] == [ids[3]]
    assert [card.id for card in journal.history(phone="8 (8652) 00-00-01")] == [ids[1]]
    assert {card.id for card in journal.history(phone="+78652111111", enp=enp)} > set(ids)
    assert journal.history() == journal.history(phone="", enp="") == []


def test_finished_appeals_come_last_in_the_history(
    journal: Journal, colleague: Journal, server: Server, clock: ManualClock
) -> None:
    from operator_tui.appeals.people import Role
    from tests.journal.making import identity

    colleague.enrol(identity("zzzzzz", user=1945, role=Role.ADMINISTRATOR, number=13))
    old = journal.save(appeal(phone="+78652000001"))
    clock.advance(60)
    new = journal.save_and_close(appeal(phone="+78652000001"), CLOSING)
    server.answer(journal)
    server.answer(colleague)
    colleague.move(new.id, Act.APPROVE, {})
    server.answer(colleague)
    server.answer(journal)
    assert [(card.id, card.status) for card in journal.history(phone="+78652000001")] == [
        (old.id, Status.IN_WORK),
        (new.id, Status.CLOSED),
    ]
    assert [card.id for card in journal.active()] == [old.id]


def test_the_timeline_tells_it_in_order(
    journal: Journal, colleague: Journal, server: Server, clock: ManualClock
) -> None:
    card = journal.save(appeal(text="вопрос"))
    journal.record(Kind.ANSWER_USED, {"script": "S-01"}, card=card.id)
    server.answer(journal)
    server.answer(colleague)
    theirs = colleague.card(card.id)
    assert theirs is not None
    draft = draft_of(theirs)
    draft.fields["address"] = "Ставрополь"
    colleague.save(draft)
    server.answer(colleague)
    server.answer(journal)
    clock.advance(5)
    journal.move(card.id, Act.CLOSE, CLOSING)
    told = journal.timeline(card.id)
    assert [(entry.kind, entry.by, entry.pending) for entry in told] == [
        ("card.new", 1944, False),
        ("card.set", 1945, False),
        ("answer.used", 1944, False),
        ("card.move", 1944, True),
    ]
    assert told[1].values == {"address": "Ставрополь"}
    assert (told[3].act, told[3].values["result"]) == ("close", "R02")
    assert told[0].at_ms < told[3].at_ms == clock.now_ms()
    assert journal.timeline("k7q2mx:99") == []


def test_words_are_compared_in_one_form() -> None:
    assert normal("Ёлкин") == normal("е\u0308лкин") == "елкин"
    assert normal("Йод") == "йод" != normal("иод")
    assert phone_key("+7 (8652) 01-23-45") == phone_key("8 8652 012345") == "8652012345"
    assert match_query('анна" OR x') == '"анна"* "or"* "x"*'


def test_the_home_list_does_not_sort_what_it_does_not_show(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """160 ms at 10,000 open appeals otherwise: the plan of either list has no sorting step."""
    plans: list[str] = []
    rows = journal._store.rows

    def explained(sql: str, *values: object) -> list[tuple[object, ...]]:
        plans.append(str(rows(f"EXPLAIN QUERY PLAN {sql}", *values)))
        return rows(sql, *values)

    monkeypatch.setattr(journal._store, "rows", explained)
    journal.save(appeal())
    plans.clear()
    assert len(journal.active()) == len(journal.active(status=Status.IN_WORK)) == 1
    assert len(plans) == 2
    assert all("USING INDEX" in plan and "TEMP B-TREE" not in plan for plan in plans)


def test_a_desk_started_anew_knows_which_facts_of_a_call_it_has(journal: Journal, clock: ManualClock) -> None:
    journal.record(Kind.CALL_OFFERED, {"call": "c1"})
    journal.record(Kind.CALL_ANSWERED, {"call": "c1"})
    journal.record(Kind.CALL_ENDED, {"call": "c2", "by": "caller"})
    assert journal.recorded("c1") == {Kind.CALL_OFFERED, Kind.CALL_ANSWERED}
    clock.advance(2 * 86_400)
    assert journal.recorded("c1") == set()
