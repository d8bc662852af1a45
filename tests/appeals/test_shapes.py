"""Whatever JSON an operation carries, the rules answer with a change or a refusal and never with an error of ours."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from operator_tui.appeals.card import FIELDS
from operator_tui.appeals.catalogue import Catalogue
from operator_tui.appeals.decide import MAX_DEPTH, MAX_NUMBER, apply, decide
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.lifecycle import Act
from operator_tui.appeals.operations import REQUIRED_KEYS, Change, Kind, Operation
from operator_tui.appeals.people import Role
from tests.appeals.making import ADMINISTRATOR, OPERATOR, Bench, actor, operation, stamp, theme_of

_SCALAR = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
_JSON = st.recursive(
    _SCALAR, lambda deeper: st.lists(deeper, max_size=3) | st.dictionaries(st.text(max_size=5), deeper, max_size=3)
)
_KEYS = sorted({*FIELDS, *(key for keys in REQUIRED_KEYS.values() for key in keys), "deadline", "operator", "status"})
_PLAUSIBLE = st.sampled_from(["R01", "R04", "Жалоба", "Консультация", "2026-10-01", "2001", *map(str, Act)])


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(list(Kind)),
    given_x=st.dictionaries(st.sampled_from(_KEYS), _PLAUSIBLE | _JSON, max_size=6),
    act=st.sampled_from(list(Act)),
    role=st.sampled_from(list(Role)),
)
def test_only_a_change_or_a_refusal(bench: Bench, kind: Kind, given_x: dict[str, Any], act: Act, role: Role) -> None:
    if bench.card is None:
        bench.do(Kind.CARD_NEW, theme_of(bench.catalogue))
    card = bench.card
    assert card is not None
    x = {"act": act.value, **given_x} if kind is Kind.CARD_MOVE else given_x
    if kind is Kind.CARD_NEW:
        x = {**theme_of(bench.catalogue), **x}
    written = {"status": card.stamps["status"][0]}
    asked = Operation(n=9, k=kind.value, at=stamp(9), c=card.id, z="Europe/Moscow", b=written, x=x)
    before = None if kind is Kind.CARD_NEW else card
    try:
        change = decide(before, asked, actor(role), bench.catalogue)
    except Refusal:
        return
    after = apply(before, change, op="aaaaaa:9", at=asked.at, by=1944, stream=card.stream)
    msgspec.json.encode(after)


@pytest.mark.parametrize(
    "value",
    [MAX_NUMBER + 1, -MAX_NUMBER - 1, [[[[[[[[[0]]]]]]]]], {"a": [MAX_NUMBER + 1]}, ["x" * 200_000]],
    ids=["large", "small", "deep", "large_inside", "long_inside"],
)
def test_what_no_column_can_hold_is_refused(catalogue: Catalogue, value: object) -> None:
    with pytest.raises(Refusal) as caught:
        decide(None, operation(1, Kind.CALL_ENDED, {"call": "1", "by": "caller", "more": value}), OPERATOR, catalogue)
    assert (caught.value.code, caught.value.params) == (Code.FIELD_INVALID, {"field": "more"})


def test_what_a_newer_desk_adds_is_taken(catalogue: Catalogue) -> None:
    deep: Any = "end"
    for _ in range(MAX_DEPTH):
        deep = [deep]
    more = operation(1, Kind.CARD_OPENED, {"more": deep, "much": MAX_NUMBER})
    assert decide(None, more, OPERATOR, catalogue) == Change()
    more.x["more"] = [deep]
    with pytest.raises(Refusal) as refused:
        decide(None, more, OPERATOR, catalogue)
    assert refused.value.code is Code.FIELD_INVALID


@pytest.mark.parametrize("named", ["9" * 5000, "9" * 16, "-1", "1.5", "²"])
def test_nobody_has_such_a_number(bench: Bench, named: str) -> None:
    bench.do(Kind.CARD_NEW, theme_of(bench.catalogue))
    assert bench.card is not None
    written = {"status": bench.card.stamps["status"][0]}
    with pytest.raises(Refusal) as caught:
        bench.do(Kind.CARD_MOVE, {"act": "reassign", "operator": named}, who=ADMINISTRATOR, b=written)
    assert (caught.value.code, caught.value.params) == (Code.FIELD_INVALID, {"field": "operator"})
