"""«Отсроченный ответ»: owner or group, due time, attempts, kept and broken, absent owners."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operator_tui.appeals.card import Card, Status
from operator_tui.appeals.decide import Actor
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.lifecycle import Act
from operator_tui.appeals.operations import Kind
from operator_tui.appeals.people import Role
from operator_tui.appeals.promises import Away, Promise, Stand, Why, concerns, promise_of, stand, with_away
from tests.appeals.making import (
    ADMINISTRATOR,
    COLLEAGUE,
    LEVEL_2,
    NOW_MS,
    OPERATOR,
    ORGANISATION,
    Bench,
    actor,
    stamp,
    theme_of,
)

HOUR_MS = 3_600_000
DUE = NOW_MS + 24 * HOUR_MS
MEMBER = Actor(2002, Role.OPERATOR_2, ORGANISATION, ("policy",))
STRANGER = Actor(2003, Role.OPERATOR_2, ORGANISATION, ("money",))


def refused(code: Code, act: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        act()
    assert caught.value.code is code
    return caught.value


def promised(card: Card) -> Promise:
    found = promise_of(card)
    assert found is not None
    return found


@pytest.mark.function("K-6.0.3")
def test_a_promise_says_whom_to_call_when_and_by_which_number(bench: Bench) -> None:
    bench.new({"phone": "+78652000101"})
    card = bench.move(
        Act.DEFER, promise_due=DUE, promise_phone="+78652000102", promise_ask="дочь Анна", promise_hours="после 18"
    )
    assert card.status is Status.DEFERRED
    promise = promised(card)
    assert (promise.owner, promise.due_ms) == (OPERATOR.user, DUE)
    assert (promise.phone, promise.ask, promise.hours) == ("+78652000102", "дочь Анна", "после 18")


def test_a_caller_who_was_gone_is_called_back_without_a_theme(bench: Bench) -> None:
    bench.do(Kind.CARD_NEW, {"phone": "+78652000101", "promise_due": DUE})
    assert bench.card is not None
    assert (bench.card.status, bench.card.worker) == (Status.DEFERRED, OPERATOR.user)
    assert bench.card.deadline
    card = bench.move(Act.RESUME)
    refused(Code.FIELD_REQUIRED, lambda: bench.move(Act.CLOSE, result="R02", comment="Дан ответ"))
    assert card.value("promises") == [{"due": DUE, "at": NOW_MS + 2000, "by": OPERATOR.user, "kept": True}]


def test_a_promise_without_a_number_is_refused(bench: Bench) -> None:
    refusal = refused(Code.FIELD_REQUIRED, lambda: bench.do(Kind.CARD_NEW, {"promise_due": DUE}))
    assert refusal.params == {"field": "phone"}


def test_a_message_left_for_a_group_has_no_worker_until_one_of_it_takes_it(bench: Bench) -> None:
    bench.do(Kind.CARD_NEW, {"phone": "+78652000101", "promise_due": DUE, "group": "policy"})
    assert bench.card is not None
    assert (bench.card.status, bench.card.worker) == (Status.DEFERRED, None)
    assert refused(Code.NOT_YOUR_GROUP, lambda: bench.move(Act.TAKE, who=STRANGER)).params["group"]
    refused(Code.NOT_YOUR_GROUP, lambda: bench.move(Act.TAKE, who=OPERATOR))
    assert bench.move(Act.TAKE, who=MEMBER).worker == MEMBER.user
    refused(Code.NOT_YOUR_APPEAL, lambda: bench.move(Act.TAKE, who=LEVEL_2))


@pytest.mark.function("K-2.9", "K-5.1.0.4")
def test_an_appeal_is_forwarded_to_the_group_of_its_theme_and_taken(bench: Bench) -> None:
    card = bench.new(theme_of(bench.catalogue))
    group = bench.catalogue.theme(str(card.value("theme"))).level2_group
    card = bench.move(Act.FORWARD, group=group)
    assert (card.status, card.worker, card.value("group")) == (Status.IN_WORK, None, group)
    refused(Code.NOT_YOUR_APPEAL, lambda: bench.move(Act.FORWARD, who=OPERATOR, operator=1))
    card = bench.move(Act.TAKE, who=LEVEL_2)  # no groups are named for him: level 2 takes any
    assert (card.status, card.worker) == (Status.IN_WORK, LEVEL_2.user)


def test_a_result_that_hands_on_takes_a_group_as_well(bench: Bench) -> None:
    bench.new()
    card = bench.move(Act.CLOSE, result="R04", comment="Передано", group="policy", promise_due=DUE)
    assert (card.status, card.worker, card.value("group")) == (Status.DEFERRED, None, "policy")
    assert promised(card).due_ms == DUE


def test_an_unknown_group_is_refused(bench: Bench) -> None:
    bench.new()
    assert refused(Code.FIELD_INVALID, lambda: bench.move(Act.FORWARD, group="никто")).params == {"field": "group"}


@pytest.mark.parametrize("due", [NOW_MS - 1, NOW_MS + 400 * 24 * HOUR_MS])
def test_a_due_time_of_the_past_or_of_another_year_is_refused(bench: Bench, due: int) -> None:
    bench.new()
    refused(Code.PROMISE_PAST, lambda: bench.move(Act.DEFER, promise_due=due))


@pytest.mark.parametrize("due", ["завтра", True, 1.5, [1]])
def test_a_due_time_that_is_none(bench: Bench, due: Any) -> None:
    bench.new()
    assert refused(Code.FIELD_INVALID, lambda: bench.move(Act.DEFER, promise_due=due)).params == {
        "field": "promise_due"
    }


def test_a_promise_met_too_late_is_broken_and_another_time_can_be_agreed(bench: Bench) -> None:
    bench.new({"phone": "+78652000101"})
    card = bench.move(Act.DEFER, promise_due=NOW_MS + 10_000)
    assert [stand(promised(card), NOW_MS + s * 1000) for s in (0, 11)] == [Stand.SOON, Stand.BROKEN]
    card = bench.move(Act.PROMISE, promise_due=DUE)
    assert stand(promised(card), NOW_MS) is Stand.WAITING
    bench.do(
        Kind.CARD_MOVE, {"act": "resume"}, at=stamp(2 * 86_400), b={"status": card.stamps["status"][0]}, who=OPERATOR
    )
    assert bench.card is not None
    assert [entry["kept"] for entry in bench.card.value("promises")] == [False]


@pytest.mark.function("K-6.0.3")
def test_three_attempts_before_it_is_given_up(bench: Bench) -> None:
    bench.new({"zone": "Europe/Moscow"})
    bench.move(Act.DEFER, promise_due=DUE)
    giving_up = {"result": "R20", "comment": "Не отвечает"}
    for n in range(3):
        if n:
            refusal = refused(Code.ATTEMPTS_FEW, lambda: bench.move(Act.CLOSE, **giving_up))
            assert refusal.params == {"count": n, "wanted": 3}
        bench.set({"attempts": [{"ms": NOW_MS + n * HOUR_MS, "by": OPERATOR.user, "outcome": "no_answer"}]})
    card = bench.move(Act.CLOSE, **giving_up)
    assert card.status is Status.IN_REVIEW
    assert card.value("call_log").count(";") == 2
    assert not card.value("promises"), "nobody was reached: the promise was not kept"


def test_out_of_a_promise_nothing_else_is_closed(bench: Bench) -> None:
    bench.new()
    bench.move(Act.DEFER, promise_due=DUE)
    refused(Code.MOVE_NOT_ALLOWED, lambda: bench.move(Act.CLOSE, result="R02", comment="Дан ответ"))


def test_what_an_edit_may_not_write(bench: Bench) -> None:
    bench.new()
    for field in ("promise_due", "group", "promises", "owed", "correction"):
        refused(Code.FIELD_INVALID, lambda field=field: bench.set({field: "x"}))


# whose list it is on

TODAY = date(2026, 9, 21)
AWAY = (Away(user=OPERATOR.user, since="2026-09-20", until="2026-09-25", substitute=COLLEAGUE.user),)


def whose(user: int, *, due: int, owner: int | None = OPERATOR.user, away: tuple[Away, ...] = ()) -> Why | None:
    promise = Promise("c", due, owner, "policy")
    groups = ("policy",) if user in (MEMBER.user, COLLEAGUE.user) else ()
    return concerns(promise, user=user, groups=groups, away=away, today=TODAY, now_ms=NOW_MS)


def test_a_promise_is_on_its_owners_list_and_a_groups_on_its_members() -> None:
    assert whose(OPERATOR.user, due=DUE) is Why.OWN
    assert whose(MEMBER.user, due=DUE) is None
    assert whose(MEMBER.user, due=DUE, owner=None) is Why.GROUP
    assert whose(STRANGER.user, due=DUE, owner=None) is None


def test_an_absent_owners_promise_goes_to_his_substitute_and_within_the_hour_to_the_group() -> None:
    assert whose(COLLEAGUE.user, due=DUE, away=AWAY) is Why.SUBSTITUTE
    assert whose(MEMBER.user, due=DUE, away=AWAY) is None
    assert whose(MEMBER.user, due=NOW_MS + HOUR_MS, away=AWAY) is Why.ABSENT
    assert whose(MEMBER.user, due=NOW_MS - 1, away=AWAY) is Why.ABSENT
    assert whose(STRANGER.user, due=NOW_MS - 1, away=AWAY) is None
    assert whose(MEMBER.user, due=NOW_MS + HOUR_MS) is None, "who is here keeps his promise himself"


@pytest.mark.parametrize(
    ("x", "field"),
    [
        ({"user": 7, "since": "2026-02-30", "until": "2026-03-01"}, "since"),
        ({"user": 7, "since": "2026-03-02", "until": "2026-03-01"}, "until"),
        ({"user": 7, "since": "2026-03-01", "until": "2026-03-02", "substitute": 7}, "substitute"),
        ({"user": "7", "since": "2026-03-01", "until": "2026-03-02"}, "user"),
    ],
)
def test_an_absence_that_is_none(bench: Bench, x: dict[str, Any], field: str) -> None:
    refusal = refused(Code.FIELD_INVALID, lambda: bench.do(Kind.PERSON_AWAY, x, who=ADMINISTRATOR))
    assert refusal.params == {"field": field}


def test_absences_are_the_administrators(bench: Bench) -> None:
    x = {"user": 7, "since": "2026-03-01", "until": "2026-03-02"}
    refused(Code.RIGHT_MISSING, lambda: bench.do(Kind.PERSON_AWAY, x, who=actor(Role.OPERATOR_2)))
    bench.do(Kind.PERSON_AWAY, x, who=ADMINISTRATOR)


dates = st.dates(date(2026, 9, 1), date(2026, 10, 30)).map(date.isoformat)


@given(st.lists(st.builds(Away, st.integers(1, 4), dates, dates, st.integers(5, 9)), max_size=12))
def test_the_last_word_about_a_worker_counts(said: list[Away]) -> None:
    known: list[Away] = []
    for one in said:
        known = with_away(known, one, "2026-09-15")
    assert len({one.user for one in known}) == len(known)
    for one in known:
        assert one == [other for other in said if other.user == one.user][-1]
        assert one.until >= "2026-09-15"
