"""A journal that takes the appeals as they stand, and asks for the single ones it lacks."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from operator_tui.appeals.card import Status
from operator_tui.appeals.draft import draft_of
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.hlc import stamp_ms
from operator_tui.appeals.operations import Event, Kind
from operator_tui.journal.journal import Journal
from tests.journal.making import STREAM, Server, appeal, open_journal


def worked_on(server: Server, colleague: Journal, count: int) -> list[str]:
    """A colleague's appeals at the centre."""
    ids = [colleague.save(appeal(text=f"вопрос{place}")).id for place in range(count)]
    server.answer(colleague)
    return ids


def begin(journal: Journal) -> None:
    assert journal.device is not None
    journal.begin_snapshot(STREAM, journal.device.epoch)


def take(journal: Journal, server: Server, ids: list[str]) -> None:
    head = len(server.streams[STREAM])
    begin(journal)
    journal.put_snapshot([server.cards[id_] for id_ in ids], head)
    journal.end_snapshot(STREAM, head)


def test_it_goes_on_behind_it_as_if_it_had_read_everything(
    journal: Journal, colleague: Journal, server: Server
) -> None:
    ids = worked_on(server, colleague, 5)
    take(journal, server, ids)
    assert journal.cursors()[STREAM] == 5
    assert {card.id for card in journal.active()} == set(ids)
    card = colleague.card(ids[0])
    assert card is not None
    draft = draft_of(card)
    draft.fields["address"] = "Ставрополь"
    colleague.save(draft)
    server.answer(colleague)
    server.answer(journal)
    assert journal.card(ids[0]) == server.cards[ids[0]]
    assert [found.id for found in journal.search("вопрос3")] == [ids[3]]


def test_what_waits_here_stays_and_is_folded_over_it(journal: Journal, colleague: Journal, server: Server) -> None:
    ids = worked_on(server, colleague, 2)
    own = journal.save(appeal(text="моё"))
    take(journal, server, ids)
    assert {card.id for card in journal.active()} == {own.id, *ids}
    server.answer(journal)
    assert (journal.unsent(), journal.card(own.id)) == (0, server.cards[own.id])


def test_events_wait_until_it_is_whole_also_over_a_kill(
    journal: Journal, colleague: Journal, server: Server, tmp_path: Path
) -> None:
    ids = worked_on(server, colleague, 3)
    begin(journal)
    journal.put_snapshot([server.cards[ids[0]]], 3)
    journal.close()
    again = open_journal(tmp_path)
    assert again.taking_snapshot == STREAM
    assert again.receive(server.events_after({STREAM: 0})) == []
    assert again.cursors()[STREAM] == 0
    again.give_up_snapshot()
    assert set(again.receive(server.events_after({STREAM: 0}))) == set(ids)
    assert all(again.card(id_) == server.cards[id_] for id_ in ids)
    again.close()


def test_what_was_open_here_and_is_finished_there_is_open_no_more(
    journal: Journal, colleague: Journal, server: Server
) -> None:
    ids = worked_on(server, colleague, 3)
    journal.receive(server.events_after({STREAM: 0}))
    take(journal, server, ids[:2])
    assert {card.id for card in journal.active()} == set(ids[:2])
    assert journal.counts()[Status.IN_WORK] == 2


def test_an_act_that_is_answered_while_it_is_taken_is_not_folded_over_it_for_ever(
    journal: Journal, colleague: Journal, server: Server
) -> None:
    """The line broke behind the act: it is in the snapshot, and its answer comes in the middle of the taking."""
    ids = worked_on(server, colleague, 1)
    server.answer(journal)
    change(journal, ids[0], address="Ставрополь")
    device = journal.device
    assert device is not None
    outcomes = server.push(device, journal.outbox(10))
    server.answer(colleague)
    change(colleague, ids[0], address="Пятигорск")
    server.answer(colleague)
    head = len(server.streams[STREAM])
    begin(journal)
    journal.put_snapshot([server.cards[ids[0]]], head)
    journal.settle(outcomes, durable=0)
    assert journal.end_snapshot(STREAM, head) == ids
    assert journal.card(ids[0]) == server.cards[ids[0]]


def change(journal: Journal, card_id: str, **fields: str) -> None:
    card = journal.card(card_id)
    assert card is not None
    draft = draft_of(card)
    draft.fields.update(fields)
    journal.save(draft)


