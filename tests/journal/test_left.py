"""Who goes to another organisation sees none of the former one's appeals, and loses nothing he has not sent."""

from __future__ import annotations

import msgspec
import pytest

from operator_tui.appeals.operations import Kind
from operator_tui.journal.device import DeviceIdentity
from operator_tui.journal.journal import Journal
from tests.journal.making import STREAM, Server, appeal, identity

OTHER = "26/smo-26001"


def at(organisation: str) -> DeviceIdentity:
    operator = msgspec.structs.replace(identity().operator, organisation=organisation)
    return msgspec.structs.replace(identity(), operator=operator)


@pytest.fixture
def sent(journal: Journal, server: Server) -> str:
    """An appeal of the former organisation's, taken by its server."""
    card = journal.save(appeal(surname="Тайная", phone="+7 8652 000777", text="о чём спросила"))
    journal.record(Kind.REPORTED, {"id": "r1", "kind": "help", "number": "+7 8652 000777"})
    server.answer(journal)
    assert journal.search("тайная")
    assert journal.reports()
    return card.id


def test_the_former_organisations_appeals_are_gone(journal: Journal, server: Server, sent: str) -> None:
    journal.enrol(at(OTHER))
    assert (journal.active(), journal.search("тайная"), journal.search("8652000777")) == ([], [], [])
    assert (journal.history(phone="+7 8652 000777"), journal.card(sent)) == ([], None)
    assert journal.reports() == []
    assert journal.cursors() == {OTHER: 0}
    journal.enrol(at(STREAM))
    journal.receive(server.events_after(journal.cursors()))
    assert [card.id for card in journal.active()] == [sent], "who comes back reads it again"


def test_what_was_not_sent_stays_until_it_is_judged(journal: Journal, server: Server, sent: str) -> None:
    unsent = journal.save(appeal(surname="Неотправленная"))
    journal.enrol(at(OTHER))
    assert [card.id for card in journal.active()] == [unsent.id]
    assert journal.unsent() == 1
    server.answer(journal)
    assert (journal.unsent(), [card.id for card in journal.active()]) == (0, [unsent.id])


def test_another_role_of_the_same_organisation_changes_nothing(journal: Journal, sent: str) -> None:
    known = journal.cursors()
    journal.enrol(msgspec.structs.replace(at(STREAM), token="fresh"))
    assert ([card.id for card in journal.active()], journal.cursors()) == ([sent], known)
