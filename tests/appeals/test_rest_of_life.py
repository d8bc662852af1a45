"""What is owed to the citizen, corrections of closed appeals, consents, and the terms of 59-ФЗ apart."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from operator_tui.appeals.card import Card, Source, Status
from operator_tui.appeals.catalogue import AppealType
from operator_tui.appeals.consent import Consent, Given, consent
from operator_tui.appeals.correction import correction_of
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.lifecycle import Act
from operator_tui.appeals.operations import Kind
from operator_tui.appeals.owed import Owed, owed_of
from operator_tui.appeals.people import Role
from operator_tui.appeals.terms import TermKind, register_term, registered_late, terms_of
from tests.appeals.making import ADMINISTRATOR, LEVEL_2, NOW_MS, OPERATOR, Bench, actor, theme_of

ZONE = "Europe/Moscow"
DAY_MS = 86_400_000
TODAY = "2026-09-21"
LETTER = {"source": Source.LETTER.value}
EXPERT = actor(Role.INSURER_3, 2009)


def refused(code: Code, act: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        act()
    assert caught.value.code is code
    return caught.value


def approved(bench: Bench, x: dict[str, Any], result: str, **given: Any) -> Card:
    bench.new(x, who=LEVEL_2)
    bench.move(Act.CLOSE, who=LEVEL_2, result=result, comment="Ответ подготовлен", **given)
    return bench.move(Act.APPROVE, who=ADMINISTRATOR)


# «сообщить заявителю»


def test_after_approval_a_letters_answer_waits_for_its_worker(bench: Bench) -> None:
    card = approved(bench, LETTER, "R01")
    assert (card.status, owed_of(card), card.worker) == (Status.CLOSED, (Owed.ANSWER,), LEVEL_2.user)
    refused(Code.NOT_YOUR_APPEAL, lambda: bench.move(Act.TELL, told_way="письмо", told_on=TODAY))
    card = bench.move(Act.TELL, who=LEVEL_2, told_way="письмо", told_on=TODAY, told_result="Вручено")
    assert owed_of(card) == ()
    assert card.value("told") == [
        {"what": "answer", "way": "письмо", "on": TODAY, "by": LEVEL_2.user, "result": "Вручено"}
    ]
    refused(Code.NOTHING_OWED, lambda: bench.move(Act.TELL, who=LEVEL_2, told_way="письмо", told_on=TODAY))


def test_an_answer_given_in_the_talk_is_not_owed(bench: Bench) -> None:
    assert owed_of(approved(bench, {"source": Source.CALL.value}, "R02")) == ()


def test_an_answer_after_a_promise_is_owed_and_one_nobody_could_be_given_is_not(bench: Bench) -> None:
    bench.new({"source": Source.CALL.value})
    bench.move(Act.DEFER, promise_due=NOW_MS + DAY_MS)
    bench.move(Act.RESUME)
    bench.move(Act.CLOSE, result="R02", comment="Дан ответ")
    assert owed_of(bench.move(Act.APPROVE, who=ADMINISTRATOR)) == (Owed.ANSWER,)
    bench.card = None
    assert owed_of(approved(bench, LETTER, "R19")) == ()


def test_forwarding_and_extension_are_told_as_well(bench: Bench) -> None:
    bench.new({**LETTER, **theme_of(bench.catalogue, AppealType.COMPLAINT)}, who=LEVEL_2)
    card = bench.move(Act.CLOSE, who=LEVEL_2, result="R11", comment="Направлено", organisation="СМО")
    assert (card.status, owed_of(card)) == (Status.IN_WORK, (Owed.FORWARDING,))
    until = (date.fromisoformat(card.deadline) + timedelta(days=30)).isoformat()
    bench.move(Act.CLOSE, who=LEVEL_2, result="R05", comment="Ждём", new_date=until)
    card = bench.move(Act.APPROVE, who=ADMINISTRATOR)
    assert owed_of(card) == (Owed.FORWARDING, Owed.EXTENSION)
    card = bench.move(Act.TELL, who=LEVEL_2, told_way="письмо", told_on=TODAY, told_what="extension")
    assert owed_of(card) == (Owed.FORWARDING,)


@pytest.mark.parametrize(
    ("given", "field"),
    [({"told_on": "2026-09-30"}, "told_on"), ({"told_on": "вчера"}, "told_on"), ({"told_way": "голубем"}, "told_way")],
)
def test_a_notice_of_the_future_or_by_no_way_is_refused(bench: Bench, given: dict[str, str], field: str) -> None:
    approved(bench, LETTER, "R01")
    x = {"told_way": "письмо", "told_on": TODAY, **given}
    assert refused(Code.FIELD_INVALID, lambda: bench.move(Act.TELL, who=LEVEL_2, **x)).params == {"field": field}


# «Просить исправить»


def test_a_correction_of_a_closed_appeal_is_decided_by_the_administrator(bench: Bench) -> None:
    approved(bench, {"surname": "Иванов"}, "R01")
    card = bench.move(Act.ASK_CORRECTION, who=LEVEL_2, field="surname", value="Иванова", reason="Ошибка в роде")
    asked = correction_of(card)
    assert asked is not None
    assert (asked.field, asked.old, asked.new, asked.by) == ("surname", "Иванов", "Иванова", LEVEL_2.user)
    assert (card.status, card.review, card.value("surname")) == (Status.CLOSED, "correction", "Иванов")
    refused(
        Code.MOVE_NOT_ALLOWED, lambda: bench.move(Act.ASK_CORRECTION, who=LEVEL_2, field="name", value="А", reason="х")
    )
    refused(Code.RIGHT_MISSING, lambda: bench.move(Act.APPROVE, who=LEVEL_2))
    card = bench.move(Act.APPROVE, who=ADMINISTRATOR)
    assert (card.status, card.review, card.value("surname")) == (Status.CLOSED, "", "Иванова")
    assert card.value("corrected")[0]["old"] == "Иванов"
    assert correction_of(card) is None


def test_a_refused_correction_leaves_the_appeal_as_it_was(bench: Bench) -> None:
    approved(bench, {"surname": "Иванов"}, "R01")
    bench.move(Act.ASK_CORRECTION, who=LEVEL_2, field="surname", value="Иванова", reason="Ошибка")
    card = bench.move(Act.RETURN, who=ADMINISTRATOR, remark="Так в паспорте")
    assert (card.status, card.review, card.value("surname")) == (Status.CLOSED, "", "Иванов")


@pytest.mark.parametrize("field", ["number", "result", "theme", "owed", "links", "нет"])
def test_what_no_correction_can_change(bench: Bench, field: str) -> None:
    approved(bench, {}, "R01")
    x = {"field": field, "value": "другое", "reason": "надо"}
    refused(Code.FIELD_INVALID, lambda: bench.move(Act.ASK_CORRECTION, who=LEVEL_2, **x))


def test_only_who_had_a_hand_in_it_asks_and_nothing_is_decided_unasked(bench: Bench) -> None:
    approved(bench, {}, "R01")
    x = {"field": "surname", "value": "Иванова", "reason": "надо"}
    refused(Code.NOT_YOUR_APPEAL, lambda: bench.move(Act.ASK_CORRECTION, who=OPERATOR, **x))
    refused(Code.MOVE_NOT_ALLOWED, lambda: bench.move(Act.APPROVE, who=ADMINISTRATOR))
    refused(Code.MOVE_NOT_ALLOWED, lambda: bench.move(Act.RETURN, who=ADMINISTRATOR, remark="нет"))


# consents


@pytest.mark.function("K-1.7a")
def test_level_3_accompanies_only_with_the_insured_persons_consent(bench: Bench) -> None:
    bench.new({"source": Source.CALL.value, "enp": "9000000000000000"})
    bench.move(Act.DEFER, promise_due=NOW_MS + DAY_MS, operator=EXPERT.user)
    refused(Code.CONSENT_NEEDED, lambda: bench.move(Act.RESUME, who=EXPERT))
    bench.set({"escort_kind": "письменное", "escort_date": "2026-09-20"}, who=EXPERT)
    assert bench.move(Act.RESUME, who=EXPERT).status is Status.IN_WORK


@pytest.mark.function("K-1.7a", "K-1.7")
def test_a_consent_that_was_withdrawn_holds_no_more_and_written_appeals_need_none(bench: Bench) -> None:
    bench.new({"escort_date": "2026-09-01", "escort_withdrawn": "2026-09-10"})
    bench.move(Act.FORWARD, group="quality")
    refused(Code.CONSENT_NEEDED, lambda: bench.move(Act.TAKE, who=EXPERT))
    bench.card = None
    bench.new(LETTER, who=LEVEL_2)
    bench.move(Act.FORWARD, who=LEVEL_2, group="quality")
    assert bench.move(Act.TAKE, who=EXPERT).worker == EXPERT.user


@pytest.mark.parametrize(
    ("x", "field"),
    [
        ({"escort_date": "2026-10-01"}, "escort_date"),
        ({"power_date": "когда-то"}, "power_date"),
        ({"power_date": "2026-09-10", "power_withdrawn": "2026-09-01"}, "power_withdrawn"),
        ({"received": "2026-10-01"}, "received"),
        ({"insured_birth": "1700-01-01"}, "insured_birth"),
        ({"birth_date": "1700-01-01"}, "birth_date"),
        ({"birth_date": "1990-02-31"}, "birth_date"),
        ({"insured_birth": "1958-13-12"}, "insured_birth"),
    ],
)
def test_dates_that_can_not_be(bench: Bench, x: dict[str, str], field: str) -> None:
    assert refused(Code.FIELD_INVALID, lambda: bench.new(x)).params == {"field": field}
    bench.card = None
    bench.new()
    assert refused(Code.FIELD_INVALID, lambda: bench.set(x)).params == {"field": field}


@pytest.mark.parametrize("heard", ["1958-00-00", "1958-03-00", "12.03", "1958", "лет восемьдесят"])
def test_a_part_of_a_date_of_birth_stays_as_it_was_heard(bench: Bench, heard: str) -> None:
    assert bench.new({"birth_date": heard}).value("birth_date") == heard


def test_a_date_of_birth_from_before_a_rule_holds_up_no_other_edit(bench: Bench) -> None:
    card = bench.new({"birth_date": "1990-03-31"})
    card.fields["birth_date"] = "1990-02-31"
    assert bench.set({"address": "Ставрополь"}).value("address") == "Ставрополь"
    refused(Code.FIELD_INVALID, lambda: bench.set({"birth_date": "1990-02-30"}))
    assert bench.set({"birth_date": "1990-03-01"}).value("birth_date") == "1990-03-01"


@pytest.mark.function("K-1.8")
def test_caller_and_insured_are_two_people_on_one_card(bench: Bench) -> None:
    card = bench.new(
        {
            "surname": "Иванова",
            "representative": "родитель",
            "insured_name": "Иванов Пётр",
            "insured_birth": "2015-05-05",
            "power_kind": "документ о родстве или опеке",
            "power_date": "2026-09-01",
        }
    )
    assert (card.value("surname"), card.value("insured_name")) == ("Иванова", "Иванов Пётр")
    power = consent(card.fields, Consent.POWER)
    assert power.holds(date(2026, 9, 21))
    assert not power.holds(date(2026, 8, 31))
    assert not consent(card.fields, Consent.ESCORT).holds(date(2026, 9, 21)), "the two are apart"
    assert Given("письменное", "2026-09-01", "2026-09-21").holds(date(2026, 9, 20))


# terms


def test_three_days_to_register_what_came(bench: Bench) -> None:
    term = register_term("2026-09-19", date(2026, 9, 21))
    assert (term.until, term.left, term.warns) == (date(2026, 9, 22), 1, True)
    assert not register_term("2026-09-21", date(2026, 9, 20) + timedelta(days=1)).left < 3
    refused(Code.FIELD_INVALID, lambda: register_term("2026-09-22", date(2026, 9, 21)))
    refused(Code.FIELD_INVALID, lambda: register_term("", date(2026, 9, 21)))
    card = bench.new({**LETTER, "received": "2026-09-10"}, who=LEVEL_2)
    assert registered_late(card, ZONE) == 8
    bench.card = None
    assert registered_late(bench.new({**LETTER, "received": "2026-09-20"}, who=LEVEL_2), ZONE) == 0


def test_seven_days_to_forward_and_thirty_to_answer_are_warned_of_apart(bench: Bench) -> None:
    card = bench.new({**LETTER, **theme_of(bench.catalogue, AppealType.COMPLAINT)}, who=LEVEL_2)
    found = terms_of(card, "redirect", NOW_MS + 5 * DAY_MS, ZONE)
    assert [(term.kind, term.left, term.warns) for term in found] == [
        (TermKind.FORWARD, 2, True),
        (TermKind.ANSWER, 25, False),
    ]
    assert [term.kind for term in terms_of(card, "policy", NOW_MS, ZONE)] == [TermKind.ANSWER]
    spoken = bench.set({"comment": "х"}, who=LEVEL_2)
    assert terms_of(spoken, "redirect", NOW_MS + 40 * DAY_MS, ZONE)[0].left < 0


def test_an_extension_is_the_only_one_and_of_thirty_days_at_most(bench: Bench) -> None:
    term = date.fromisoformat(bench.new(theme_of(bench.catalogue, AppealType.COMPLAINT), who=LEVEL_2).deadline)

    def extend(days: int) -> Card:
        until = (term + timedelta(days=days)).isoformat()
        return bench.move(Act.CLOSE, who=LEVEL_2, result="R05", comment="Ждём ответа", new_date=until)

    refusal = refused(Code.EXTENSION_LONG, lambda: extend(31))
    assert refusal.params["days"] == 30
    refused(Code.FIELD_INVALID, lambda: extend(-1))
    extend(30)
    card = bench.move(Act.APPROVE, who=ADMINISTRATOR)
    assert card.value("extended") == term.isoformat()
    refused(Code.EXTENDED_ALREADY, lambda: extend(31))


def test_a_move_of_a_newer_desk_is_refused_not_misread(bench: Bench) -> None:
    """What a server of the release before this says to the acts of this one: the operation comes back whole."""
    bench.new()
    b = {"status": "aaaaaa:1"}
    refused(Code.FIELD_INVALID, lambda: bench.do(Kind.CARD_MOVE, {"act": "act of 2030"}, b=b))