def test_something_about_a_card_that_is_not_here_asks_for_it(
    journal: Journal, colleague: Journal, server: Server
) -> None:
    ids = worked_on(server, colleague, 2)
    take(journal, server, ids[:1])
    card = colleague.card(ids[1])
    assert card is not None
    draft = draft_of(card)
    draft.fields["address"] = "Ставрополь"
    colleague.save(draft)
    server.answer(colleague)
    server.answer(journal)
    assert (journal.missing_cards(), journal.card(ids[1])) == ([ids[1]], None)
    head = journal.cursors()[STREAM]
    assert journal.take_missing([ids[1]], head - 1, [server.cards[ids[1]]]) is None
    assert journal.take_missing([ids[1]], head, [server.cards[ids[1]]]) == [ids[1]]
    assert (journal.missing_cards(), journal.card(ids[1])) == ([], server.cards[ids[1]])


def test_a_card_the_centre_does_not_tell_of_is_not_asked_for_for_ever(journal: Journal) -> None:
    change = {"set": {"text": "x"}}
    journal.receive([Event(STREAM, 1, "card.set", "zzzzzz:9", 1, "01a0c9a1f0000000", "zzzzzz:1", change)])
    assert journal.missing_cards() == ["zzzzzz:1"]
    assert journal.take_missing(["zzzzzz:1"], 1, []) == []
    assert journal.missing_cards() == []


def test_what_is_written_over_it_is_later_than_it(journal: Journal, colleague: Journal, server: Server) -> None:
    """The colleague's clock is a minute ahead of ours."""
    (id_,) = worked_on(server, colleague, 1)
    made = server.cards[id_]
    ahead = f"{(stamp_ms(made.created) + 60_000) << 16:016x}"
    server.cards[id_] = msgspec.structs.replace(
        made, stamps={field: (op, ahead) for field, (op, _) in made.stamps.items()}
    )
    take(journal, server, [id_])
    change(journal, id_, address="Ставрополь")
    assert journal.outbox(10)[-1].at > ahead


def test_a_snapshot_of_a_lineage_that_is_lost_goes_no_further(
    journal: Journal, colleague: Journal, server: Server
) -> None:
    ids = worked_on(server, colleague, 3)
    begin(journal)
    journal.put_snapshot([server.cards[ids[0]]], 3)
    journal.rewind(1, "another")  # the server was restored meanwhile
    with pytest.raises(Refusal) as refused:
        journal.put_snapshot([server.cards[ids[1]]], 3)
    assert refused.value.code is Code.SERVER_AWAY
    with pytest.raises(Refusal) as refused:
        journal.end_snapshot(STREAM, 3)
    assert refused.value.code is Code.SERVER_AWAY
    assert journal.cursors()[STREAM] == 0, "its places mean nothing in the other one"
    assert journal.taking_snapshot == STREAM, "and it is taken anew"


def test_what_has_arrived_of_it_outlives_a_kill(journal: Journal, tmp_path: Path) -> None:
    journal.keep_snapshot("tag", 0, b"one")
    journal.keep_snapshot("tag", 3, b"two")
    journal.close()
    again = open_journal(tmp_path)
    assert (again.snapshot_arrived(), again.snapshot_content()) == (("tag", 6), b"onetwo")
    for tag, start in (("another", 6), ("tag", 3)):
        with pytest.raises(Refusal) as refused:
            again.keep_snapshot(tag, start, b"three")
        assert refused.value.code is Code.SERVER_AWAY
    again.keep_snapshot("another", 0, b"four")
    assert (again.snapshot_arrived(), again.snapshot_content()) == (("another", 4), b"four")
    again.close()


def test_files_that_lie_here_wait_again_when_the_server_is_another(journal: Journal) -> None:
    for call in ("c1", "c2"):
        journal.record(Kind.CALL_RECORDED, {"call": call, "file": f"{call}.otr", "sha256": call * 32, "size": 5})
        journal.file_there(call * 32)
    journal.file_let_go("c1" * 32)
    assert journal.files_waiting() == []
    journal.rewind(1, "another")
    assert [one.call for one in journal.files_waiting()] == ["c2"], "of the other nothing is left to send"
