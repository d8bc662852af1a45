"""Whatever is sent, the server answers with a reason, stores nothing of it and goes on."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from central.auth import accounts
from central.store import tables as t
from operator_tui.appeals.errors import Refusal
from operator_tui.appeals.history import HISTORY_PATH
from operator_tui.sync.packing import pack
from operator_tui.sync.protocol import MAX_PLAIN, plain_operation
from tests.central.desks import Desk, Office, operator


def _plain(desk: Desk, **more: Any) -> dict[str, Any]:
    return {"v": 1, "d": desk.code, "o": [], **more}


@pytest.mark.parametrize(
    ("body", "status", "params"),
    [
        (b"no zstd at all", 400, {"reason": "broken"}),
        (b"", 400, {"reason": "broken"}),
        (zstandard.compress(b"{}" * 1000)[:-5], 400, {"reason": "json"}),
        (zstandard.compress(b"\0" * (MAX_PLAIN + 1)), 413, {"reason": "too_large", "limit": MAX_PLAIN}),
        (zstandard.compress(b'{"v":1,"d":'), 400, {"reason": "json"}),
        (zstandard.compress(b"[" * 100_000), 400, {"reason": "json"}),
        (zstandard.compress(b'{"v":1,"d":"\\ud800"}'), 400, {"reason": "json"}),
        (b"x" * 10_000_000, 413, {"reason": "too_large", "status": 413}),
    ],
    ids=["not_zstd", "empty", "cut", "bomb", "cut_json", "deep", "surrogate", "ten_megabytes"],
)
def test_a_body_that_is_none(office: Office, desk: Desk, body: bytes, status: int, params: dict[str, Any]) -> None:
    answer = desk.post(body)
    assert (answer.status, answer.refusal) == (status, {"code": "bad_request", "params": params})
    _goes_on(office, desk)


def test_ten_megabytes_of_plain_json(office: Office, desk: Desk) -> None:
    body = msgspec.json.encode(_plain(desk, o=[{"n": 1, "k": "card.new", "x": {"text": "ж" * 5_000_000}}]))
    assert desk.post(body, **{"Content-Encoding": "identity"}).status == 413
    _goes_on(office, desk)


def test_plain_json_is_taken_and_other_encodings_are_not(desk: Desk) -> None:
    body = msgspec.json.encode(_plain(desk))
    assert desk.post(body, **{"Content-Encoding": "identity"}).status == 200
    answer = desk.post(body, **{"Content-Encoding": "gzip"})
    assert (answer.status, answer.refusal["params"]["reason"]) == (415, "encoding")


def test_an_unknown_dictionary_asks_for_the_same_without_one(office: Office, desk: Desk) -> None:
    samples = [b'{"theme":"%d","phone":"%d"}' % (number, number * 7) for number in range(2000)]
    dictionary = zstandard.train_dictionary(2048, samples)
    answer = desk.post(pack(_plain(desk), dictionary))
    assert answer.status == 415
    assert answer.refusal["params"] == {"reason": "dictionary", "dictionary": dictionary.dict_id()}
    _goes_on(office, desk)


@pytest.mark.parametrize("version", [0, 3, 10**6])
def test_a_version_the_server_does_not_speak(office: Office, desk: Desk, version: int) -> None:
    answer = desk.post(pack({"v": version, "of": "another shape"}))
    assert (answer.status, answer.refusal) == (
        400,
        {"code": "protocol_version", "params": {"got": version, "spoken": [1, 2]}},
    )
    _goes_on(office, desk)


@pytest.mark.parametrize("number", [0, -1, "1", None, True, 1.5, 2**63])
def test_an_operation_without_a_number(office: Office, desk: Desk, number: object) -> None:
    answer = desk.post(pack(_plain(desk, o=[{"n": number, "k": "shift.begun"}])))
    assert (answer.status, answer.refusal["code"]) == (400, "bad_request")
    _goes_on(office, desk)


def test_too_many_operations_at_once(office: Office, desk: Desk) -> None:
    answer = desk.post(pack(_plain(desk, o=[{"n": n} for n in range(1, 102)])))
    assert (answer.status, answer.refusal["params"]["reason"]) == (400, "too_many")


def test_a_wrong_token_a_missing_one_and_another_devices(office: Office, desk: Desk) -> None:
    other = office.desk("Другая")
    body = pack(_plain(desk))
    for headers in ({"Authorization": "Bearer wrong"}, {"Authorization": ""}, {"Authorization": "Basic eA=="}):
        answer = desk.post(body, **headers)
        assert (answer.status, answer.refusal) == (401, {"code": "token_invalid", "params": {}})
    refused = other.post(body)
    assert (refused.status, refused.refusal["code"]) == (403, "device_other"), "its token, but somebody else's device"


def test_a_revoked_device_is_refused(office: Office, desk: Desk) -> None:
    office.database.write(lambda connection: connection.execute(t.device.update().values(revoked=True)))
    assert desk.send(desk.new_card()).status == 401
    assert office.rows(t.op_log) == []


def test_an_unknown_address_and_method(office: Office) -> None:
    for method, path, status in [("GET", "/", 404), ("GET", "/v1/sync", 405), ("POST", "/v1/health", 405)]:
        answer = office.client.request(method, path)
        assert (answer.status_code, answer.json()["code"]) == (status, "bad_request")


@pytest.mark.parametrize(
    ("operation", "field"),
    [
        ({"at": "not a stamp"}, "at"),
        ({"at": "0x" + "0" * 14}, "at"),
        ({"z": "Mars/Olympus"}, "z"),
        ({"z": "../../etc/passwd"}, "z"),
        ({"x": {"type": ["a"], "theme": {}}}, "type"),
        ({"x": {"type": "Жалоба", "theme": ["a"]}}, "theme"),
        ({"x": {"type": "Жалоба", "theme": "a\0b"}}, "x"),
        ({"x": {"type": "Консультация", "theme": "Ж", "text": "\0"}}, "x"),
        ({"b": {"phone": 7}}, "operation"),
        ({"x": []}, "operation"),
    ],
)
def test_an_operation_of_a_wrong_shape_is_refused_and_stored(
    office: Office, desk: Desk, operation: dict[str, Any], field: str
) -> None:
    plain = {"n": 1, "k": "card.new", "at": "0" * 16, **operation}
    answer = desk.send(plain)
    assert answer.states == ["rejected"]
    assert answer.outcomes[0].p.get("field") == field
    assert msgspec.json.decode(office.rows(t.op_log)[0].body) == plain


_DICE = random.Random(16)  # what does not compress: PostgreSQL packs an index's entry before it looks at its length


def test_a_policy_longer_than_an_index_holds_costs_nobody_the_queue(office: Office, desk: Desk) -> None:
    digits = "".join(_DICE.choices("0123456789", k=20_000))
    answer = desk.send(desk.new_card(enp=digits), desk.new_card())
    assert (answer.status, answer.states) == (200, ["applied", "applied"])
    asked = desk.client.post(
        HISTORY_PATH, json={"v": 1, "enp": digits[:9000]}, headers={"Authorization": f"Bearer {desk.identity.token}"}
    )
    assert [card["fields"]["enp"] for card in asked.json()["cards"]] == [digits]


@pytest.mark.parametrize("field", ["name", "extension"])
def test_a_person_is_called_by_a_name_that_an_index_holds(office: Office, field: str) -> None:
    long = "".join(_DICE.choices("абвгдежзиклмнопрстуфхцчшщ", k=8000))
    person = msgspec.structs.replace(operator("Петрова"), **{field: long})
    with pytest.raises(Refusal) as refused:
        accounts.add(office.database, "petrova", person, 0)
    assert refused.value.params == {"field": field}
    accounts.add(office.database, "petrova", operator("Петрова"), 0)
    with pytest.raises(Refusal) as refused:
        accounts.change(office.database, "petrova", 0, values={field: long})
    assert refused.value.params == {"field": field}


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_keys = ["type", "theme", "phone", "text", "answers", "act", "result", "operator", "status", "deadline", "call", "by"]
_values = st.sampled_from(["Жалоба", "Консультация", "close", "take", "reassign", "Ж-03.1", ["а"]]) | _json
_operations = st.fixed_dictionaries(
    {"k": st.sampled_from(["card.new", "card.set", "card.move", "call.ended", "x"]) | _json},
    optional={
        "at": st.just("0" * 16) | _json,
        "c": st.sampled_from(["", "a:1", "\0"]) | _json,
        "z": st.sampled_from(["UTC", "\0", "/"]) | _json,
        "was": _json,
        "v": _json,
        "x": st.dictionaries(st.sampled_from(_keys), _values, max_size=4) | _json,
        "b": st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2) | _json,
    },
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(_operations, min_size=1, max_size=8))
def test_no_operation_stalls_the_queue(office: Office, desk: Desk, operations: list[dict[str, Any]]) -> None:
    start = desk.send().head.next
    numbered = [{**operation, "n": start + place} for place, operation in enumerate(operations)]
    answer = desk.send(*numbered)
    assert answer.status == 200, answer.raw.text
    assert answer.head.next == start + len(operations)
    assert [outcome.n for outcome in answer.outcomes] == [operation["n"] for operation in numbered]
    assert desk.send(*numbered).outcomes == answer.outcomes


def _goes_on(office: Office, desk: Desk) -> None:
    assert office.rows(t.op_log) == []
    assert office.rows(t.event) == []
    assert desk.send(desk.new_card()).states == ["applied"]


@pytest.mark.parametrize("deep", ["text", "links"])
def test_what_is_nested_deeper_than_every_reader_follows_costs_itself_alone(
    office: Office, desk: Desk, deep: str
) -> None:
    nested = "[" * 700 + "]" * 700
    plain = plain_operation(desk.new_card(**{deep: "@"}))
    body = msgspec.json.encode(_plain(desk, o=[plain])).decode().replace('"@"', nested)
    answer = desk.post(zstandard.compress(body.encode()))
    assert (answer.status, answer.states) == (200, ["rejected"])
    assert answer.outcomes[0].p == {"field": "x"}
    assert desk.send(desk.new_card()).states == ["applied"]
