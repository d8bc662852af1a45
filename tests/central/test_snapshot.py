"""The appeals as they stand: whole or from where a line broke off, by the organisation that asks, and no other's."""

from __future__ import annotations

import hashlib
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
import zstandard
from httpx import Response

from central import snapshot as made
from central.snapshot import cards_of
from central.store import tables as t
from central.store.database import Database
from central.store.engine import CONNECTIONS, postgres_engine
from operator_tui.appeals.card import Card
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.people import Role
from operator_tui.sync.packing import unpack
from operator_tui.sync.protocol import CARDS_PATH, SNAPSHOT_PATH, CardsAnswer
from tests.central.desks import Desk, Office
from tests.central.test_organisations import FIRST, FUND, SECRETS, _move


def fetched(desk: Desk, stream: str = FUND, **headers: str) -> Response:
    bearer = {"Authorization": f"Bearer {desk.identity.token}"}
    response: Any = desk.client.get(f"{SNAPSHOT_PATH}/{stream}", headers={**bearer, **headers})
    return response


def read(content: bytes) -> tuple[dict[str, Any], list[Card]]:
    lines = zstandard.ZstdDecompressor().decompressobj().decompress(content).splitlines()
    return json.loads(lines[0]), [msgspec.json.decode(line, type=Card) for line in lines[1:]]


def new(desk: Desk, **fields: Any) -> str:
    operation = desk.new_card(**fields)
    desk.send(operation)
    return desk.card_id(operation)


def test_the_cards_as_they_stand_and_the_event_behind_them(office: Office, desk: Desk) -> None:
    ids = [new(desk, text=f"вопрос {place}") for place in range(3)]
    desk.send(desk.operation("card.set", {"address": "Ставрополь"}, card=ids[0]))
    response = fetched(desk)
    assert response.status_code == 200
    assert response.headers["etag"] == f'"{hashlib.sha256(response.content).hexdigest()}"'
    top, cards = read(response.content)
    assert top == {"s": FUND, "e": desk.identity.epoch, "q": 4}
    assert [card.id for card in cards] == ids
    assert cards[0].value("address") == "Ставрополь"
    assert cards[0] == msgspec.convert(office.card(ids[0]), Card)


def test_a_cut_line_goes_on_where_it_was(desk: Desk) -> None:
    new(desk)
    whole = fetched(desk)
    tag = whole.headers["etag"]
    rest = fetched(desk, **{"Range": "bytes=100-", "If-Range": tag})
    assert (rest.status_code, rest.content) == (206, whole.content[100:])
    assert rest.headers["content-range"] == f"bytes 100-{len(whole.content) - 1}/{len(whole.content)}"
    other = fetched(desk, **{"Range": "bytes=100-", "If-Range": '"another"'})
    assert (other.status_code, other.content) == (200, whole.content)
    assert fetched(desk, Range="bytes=999999999-").status_code == 200


@pytest.mark.parametrize("stream", [FIRST, "26/ref", "26/audit", "26/tf%2Fwork", "77/tf"])
def test_another_organisations_are_not_to_be_had(desk: Desk, stream: str) -> None:
    assert fetched(desk, stream).status_code in (400, 404)


def test_what_is_finished_long_ago_is_left_out_and_asked_for_by_name(office: Office, desk: Desk) -> None:
    judge = office.desk("Судья", Role.ADMINISTRATOR)
    old, kept = new(desk), new(desk)
    assert _move(office, desk, old, "close", result="R01", comment="Разъяснено").states == ["applied"]
    assert _move(office, judge, old, "approve").states == ["applied"]
    office.clock.advance(70 * 86_400)
    top, cards = read(fetched(desk).content)
    assert ([card.id for card in cards], top["q"]) == ([kept], 4)
    bearer = {"Authorization": f"Bearer {desk.identity.token}"}
    asked = {"v": 1, "s": FUND, "ids": [old, "nobody:1", "a\0"]}
    response = desk.client.post(CARDS_PATH, json=asked, headers=bearer)
    answer = msgspec.json.decode(_plain(response), type=CardsAnswer)
    assert ([card.id for card in answer.cards], answer.head) == ([old], 4)


def _plain(response: Any) -> bytes:
    """httpx unpacks zstd where it can."""
    content: bytes = response.content
    return unpack(content) if content.startswith(zstandard.FRAME_HEADER) else content


def test_what_was_sent_elsewhere_is_a_stub_there_too(office: Office, desk: Desk) -> None:
    office.desk("Смирнов", Role.INSURER_2, FIRST)
    card = new(desk, **SECRETS)
    _move(office, desk, card, "send", to=FIRST)
    _, (stub,) = read(fetched(desk).content)
    assert (stub.id, stub.stream) == (card, FIRST)
    assert not {*SECRETS} & stub.fields.keys()


def test_what_is_open_elsewhere_stays_known_however_long_it_takes(office: Office, desk: Desk) -> None:
    office.desk("Смирнов", Role.INSURER_2, FIRST)
    card = new(desk, **SECRETS)
    _move(office, desk, card, "send", to=FIRST)
    office.clock.advance(70 * 86_400)
    _, stubs = read(fetched(desk).content)
    assert [(stub.id, stub.stream) for stub in stubs] == [(card, FIRST)]
    assert read(fetched(office.desk("Чужой", organisation="05/tf"), "05/tf").content)[1] == []


def test_one_is_made_for_many_and_anew_when_it_is_far_behind(
    office: Office, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(made, "_BEHIND", 1)
    new(desk)
    first = fetched(desk).headers["etag"]
    new(desk)
    assert fetched(desk).headers["etag"] == first, "one event behind it is good enough"
    new(desk)
    assert fetched(desk).headers["etag"] != first


def test_the_first_event_of_two_months_is_found_in_a_few_looks(office: Office, desk: Desk) -> None:
    for _ in range(20):
        new(desk)
        office.clock.advance(86_400)
    with office.database.read() as connection:
        received = list(connection.execute(sa.select(t.event.c.received_at).order_by(t.event.c.seq)).scalars())
        for place, at in enumerate(received, 1):
            assert made._first_since(connection, FUND, len(received), at) == place
        assert made._first_since(connection, FUND, len(received), received[-1] + 1) == len(received) + 1


def test_who_waits_for_one_keeps_nobody_else_waiting(
    office: Office, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A morning: more desks than the server has threads ask for the snapshot while it is made."""
    begun, go_on, make = threading.Event(), threading.Event(), made.make

    def slow(*given: Any) -> made.Snapshot:
        begun.set()
        assert go_on.wait(300)
        return make(*given)

    monkeypatch.setattr(made, "make", slow)
    with ThreadPoolExecutor(2 * CONNECTIONS) as desks:
        asking = [desks.submit(fetched, desk) for _ in range(2 * CONNECTIONS - 1)]
        assert begun.wait(300)
        work = desks.submit(desk.send, desk.new_card())
        try:
            assert work.result(120).states == ["applied"]
        finally:
            go_on.set()
        assert {each.result(300).status_code for each in asking} == {200}


def test_a_database_that_is_away_is_told_as_such() -> None:
    database = Database(postgres_engine("postgresql://127.0.0.1:1/none"))
    with pytest.raises(Refusal) as refused:
        cards_of(database, FUND, ["a:1"])
    assert refused.value.code is Code.DATABASE_AWAY
    database.close()
