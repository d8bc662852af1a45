"""Appeals that another organisation works on: what the journal is told of them stands on the desk."""

from __future__ import annotations

import msgspec
import pytest

from operator_tui.appeals.card import Status
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.lifecycle import Act
from operator_tui.appeals.operations import CARD_NOW, Event
from operator_tui.appeals.organisations import STUB, WHOLE, view
from operator_tui.journal.journal import Journal
from tests.journal.making import STREAM, Server, appeal

OTHER = "26/smo-26001"


def _told(journal: Journal, server: Server, how: str, status: Status) -> str:
    """An appeal of ours was sent to the insurer, and this is what we are told."""
    card = journal.save(appeal(text="о чём спросила", surname="Тайная"))
    server.answer(journal)
    known = server.cards[card.id]
    there = msgspec.structs.replace(known, stream=OTHER, status=status, shared={STREAM: how}, rev=known.rev + 1)
    at = journal.cursors()[STREAM]
    body = {"card": msgspec.to_builtins(view(there, STREAM, how))}
    event = Event(s=STREAM, q=at + 1, k=CARD_NOW, op=f"aaaaaa:7>{STREAM}", by=1, at=known.created, c=card.id, x=body)
    assert journal.receive([event, event]) == [card.id]
    assert journal.cursors()[STREAM] == at + 1
    return card.id


def test_a_stub_shows_type_and_status_and_nothing_of_the_caller(journal: Journal, server: Server) -> None:
    card = journal.card(_told(journal, server, STUB, Status.IN_REVIEW))
    assert card is not None
    assert (card.stream, card.status) == (OTHER, Status.IN_REVIEW)
    assert card.value("type")
    assert not card.value("surname")
    assert not card.value("text")


def test_a_stub_is_not_worked_on(journal: Journal, server: Server) -> None:
    card_id = _told(journal, server, STUB, Status.IN_WORK)
    with pytest.raises(Refusal) as caught:
        journal.move(card_id, Act.TAKE, {})
    assert caught.value.code is Code.CARD_ELSEWHERE


def test_what_the_fund_is_shown_is_whole(journal: Journal, server: Server) -> None:
    card = journal.card(_told(journal, server, WHOLE, Status.IN_REVIEW))
    assert card is not None
    assert (card.value("surname"), card.status) == ("Тайная", Status.IN_REVIEW)


def test_what_a_newer_server_says_in_another_form_is_passed_over(journal: Journal) -> None:
    event = Event(s=STREAM, q=1, k=CARD_NOW, op=f"aaaaaa:7>{STREAM}", by=1, at="0" * 16, c="aaaaaa:7", x={"card": 7})
    assert journal.receive([event]) == []
    assert journal.cursors()[STREAM] == 1
