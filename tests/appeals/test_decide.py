"""What operations do to a card, and to whom they are refused."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from operator_tui.appeals.card import GUARDED_FIELDS, Card, Source, Status
from operator_tui.appeals.catalogue import AppealType, Catalogue
from operator_tui.appeals.decide import MAX_TEXT, Actor, apply, decide
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.lifecycle import Act
from operator_tui.appeals.operations import Change, Kind, Operation
from operator_tui.appeals.people import Role
from tests.appeals.making import COLLEAGUE, LEVEL_2, OPERATOR, Bench, actor, operation, stamp, theme_of


def refusal(bench: Bench, kind: Kind, x: dict[str, Any], **more: Any) -> Refusal:
    before = bench.card
    with pytest.raises(Refusal) as caught:
        bench.do(kind, x, **more)
    assert bench.card == before
    return caught.value


# making a card


@pytest.mark.parametrize("field", ["type", "theme"])
def test_a_card_needs_type_and_theme(bench: Bench, field: str) -> None:
    x = {**theme_of(bench.catalogue), field: ""}
    caught = refusal(bench, Kind.CARD_NEW, x)
    assert (caught.code, caught.params) == (Code.FIELD_REQUIRED, {"field": field})


def test_a_theme_of_another_type_is_refused(bench: Bench) -> None:
    x = {**theme_of(bench.catalogue), "type": AppealType.COMPLAINT.value}
    assert refusal(bench, Kind.CARD_NEW, x).code is Code.FIELD_INVALID


@pytest.mark.parametrize(
    "x",
    [
        {"type": "Просьба"},
        {"theme": "Ж-99.9"},
        {"type": []},
        {"theme": {"a": 1}},
        {"text": ["список"]},
        {"answers": "S-01"},
        {"text": "я" * (MAX_TEXT + 1)},
        {"deadline": "завтра"},
    ],
)
def test_values_of_a_wrong_shape_are_refused_not_raised(bench: Bench, x: dict[str, Any]) -> None:
    caught = refusal(bench, Kind.CARD_NEW, {**theme_of(bench.catalogue), **x})
    assert caught.code in (Code.FIELD_INVALID, Code.UNKNOWN_THEME)


@pytest.mark.parametrize("field", sorted(GUARDED_FIELDS | {"status", "worker"}))
def test_no_edit_writes_what_only_moves_may(bench: Bench, field: str) -> None:
    assert refusal(bench, Kind.CARD_NEW, {**theme_of(bench.catalogue), field: "R01"}).code is Code.FIELD_INVALID
    bench.new()
    assert refusal(bench, Kind.CARD_SET, {field: "R01"}).code is Code.FIELD_INVALID


def test_the_deadline_is_not_edited(bench: Bench) -> None:
    bench.new()
    assert refusal(bench, Kind.CARD_SET, {"deadline": "2031-01-01"}).params == {"field": "deadline"}


def test_a_wrong_zone_is_refused(bench: Bench, catalogue: Catalogue) -> None:
    for zone in ("Moon/Base", "../etc", "Europe"):
        right = operation(1, Kind.CARD_NEW, theme_of(catalogue))
        its_own = operation(1, Kind.CARD_NEW, {**theme_of(catalogue), "zone": zone})
        for wrong in (msgspec.structs.replace(right, z=zone), its_own):
            with pytest.raises(Refusal) as caught:
                decide(None, wrong, OPERATOR, catalogue)
            assert caught.value.code is Code.FIELD_INVALID


@pytest.mark.parametrize("source", [Source.LETTER, Source.EMAIL, Source.VISIT])
def test_level_1_makes_no_card_without_a_call(bench: Bench, source: Source) -> None:
    x = {**theme_of(bench.catalogue), "source": source.value}
    assert refusal(bench, Kind.CARD_NEW, x).code is Code.RIGHT_MISSING
    bench.do(Kind.CARD_NEW, x, who=LEVEL_2)
    assert bench.status() is Status.IN_WORK


@pytest.mark.parametrize("source", [Source.CALL, Source.HAND, Source.HOT_LINE, "", "Новый источник"])
def test_level_1_makes_cards_from_calls(bench: Bench, source: str) -> None:
    bench.new({"source": str(source)})
    assert bench.status() is Status.IN_WORK


def test_a_card_is_made_once(bench: Bench) -> None:
    bench.new()
    assert refusal(bench, Kind.CARD_NEW, theme_of(bench.catalogue)).code is Code.STALE


def test_the_deadline_follows_the_theme_when_the_desk_told_none(bench: Bench) -> None:
    card = bench.new(theme_of(bench.catalogue, AppealType.COMPLAINT))  # 30 days
    assert card.deadline == "2026-10-21"  # registered 2026-09-21, Moscow


def test_the_deadline_told_to_the_citizen_stands(bench: Bench) -> None:
    assert bench.new({"deadline": "2026-10-01"}).deadline == "2026-10-01"


def test_a_new_theme_brings_its_own_deadline_and_type(bench: Bench) -> None:
    before = bench.new(theme_of(bench.catalogue, AppealType.COMPLAINT))
    theme = next(theme for theme in bench.catalogue.themes.values() if theme.deadline_days == 3)
    after = bench.set({"theme": theme.code})
    assert after.value("type") == theme.type.value
    assert after.deadline == "2026-09-24" != before.deadline


def test_an_extension_outlives_a_change_of_theme(bench: Bench) -> None:
    bench.new(theme_of(bench.catalogue, AppealType.COMPLAINT))
    bench.move(Act.CLOSE, result="R05", comment="ждём", new_date="2026-11-15")
    bench.move(Act.APPROVE, who=actor(Role.ADMINISTRATOR, 9))
    assert bench.set(theme_of(bench.catalogue, AppealType.COMPLAINT, 3)).deadline == "2026-11-15"


def test_a_type_alone_must_fit_the_theme_that_stands(bench: Bench) -> None:
    bench.new()
    with pytest.raises(Refusal) as caught:
        bench.set({"type": AppealType.THANKS.value})
    assert caught.value.params == {"field": "theme"}


@pytest.mark.parametrize("field", ["type", "theme"])
def test_type_and_theme_are_never_emptied(bench: Bench, field: str) -> None:
    bench.new()
    with pytest.raises(Refusal) as caught:
        bench.set({field: ""})
    assert caught.value.code is Code.FIELD_REQUIRED


# who and what


def test_another_organisations_card_is_unknown(bench: Bench) -> None:
    bench.new()
    stranger = Actor(1944, Role.ADMINISTRATOR, "26/smo-26001")
    assert refusal(bench, Kind.CARD_SET, {"text": "x"}, who=stranger).code is Code.UNKNOWN_CARD
    assert refusal(bench, Kind.CARD_MOVE, {"act": "void", "reason": "x"}, who=stranger).code is Code.UNKNOWN_CARD


def test_unknown_kinds_and_acts_are_refused(bench: Bench, catalogue: Catalogue) -> None:
    bench.new()
    with pytest.raises(Refusal) as kind:
        decide(bench.card, Operation(n=9, k="card.burn", at=stamp()), OPERATOR, catalogue)
    assert kind.value.code is Code.UNKNOWN_KIND
    for act in ("burn", [], 5):
        guard = {"status": bench.card.stamps["status"][0]} if bench.card else {}
        assert refusal(bench, Kind.CARD_MOVE, {"act": act}, b=guard).code in (Code.FIELD_INVALID, Code.FIELD_REQUIRED)


@pytest.mark.parametrize(
    "steps",
    [
        [(Act.CLOSE, OPERATOR, {"result": "R02", "comment": "x"})],
        [
            (Act.CLOSE, OPERATOR, {"result": "R02", "comment": "x"}),
            (Act.APPROVE, actor(Role.ADMINISTRATOR, 9), {}),
        ],
        [(Act.VOID, actor(Role.ADMINISTRATOR, 9), {"reason": "x"})],
    ],
)
def test_a_card_in_review_closed_or_void_is_locked(bench: Bench, steps: list[Any]) -> None:
    bench.new()
    for act, who, given_ in steps:
        bench.move(act, who=who, **given_)
    with pytest.raises(Refusal) as caught:
        bench.set({"text": "ещё"})
    assert caught.value.code is Code.LOCKED


def test_what_happened_changes_no_card_but_has_a_shape(bench: Bench) -> None:
    before = bench.new()
    bench.do(Kind.CALL_ENDED, {"call": "c1", "by": "caller"})
    assert bench.card == before
    assert refusal(bench, Kind.CALL_ENDED, {"call": "c1"}).params == {"field": "by"}


# two people


def test_a_field_only_one_changed_is_his(bench: Bench) -> None:
    card = bench.new({"phone": "+78652000001"})
    b = {"phone": card.id}
    bench.do(Kind.CARD_SET, {"address": "Ставрополь"}, who=COLLEAGUE)
    assert bench.set({"phone": "+78652000002"}, b=b).value("phone") == "+78652000002"


@pytest.mark.parametrize(("mine", "theirs", "winner"), [(50, 40, "мой"), (40, 50, "чужой")])
def test_of_two_writers_the_later_wins_and_the_other_is_kept_as_lost(
    bench: Bench, mine: float, theirs: float, winner: str
) -> None:
    card = bench.new({"address": "прежний"})
    b = {"address": card.id}
    bench.set({"address": "чужой"}, who=COLLEAGUE, b=b, at=stamp(theirs))
    late = operation(9, Kind.CARD_SET, {"address": "мой"}, card=card.id, b=b, at=stamp(mine))
    change = decide(bench.card, late, OPERATOR, bench.catalogue)
    assert bench.card is not None
    after = apply(bench.card, change, op="b:9", at=late.at, by=1, stream=card.stream)
    assert after is not None
    assert after.value("address") == winner
    assert change.lost == {"address": "мой" if winner == "чужой" else "чужой"}


def test_two_texts_stand_side_by_side(bench: Bench) -> None:
    card = bench.new()
    b = {"text": card.id}
    bench.set({"text": "от первого"}, b=b)
    bench.set({"text": "от второго"}, who=COLLEAGUE, b=b)
    third = bench.set({"text": "от третьего"}, who=LEVEL_2, b=b)
    assert third.value("text") == "от первого"
    assert third.rival == {"text": ["от второго", "от третьего"]}


def test_who_has_not_seen_the_other_text_does_not_remove_it(bench: Bench) -> None:
    card = bench.new()
    first = bench.set({"text": "от первого"}, b={"text": card.id})
    seen_by_first = {"text": first.stamps["text"][0]}
    bench.set({"text": "от второго"}, who=COLLEAGUE, b={"text": card.id})
    after = bench.set({"text": "от первого, дополнено"}, b=seen_by_first)
    assert "от второго" in after.rival["text"]
    chosen = bench.set({"text": "общее"})
    assert chosen.rival == {}
    assert chosen.value("text") == "общее"


def test_closing_does_not_remove_a_comment_written_meanwhile(bench: Bench) -> None:
    card = bench.new({"comment": "прежний"})
    bench.set({"comment": "чужой"}, who=COLLEAGUE, b={"comment": card.id})
    guard = {"status": card.id, "comment": card.id}
    after = bench.move(Act.CLOSE, b=guard, result="R02", comment="мой")
    assert after.status is Status.IN_REVIEW
    assert {after.value("comment"), *after.rival["comment"]} == {"чужой", "мой"}


def test_type_and_theme_stay_a_pair_whoever_wins(bench: Bench) -> None:
    card = bench.new()
    b = {"type": card.id, "theme": card.id}
    bench.set({"theme": theme_of(bench.catalogue, place=4)["theme"]}, who=COLLEAGUE, b=b, at=stamp(50))
    after = bench.set(theme_of(bench.catalogue, AppealType.COMPLAINT), b=b, at=stamp(40))
    assert bench.catalogue.theme(after.value("theme")).type == after.value("type")


def test_lists_only_grow(bench: Bench) -> None:
    bench.new({"answers": ["S-01"]})
    bench.set({"answers": ["S-02"]}, b={})
    assert bench.set({"answers": ["S-03"]}, who=COLLEAGUE, b={}).value("answers") == ["S-01", "S-02", "S-03"]


def test_create_only_fields_are_written_once(bench: Bench) -> None:
    bench.new({"number": "12-00001-4"})
    with pytest.raises(Refusal) as refused:
        bench.set({"number": "12-00002-2"})
    assert refused.value.code is Code.FIELD_INVALID


def test_fields_of_a_newer_program_are_kept(bench: Bench) -> None:
    bench.new({"mood": {"rating": 5}})
    assert bench.set({"address": "x"}).value("mood") == {"rating": 5}


def test_stamps_say_who_wrote_what(bench: Bench) -> None:
    card = bench.new({"answers": ["S-01"]})
    assert {"type", "theme", "text", "answers", "status"} == set(card.stamps)
    assert set(card.stamps.values()) == {(card.id, card.created)}
    after = bench.set({"answers": ["S-02"], "address": "x"})
    assert after.stamps["answers"] == after.stamps["address"] != card.stamps["text"] == after.stamps["text"]
    assert after.rev == card.rev + 1


# both ends

TEXT = st.sampled_from(["", "один", "два", "три"])
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "text": TEXT,
        "comment": TEXT,
        "address": TEXT,
        "phone": TEXT,
        "answers": st.lists(st.sampled_from(["S-01", "S-02"]), max_size=2),
        "theme": st.sampled_from(["К-01.1", "К-01.2", "Ж-03.1", "Ж-03.4", "нет"]),
        "type": st.sampled_from([*AppealType, "Просьба"]),
    },
)
WHO = st.sampled_from([OPERATOR, COLLEAGUE, LEVEL_2, actor(Role.ADMINISTRATOR, 9)])
SETS = st.tuples(st.just(Kind.CARD_SET), VALUES, WHO, st.booleans(), st.integers(0, 60))
MOVES = st.tuples(
    st.just(Kind.CARD_MOVE),
    st.fixed_dictionaries(
        {"act": st.sampled_from([act.value for act in Act])},
        optional={
            "result": st.sampled_from(["R02", "R04", "R05", "R08", "R24"]),
            "comment": TEXT,
            "operator": st.sampled_from([1944, 2001, "x"]),
            "new_date": st.sampled_from(["2026-11-15", "вчера"]),
            "expert_act": TEXT,
            "remark": TEXT,
            "reason": TEXT,
        },
    ),
    WHO,
    st.booleans(),
    st.integers(0, 60),
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps=st.lists(st.one_of(SETS, MOVES), max_size=20))
def test_a_change_that_went_over_the_wire_makes_the_same_card(catalogue: Catalogue, steps: list[Any]) -> None:
    """The server decides; a desk that only applies the change from the event ends with the very same card."""
    bench = Bench(catalogue)
    there = bench.new({"deadline": "2026-10-01"})
    here: Card | None = there
    for kind, x, who, fresh, seconds in steps:
        assert bench.card is not None
        before = bench.card
        b = {field: op for field, (op, _) in before.stamps.items()} if fresh else {"status": there.id, "text": there.id}
        n = before.rev + 1000
        done = operation(n, kind, x, card=before.id, b=b, at=stamp(seconds))
        wire = msgspec.json.decode(msgspec.json.encode(done), type=Operation)
        try:
            change = decide(before, wire, who, catalogue)
        except Refusal:
            continue
        told = msgspec.json.decode(msgspec.json.encode(change), type=Change)
        bench.card = apply(before, change, op=f"a:{n}", at=done.at, by=who.user, stream=who.organisation)
        here = apply(here, told, op=f"a:{n}", at=done.at, by=who.user, stream=who.organisation)
        assert here == bench.card
        assert here is not None
        assert msgspec.json.decode(msgspec.json.encode(here), type=Card) == here
        assert catalogue.theme(here.value("theme")).type == here.value("type")
        # Nothing typed is gone: it stands on the card, beside it, or the change names it as lost.
        for field in ("text", "comment"):
            if kind is Kind.CARD_SET and x.get(field):
                assert x[field] in (here.value(field), *here.rival.get(field, ()))
        for text in before.rival.get("text", ()):
            assert fresh or text in (here.value("text"), *here.rival.get("text", ()))
