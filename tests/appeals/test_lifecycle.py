"""The table of moves of functions.md 1.2, row by row and by hypothesis."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from operator_tui.appeals.card import STATUS_TITLES, Card, Status
from operator_tui.appeals.catalogue import AppealType, Catalogue, catalogue_of
from operator_tui.appeals.decide import Actor
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.lifecycle import EXTENSION, FINAL, MOVES, Act
from operator_tui.appeals.operations import Kind
from operator_tui.appeals.people import Role
from tests.appeals.making import ADMINISTRATOR, COLLEAGUE, LEVEL_2, NOW_MS, OPERATOR, Bench, actor, stamp, theme_of

FAR = "2026-11-15"
CLOSING = {"result": "R02", "comment": "Дан ответ"}
EXTENDING = {"result": "R05", "comment": "Ждём ответа клиники", "new_date": FAR}


def refused(bench: Bench, act: Act, code: Code, *, who: Actor = OPERATOR, **more: Any) -> Refusal:
    before = bench.card
    with pytest.raises(Refusal) as caught:
        bench.move(act, who=who, **more)
    assert caught.value.code is code
    assert bench.card == before
    return caught.value


@pytest.mark.function("K-6.0.1")
def test_statuses_are_the_manuals_words() -> None:
    titles = [STATUS_TITLES[status] for status in (Status.IN_WORK, Status.DEFERRED, Status.IN_REVIEW)]
    assert titles == ["В работе", "Отсроченный ответ", "На рассмотрении"]


@pytest.mark.function("K-5.1.6.3")
@pytest.mark.parametrize("role", [Role.OPERATOR_1, Role.INSURER_1, Role.OPERATOR_2, Role.INSURER_2, Role.INSURER_3])
def test_a_saved_appeal_is_in_work_with_its_author(bench: Bench, role: Role) -> None:
    card = bench.new(who=actor(role, 7))
    assert (card.status, card.author, card.worker) == (Status.IN_WORK, 7, 7)


@pytest.mark.function("K-6.1.4")
def test_closing_sends_it_to_review(bench: Bench) -> None:
    bench.new()
    card = bench.move(Act.CLOSE, **CLOSING)
    assert (card.status, card.review, card.worker) == (Status.IN_REVIEW, FINAL, OPERATOR.user)
    assert (card.value("result"), card.value("comment"), card.value("closed_by")) == ("R02", "Дан ответ", OPERATOR.user)


@pytest.mark.parametrize("missing", ["result", "comment"])
def test_closing_asks_for_result_and_comment(bench: Bench, missing: str) -> None:
    bench.new()
    left = {field: value for field, value in CLOSING.items() if field != missing}
    assert refused(bench, Act.CLOSE, Code.FIELD_REQUIRED, **left).params == {"field": missing}


def test_a_comment_on_the_card_is_enough(bench: Bench) -> None:
    bench.new({"comment": "Дан ответ"})
    assert bench.move(Act.CLOSE, result="R02").status is Status.IN_REVIEW


@pytest.mark.function("K-6.1.5")
def test_forwarding_with_notice_defers_it_to_the_operator_named(bench: Bench) -> None:
    bench.new()
    refused(bench, Act.CLOSE, Code.FIELD_REQUIRED, result="R04", comment="Передано")
    card = bench.move(Act.CLOSE, result="R04", comment="Передано", operator="2001")
    assert (card.status, card.worker, card.review) == (Status.DEFERRED, 2001, "")
    assert not card.value("closed_by")


def test_a_broken_call_is_deferred_to_oneself_unless_another_is_named(bench: Bench, catalogue: Catalogue) -> None:
    bench.new()
    card = bench.move(Act.CLOSE, result="R24", comment="Связь прервалась")
    assert (card.status, card.worker) == (Status.DEFERRED, OPERATOR.user)
    other = Bench(catalogue)
    other.new()
    assert other.move(Act.CLOSE, result="R24", comment="Связь прервалась", operator=2001).worker == 2001


@pytest.mark.parametrize("named", ["Иванова", "", [], "12a"])
def test_an_operator_is_named_by_number(bench: Bench, named: Any) -> None:
    bench.new()
    with pytest.raises(Refusal) as caught:
        bench.move(Act.FORWARD, operator=named)
    assert caught.value.code in (Code.FIELD_INVALID, Code.FIELD_REQUIRED)


@pytest.mark.function("K-6.1.6", "K-6.1.7")
@pytest.mark.parametrize("missing", ["new_date", "comment"])
def test_an_extension_needs_date_and_reason(bench: Bench, missing: str) -> None:
    bench.new()
    left = {field: value for field, value in EXTENDING.items() if field != missing}
    assert refused(bench, Act.CLOSE, Code.FIELD_REQUIRED, **left).params == {"field": missing}


@pytest.mark.parametrize("said", ["2020-01-01", "завтра", "01.02.2031"])
def test_an_extension_names_a_later_date(bench: Bench, said: str) -> None:
    bench.new()
    refused(bench, Act.CLOSE, Code.FIELD_INVALID, **{**EXTENDING, "new_date": said})


def test_an_extension_does_not_move_to_the_same_day(bench: Bench) -> None:
    deadline = bench.new().deadline
    refused(bench, Act.CLOSE, Code.FIELD_INVALID, **{**EXTENDING, "new_date": deadline})


def test_an_overdue_appeal_is_not_extended_into_the_past(bench: Bench) -> None:
    term = date.fromisoformat(bench.new(theme_of(bench.catalogue, AppealType.COMPLAINT), who=LEVEL_2).deadline)
    today = term + timedelta(days=10)
    at = stamp((datetime.combine(today, time(12), UTC).timestamp() * 1000 - NOW_MS) / 1000)

    def extend(until: date) -> Card:
        given = {**EXTENDING, "act": Act.CLOSE.value, "new_date": until.isoformat()}
        assert bench.card is not None
        bench.do(Kind.CARD_MOVE, given, who=LEVEL_2, b={"status": bench.card.stamps["status"][0]}, at=at)
        return bench.card

    with pytest.raises(Refusal) as refusal:
        extend(today - timedelta(days=1))
    assert (refusal.value.code, refusal.value.params) == (Code.FIELD_INVALID, {"field": "new_date"})
    assert extend(today).review == EXTENSION


def test_a_result_of_the_administrations_is_reviewed_and_leaves_the_appeal_open_without_another_term(
    bench: Bench, catalogue: Catalogue
) -> None:
    row = {**catalogue.reference.all("results")["R05"], "required_fields": "comment"}
    bench.catalogue = catalogue_of(catalogue.reference.changed([("results", {"R05": row}, "")]))
    old = bench.new().deadline
    refused(bench, Act.CLOSE, Code.FIELD_INVALID, result="R05", comment="Ждём", new_date="завтра")
    card = bench.move(Act.CLOSE, result="R05", comment="Ждём")
    assert (card.status, card.review, card.deadline) == (Status.IN_REVIEW, EXTENSION, old)


@pytest.mark.function("K-6.1.8")
def test_an_approved_extension_goes_on_to_the_new_date(bench: Bench) -> None:
    old = bench.new().deadline
    card = bench.move(Act.CLOSE, **EXTENDING)
    assert (card.status, card.review, card.deadline) == (Status.IN_REVIEW, EXTENSION, old)
    card = bench.move(Act.APPROVE, who=ADMINISTRATOR)
    assert (card.status, card.review, card.deadline, card.worker) == (Status.IN_WORK, "", FAR, OPERATOR.user)


def test_a_refused_extension_goes_on_to_the_old_date(bench: Bench) -> None:
    old = bench.new().deadline
    bench.move(Act.CLOSE, **EXTENDING)
    card = bench.move(Act.RETURN, who=ADMINISTRATOR, remark="Срок достаточен")
    assert (card.status, card.review, card.deadline) == (Status.IN_WORK, "", old)


def test_the_date_of_an_old_extension_is_not_taken_for_a_new_one(bench: Bench) -> None:
    bench.new()
    bench.move(Act.CLOSE, **EXTENDING)
    bench.move(Act.RETURN, who=ADMINISTRATOR, remark="Нет")
    refused(bench, Act.CLOSE, Code.FIELD_REQUIRED, result="R05", comment="Ещё раз")


@pytest.mark.function("K-6.0.4")
def test_an_administrator_approves_a_result(bench: Bench) -> None:
    bench.new()
    bench.move(Act.CLOSE, **CLOSING)
    assert bench.move(Act.APPROVE, who=ADMINISTRATOR).status is Status.CLOSED


def test_an_administrator_does_not_approve_his_own(bench: Bench) -> None:
    bench.new(who=ADMINISTRATOR)
    bench.move(Act.CLOSE, who=ADMINISTRATOR, **CLOSING)
    refused(bench, Act.APPROVE, Code.RIGHT_MISSING, who=ADMINISTRATOR)
    assert bench.move(Act.APPROVE, who=actor(Role.ADMINISTRATOR, 3002)).status is Status.CLOSED


@pytest.mark.parametrize("act", [Act.APPROVE, Act.RETURN])
def test_nobody_else_decides_a_review(bench: Bench, act: Act) -> None:
    bench.new()
    bench.move(Act.CLOSE, **CLOSING)
    for who in (OPERATOR, COLLEAGUE, LEVEL_2):
        refused(bench, act, Code.RIGHT_MISSING, who=who, remark="x")


def test_the_closer_may_withdraw_before_the_decision(bench: Bench) -> None:
    bench.new()
    bench.move(Act.CLOSE, **CLOSING)
    refused(bench, Act.WITHDRAW, Code.NOT_YOUR_APPEAL, who=COLLEAGUE)
    assert bench.move(Act.WITHDRAW).status is Status.IN_WORK
    bench.move(Act.CLOSE, **CLOSING)
    bench.move(Act.APPROVE, who=ADMINISTRATOR)
    refused(bench, Act.WITHDRAW, Code.MOVE_NOT_ALLOWED)


@pytest.mark.parametrize(("result", "field"), [("R08", "expert_act"), ("R11", "organisation")])
def test_a_measure_without_closing_leaves_it_in_work(bench: Bench, result: str, field: str) -> None:
    bench.new(theme_of(bench.catalogue, AppealType.COMPLAINT))
    assert refused(bench, Act.CLOSE, Code.FIELD_REQUIRED, result=result, comment="мера").params == {"field": field}
    card = bench.move(Act.CLOSE, result=result, comment="мера", **{field: "указано"})
    assert (card.status, card.review, card.worker) == (Status.IN_WORK, "", OPERATOR.user)
    assert card.value(field) == "указано"
    assert not card.value("closed_by")


@pytest.mark.parametrize("result", sorted(f"R{number:02d}" for number in range(1, 27)))
def test_what_a_result_asks_for_is_kept_on_the_card(bench: Bench, result: str) -> None:
    wanted = bench.catalogue.result(result)
    type_ = sorted(wanted.types)[0]
    values = {"operator": 2001, "new_date": FAR}
    asked = {field: values.get(field, f"значение {field}") for field in wanted.required}
    bench.new(theme_of(bench.catalogue, type_), who=LEVEL_2)
    bench.set({"attempts": [{"ms": NOW_MS + n, "by": LEVEL_2.user} for n in range(3)]}, who=LEVEL_2)
    card = bench.move(Act.CLOSE, who=LEVEL_2, **{"comment": "меры", **asked, "result": result})
    for field in wanted.required - {"operator"}:
        assert card.value(field) == asked[field]
    assert "operator" not in card.fields


@pytest.mark.function("K-1.3a")
@pytest.mark.parametrize("type_", [AppealType.COMPLAINT, AppealType.STATEMENT, AppealType.PROPOSAL])
@pytest.mark.parametrize("role", [Role.OPERATOR_1, Role.INSURER_1, Role.TRAINEE])
def test_level_1_hands_on_what_it_does_not_close(bench: Bench, type_: AppealType, role: Role) -> None:
    who = actor(role)
    bench.new(theme_of(bench.catalogue, type_), who=who)
    refused(bench, Act.CLOSE, Code.RIGHT_MISSING, who=who, result="R19", comment="Отозвано")
    assert bench.move(Act.CLOSE, who=who, result="R04", comment="Передано", operator=2001).status is Status.DEFERRED


@pytest.mark.parametrize("role", [Role.OPERATOR_2, Role.INSURER_2, Role.INSURER_3, Role.ADMINISTRATOR])
def test_level_2_closes_every_type(catalogue: Catalogue, role: Role) -> None:
    for type_ in AppealType:
        bench = Bench(catalogue)
        bench.new(theme_of(catalogue, type_), who=actor(role))
        assert bench.move(Act.CLOSE, who=actor(role), result="R19", comment="Отозвано").status is Status.IN_REVIEW


def test_a_result_fits_the_type(bench: Bench) -> None:
    bench.new()
    assert refused(bench, Act.CLOSE, Code.FIELD_INVALID, result="R17", comment="x").params == {"field": "result"}


@pytest.mark.function("K-6.2.3")
def test_a_deferred_appeal_is_taken_up_by_its_operator(bench: Bench) -> None:
    bench.new()
    bench.move(Act.CLOSE, result="R04", comment="Передано", operator=LEVEL_2.user)
    refused(bench, Act.CLOSE, Code.MOVE_NOT_ALLOWED, who=LEVEL_2, **CLOSING)
    refused(bench, Act.RESUME, Code.NOT_YOUR_APPEAL, who=OPERATOR)
    assert bench.move(Act.RESUME, who=LEVEL_2).status is Status.IN_WORK
    assert bench.move(Act.CLOSE, who=LEVEL_2, **CLOSING).status is Status.IN_REVIEW


def test_forwarding_changes_the_worker_alone(bench: Bench) -> None:
    bench.new()
    card = bench.move(Act.FORWARD, operator=LEVEL_2.user)
    assert (card.status, card.worker) == (Status.IN_WORK, LEVEL_2.user)
    refused(bench, Act.CLOSE, Code.NOT_YOUR_APPEAL, who=OPERATOR, **CLOSING)


def test_an_appeal_with_a_worker_cannot_be_taken_by_another(bench: Bench) -> None:
    bench.new()
    bench.move(Act.CLOSE, result="R04", comment="Передано", operator=LEVEL_2.user)
    refused(bench, Act.TAKE, Code.NOT_YOUR_APPEAL, who=COLLEAGUE)


def test_one_of_a_group_is_taken_once(bench: Bench) -> None:
    import msgspec

    card = bench.new()
    bench.card = msgspec.structs.replace(card, status=Status.DEFERRED, worker=None)
    assert bench.move(Act.TAKE, who=COLLEAGUE).worker == COLLEAGUE.user
    refused(bench, Act.TAKE, Code.NOT_YOUR_APPEAL, who=LEVEL_2)


def test_not_even_an_administrator_writes_silently_in_anothers_appeal(bench: Bench) -> None:
    bench.new()
    refused(bench, Act.CLOSE, Code.NOT_YOUR_APPEAL, who=ADMINISTRATOR, **CLOSING)
    bench.move(Act.REASSIGN, who=ADMINISTRATOR, operator=ADMINISTRATOR.user)
    assert bench.move(Act.CLOSE, who=ADMINISTRATOR, **CLOSING).status is Status.IN_REVIEW


def test_reassigning_keeps_the_status_and_the_kind_of_review(bench: Bench) -> None:
    bench.new()
    bench.move(Act.CLOSE, **EXTENDING)
    card = bench.move(Act.REASSIGN, who=ADMINISTRATOR, operator=LEVEL_2.user)
    assert (card.status, card.review, card.worker) == (Status.IN_REVIEW, EXTENSION, LEVEL_2.user)


def test_voiding_needs_a_reason_and_an_open_appeal(bench: Bench) -> None:
    bench.new()
    refused(bench, Act.VOID, Code.FIELD_REQUIRED, who=ADMINISTRATOR)
    refused(bench, Act.VOID, Code.RIGHT_MISSING, who=LEVEL_2, reason="ошибка")
    card = bench.move(Act.VOID, who=ADMINISTRATOR, reason="ошибка")
    assert (card.status, card.value("reason")) == (Status.VOID, "ошибка")
    for act in Act:
        refused(bench, act, Code.MOVE_NOT_ALLOWED, who=ADMINISTRATOR, operator=1, remark="x", reason="x")


def test_a_closed_appeal_is_reopened_by_an_administrator_alone(bench: Bench) -> None:
    bench.new()
    bench.move(Act.CLOSE, **CLOSING)
    bench.move(Act.APPROVE, who=ADMINISTRATOR)
    refused(bench, Act.REOPEN, Code.RIGHT_MISSING)
    assert bench.move(Act.REOPEN, who=ADMINISTRATOR).status is Status.IN_WORK


def test_a_move_on_a_status_not_seen_is_stale(bench: Bench) -> None:
    seen = {"status": bench.new().stamps["status"][0]}
    bench.move(Act.FORWARD, operator=OPERATOR.user)
    refused(bench, Act.CLOSE, Code.STALE, b=seen, **CLOSING)
    refused(bench, Act.CLOSE, Code.STALE, b={}, **CLOSING)


# The table once more, as pairs: every step any history takes must be one of these.
ALLOWED = {
    (Status.IN_WORK, Status.IN_WORK),
    (Status.IN_WORK, Status.IN_REVIEW),
    (Status.IN_WORK, Status.DEFERRED),
    (Status.IN_WORK, Status.VOID),
    (Status.DEFERRED, Status.DEFERRED),
    (Status.DEFERRED, Status.IN_WORK),
    (Status.DEFERRED, Status.VOID),
    (Status.IN_REVIEW, Status.IN_REVIEW),
    (Status.IN_REVIEW, Status.IN_WORK),
    (Status.IN_REVIEW, Status.CLOSED),
    (Status.IN_REVIEW, Status.VOID),
    (Status.CLOSED, Status.IN_WORK),
}
ACTORS = [actor(role, 10 + place) for place, role in enumerate(Role)]
STEP = st.tuples(
    st.sampled_from(list(Act)),
    st.sampled_from(ACTORS),
    st.fixed_dictionaries(
        {},
        optional={
            "result": st.sampled_from([f"R{n:02d}" for n in range(1, 27)]),
            "comment": st.just("меры"),
            "operator": st.sampled_from([each.user for each in ACTORS]),
            "new_date": st.sampled_from(["2026-10-21", FAR, "2020-01-01"]),
            **{
                field: st.just("есть")
                for field in ("measures", "organisation", "remark", "reason", "letter", "sum", "expert_act")
            },
        },
    ),
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps=st.lists(STEP, max_size=25), type_=st.sampled_from(AppealType))
def test_no_path_leaves_the_table(catalogue: Catalogue, steps: list[Any], type_: AppealType) -> None:
    bench = Bench(catalogue)
    bench.new(theme_of(catalogue, type_), who=ACTORS[0])
    for act, who, given_ in steps:
        before = bench.card
        assert before is not None
        try:
            after = bench.move(act, who=who, **given_)
        except Refusal:
            assert bench.card == before
            continue
        assert (before.status, after.status) in ALLOWED
        assert before.status in MOVES[act].sources
        if after.status in (Status.CLOSED, Status.VOID) or before.status is Status.CLOSED:
            assert who.role is Role.ADMINISTRATOR
        if after.status is Status.CLOSED:
            assert before.value("closed_by") != who.user
            assert before.review == FINAL
        if act in (Act.CLOSE, Act.FORWARD, Act.RESUME):
            assert before.worker == who.user
        assert (after.review in (FINAL, EXTENSION)) == (after.status is Status.IN_REVIEW)
        if after.status is not Status.DEFERRED:
            assert after.worker is not None
