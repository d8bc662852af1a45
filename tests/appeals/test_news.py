"""Announcements: for whom, from when to when, and read until they are changed."""

from __future__ import annotations

import pytest

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.news import news_of, unread
from operator_tui.appeals.people import Role
from operator_tui.appeals.reference import OFF, Reference
from operator_tui.appeals.reference_change import decide_change
from operator_tui.reference import packaged_catalogue

PACKAGED = packaged_catalogue().reference
ROW = {"code": "n1", "title": "Новый приказ", "text": "С понедельника…", "begins": "2026-11-20", "ends": "2026-11-30"}


def said(*rows: dict[str, str], op: str = "k7q2mx:1") -> Reference:
    changes = {row["code"]: row for row in rows}
    decide_change(PACKAGED, {"list": "news", "rows": changes}, {})
    return PACKAGED.changed([("news", changes, op)])


def codes(reference: Reference, role: Role = Role.OPERATOR_1, today: str = "2026-11-22") -> list[str]:
    return [one.code for one in news_of(reference, role, today)]


@pytest.mark.parametrize(
    ("today", "shown"), [("2026-11-19", 0), ("2026-11-20", 1), ("2026-11-30", 1), ("2026-12-01", 0)]
)
def test_it_is_shown_from_its_first_to_its_last_day(today: str, shown: int) -> None:
    assert len(codes(said(ROW), today=today)) == shown


def test_it_is_for_its_roles_and_without_an_end_it_stays_and_closed_it_is_gone() -> None:
    after = said(ROW, {**ROW, "code": "n2", "roles": "o2 adm", "ends": ""}, {**ROW, "code": "n3", OFF: "1"})
    assert codes(after) == ["n1"]
    assert codes(after, Role.ADMINISTRATOR) == ["n2", "n1"]
    assert codes(after, Role.OPERATOR_2, "2030-01-01") == ["n2"]


def test_what_was_read_is_new_again_when_it_was_changed() -> None:
    (before,) = news_of(said(ROW), Role.OPERATOR_1, "2026-11-22")
    assert unread([before], {before.mark}) == []
    (after,) = news_of(said({**ROW, "text": "Со вторника…"}, op="k7q2mx:2"), Role.OPERATOR_1, "2026-11-22")
    assert unread([after], {before.mark}) == [after]


def test_one_without_a_day_or_for_nobody_known_is_refused() -> None:
    for row in ({**ROW, "begins": ""}, {**ROW, "roles": "boss"}, {**ROW, "text": ""}):
        with pytest.raises(Refusal) as refused:
            said(row)
        assert refused.value.code in (Code.FIELD_REQUIRED, Code.FIELD_INVALID)
