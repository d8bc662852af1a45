"""Sums and days are of one moment: what they say they stand behind, and nothing that came while they were read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from central.api import sums
from operator_tui.appeals.sums import day_of
from operator_tui.sync.dictionary import dictionaries
from operator_tui.sync.packing import unpack
from operator_tui.sync.protocol import DAY_PATH, SUMS_PATH, DayAnswer, StreamEnd, SumsAnswer
from tests.central.desks import Desk, Office

FUND = "26/tf"


def asked(desk: Desk, path: str, **about: Any) -> bytes:
    headers = {"Authorization": f"Bearer {desk.identity.token}"}
    response = desk.client.post(path, json={"v": 1, "s": FUND, **about}, headers=headers)
    assert response.status_code == 200, response.text
    return unpack(response.content, dictionaries=dictionaries().values())


def test_a_card_that_changes_meanwhile_is_not_ahead_of_what_is_told(
    office: Office, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = desk.new_card()
    desk.send(made)
    card, other = desk.card_id(made), office.desk("Другая")
    day = day_of(str(office.card(card)["created"]))
    before = msgspec.json.decode(asked(desk, SUMS_PATH, q=1, since=0), type=SumsAnswer)
    assert before.days.keys() == {day}
    words = iter(("первое", "второе"))
    look = sums.heads

    def meanwhile(connection: sa.Connection, streams: Sequence[str]) -> dict[str, StreamEnd]:
        found = look(connection, streams)
        other.send(other.operation("card.set", {"comment": next(words)}, card=card))
        return found

    monkeypatch.setattr(sums, "heads", meanwhile)
    assert msgspec.json.decode(asked(desk, SUMS_PATH, q=1, since=0), type=SumsAnswer) == before
    answer = msgspec.json.decode(asked(desk, DAY_PATH, day=day), type=DayAnswer)
    assert (answer.head, [one.rev for one in answer.cards]) == (2, [2])
    assert office.card(card)["rev"] == 3
