"""The administrator's alarm and reports to him, as rules."""

from __future__ import annotations

import pytest

from operator_tui.appeals.alarm import (
    DANGER_TITLES,
    TOLD_TITLES,
    WHAT_TO_DO,
    Alarm,
    Danger,
    Report,
    Told,
    parse_alarm,
    parse_report,
    with_report,
)
from operator_tui.appeals.decide import Actor, decide
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import Kind, Operation
from operator_tui.appeals.people import Role
from operator_tui.reference import packaged_catalogue


def decided(kind: Kind, x: dict[str, object], role: Role) -> None:
    operation = Operation(n=1, k=kind.value, at="01a0c4506c000000", x=x)
    decide(None, operation, Actor(1, role, "26/tf"), packaged_catalogue())


def test_everything_has_words() -> None:
    assert set(DANGER_TITLES) == set(Danger)
    assert set(WHAT_TO_DO) == set(Danger) - {Danger.NONE}
    assert set(TOLD_TITLES) == set(Told)


def test_only_an_administrator_sounds_the_alarm_and_everybody_reports() -> None:
    x = {"kind": "evacuation", "since_ms": 5}
    decided(Kind.ALARM, x, Role.ADMINISTRATOR)
    with pytest.raises(Refusal) as refused:
        decided(Kind.ALARM, x, Role.OPERATOR_1)
    assert refused.value.code is Code.RIGHT_MISSING
    decided(Kind.REPORTED, {"id": "1", "kind": "help"}, Role.OPERATOR_1)


@pytest.mark.parametrize(
    ("kind", "x"),
    [
        (Kind.ALARM, {"kind": "war"}),
        (Kind.ALARM, {"kind": "pbx", "text": "ж" * 501}),
        (Kind.REPORTED, {"id": "1", "kind": "rumour"}),
        (Kind.REPORTED, {"id": "1", "kind": "help", "ms": "now"}),
    ],
)
def test_what_is_none_is_refused(kind: Kind, x: dict[str, object]) -> None:
    with pytest.raises(Refusal) as refused:
        decided(kind, x, Role.ADMINISTRATOR)
    assert refused.value.code is Code.FIELD_INVALID


def test_who_reports_is_whoever_sent_it() -> None:
    assert parse_report({"id": "1", "kind": "help", "by": 99}, 7).by == 7


def test_an_alarm_is_taken_back() -> None:
    assert parse_alarm({"kind": "pbx"})
    assert not parse_alarm({"kind": "none"})
    assert not Alarm()


def test_a_report_counts_once_and_old_ones_go() -> None:
    known: list[Report] = []
    for number in (*range(150), 149):
        known = with_report(known, Report(str(number), Told.HELP))
    assert len(known) == 100
    assert [known[0].id, known[-1].id] == ["50", "149"]
