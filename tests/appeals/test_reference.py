"""The lists everybody works by: what a change of them may be, and what it leaves behind."""

from __future__ import annotations

from typing import Any

import pytest

from operator_tui.appeals.catalogue import AppealType, Catalogue, catalogue_of
from operator_tui.appeals.decide import Actor, decide
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import Change, Kind, Operation, reference_stream, stream_for
from operator_tui.appeals.people import Role
from operator_tui.appeals.reference import OFF, Reference, Version, key_of, rows_back
from operator_tui.appeals.reference_change import MOST_ROWS, decide_change, latest_form
from operator_tui.appeals.reference_forms import LISTS
from operator_tui.reference import packaged_catalogue

ADMINISTRATOR = Actor(7, Role.ADMINISTRATOR, "26/tf")
R27 = {
    "code": "R27", "title": "Передано в суд", "types": "Жалоба|Заявление", "required_fields": "comment",
    "next_status": "На рассмотрении", "final": "1", "needs_admin": "1", "justified": "", "origin": "practice",
}  # fmt: skip


@pytest.fixture(scope="module")
def packaged() -> Reference:
    return packaged_catalogue().reference


def change(name: str, *rows: dict[str, str], **more: Any) -> dict[str, Any]:
    return {"list": name, "rows": {key_of(row, LISTS[name].keys): row for row in rows}, **more}


def refused(reference: Reference, x: dict[str, Any], b: dict[str, str] | None = None) -> Refusal:
    with pytest.raises(Refusal) as caught:
        decide_change(reference, x, b or {})
    return caught.value


def said(x: dict[str, Any], actor: Actor = ADMINISTRATOR, catalogue: Catalogue | None = None) -> Change:
    operation = Operation(n=1, k=Kind.REFERENCE_SET.value, at="0" * 16, x=x)
    return decide(None, operation, actor, catalogue or packaged_catalogue())


@pytest.mark.parametrize("name", list(LISTS))
def test_every_row_of_the_release_is_one_of_its_list(packaged: Reference, name: str) -> None:
    rows = packaged.all(name)
    # What only a region adds: its own days, announcements and wordings.
    assert bool(rows) is (name not in {"calendar", "news", "answers"})
    for key, row in rows.items():
        LISTS[name].demand(key, row, packaged)


def test_the_lists_of_the_issue_are_there(packaged: Reference) -> None:
    wanted = {"results", "reasons", "terms", "calendar", "breaks", "organisations", "groups", "directory", "fields"}
    assert wanted <= LISTS.keys()
    assert all(packaged.open(name) for name in wanted - {"calendar"})


def test_a_change_is_a_version_and_leaves_the_one_before_as_it_was(packaged: Reference) -> None:
    decide_change(packaged, change("results", R27), {})
    after = packaged.changed([("results", {"R27": R27}, "k7q2mx:41")])
    assert (after.version, after.writer("results", "R27")) == (f"{packaged.version}+1", "k7q2mx:41")
    assert "R27" not in packaged.all("results")
    catalogue = catalogue_of(after)
    assert catalogue.results["R27"].required == {"comment"}
    assert catalogue.results["R27"] in catalogue.results_of(AppealType.COMPLAINT)


def test_a_closed_row_is_known_and_offered_to_nobody(packaged: Reference) -> None:
    theme = dict(next(iter(packaged.all("themes").values())))
    closed = {**theme, OFF: "1"}
    decide_change(packaged, change("themes", closed), {})
    catalogue = catalogue_of(packaged.changed([("themes", {theme["code"]: closed}, "a:1")]))
    assert catalogue.theme(theme["code"]).title == theme["title"]
    assert theme["code"] not in {one.code for one in catalogue.themes_of(AppealType(theme["type"]))}


@pytest.mark.parametrize(
    ("name", "row", "code"),
    [
        ("results", {**R27, "title": ""}, Code.FIELD_REQUIRED),
        ("results", {**R27, "types": "Жалоба|Сплетня"}, Code.FIELD_INVALID),
        ("results", {**R27, "required_fields": "bribe"}, Code.FIELD_INVALID),
        ("results", {**R27, "code": "R 27"}, Code.FIELD_INVALID),
        ("results", {**R27, "final": "да"}, Code.FIELD_INVALID),
        ("results", {**R27, "title": "x" * 5000}, Code.FIELD_INVALID),
        ("terms", {"code": "answer", "title": "Ответ", "days": "0"}, Code.FIELD_INVALID),
        ("terms", {"code": "never", "title": "Ответ", "days": "30"}, Code.FIELD_INVALID),
        ("calendar", {"date": "2026-02-30", "day": "off"}, Code.FIELD_INVALID),
        ("calendar", {"date": "20260223", "day": "off"}, Code.FIELD_INVALID),
        ("quick", {"code": "q", "title": "t", "theme": "Ж-0", "result": "R26", "words": "w"}, Code.FIELD_INVALID),
        ("groups", {"code": "g", "title": "t", "owner": "me"}, Code.FIELD_INVALID),
        ("directory", {"extension": "20a1", "name": "Кто-то", "role": "o1"}, Code.FIELD_INVALID),
    ],
)
def test_a_row_that_is_none_is_refused_by_name(packaged: Reference, name: str, row: dict[str, str], code: Code) -> None:
    refusal = refused(packaged, change(name, row))
    assert refusal.code is code
    assert refusal.params["field"] in {column.title for column in LISTS[name].columns}


@pytest.mark.parametrize(
    "x",
    [
        {"list": "nothing", "rows": {"a": {}}},
        {"list": "results"},
        {"list": "results", "rows": {}},
        {"list": "results", "rows": ["R01"]},
        {"list": "results", "rows": {"R27": "R27"}},
        {"list": "results", "rows": {"R27": {**R27, "final": 1}}},
        {"list": "results", "rows": {"R28": R27}},
        {"list": "results", "rows": {"a\0": R27}},
        {"list": ["results"], "rows": {"R27": R27}},
        {
            "list": "groups",
            "rows": {f"g{n}": {"code": f"g{n}", "title": "t", "owner": "fund"} for n in range(MOST_ROWS + 1)},
        },
    ],
)
def test_whatever_json_came_it_is_refused(packaged: Reference, x: dict[str, Any]) -> None:
    assert refused(packaged, x).code in (Code.FIELD_INVALID, Code.FIELD_REQUIRED)


def test_who_has_not_seen_the_last_writing_is_refused(packaged: Reference) -> None:
    after = packaged.changed([("results", {"R27": R27}, "a:1")])
    assert refused(after, change("results", R27)).code is Code.REFERENCE_STALE
    decide_change(after, change("results", R27), {"R27": "a:1"})


def test_an_appeal_of_any_type_can_still_be_ended(packaged: Reference) -> None:
    closed = {key: {**row, OFF: "1"} for key, row in packaged.all("results").items() if "Благодарность" in row["types"]}
    refusal = refused(packaged, {"list": "results", "rows": closed})
    assert (refusal.code, refusal.params["type"]) == (Code.REFERENCE_NEEDED, "Благодарность")


def test_fields_that_a_card_was_asked_by_are_never_edited(packaged: Reference) -> None:
    rows = [dict(row) for row in packaged.all("fields").values()]
    assert latest_form(packaged) == 1
    assert refused(packaged, change("fields", {**rows[0], "title": "Иначе"})).code is Code.REFERENCE_STALE
    following = [{**row, "version": "2", "title": row["title"] + " ?"} for row in rows]
    decide_change(packaged, change("fields", *following), {})
    after = packaged.changed([("fields", change("fields", *following)["rows"], "a:1")])
    forms = catalogue_of(after).forms
    type_, theme = rows[0]["types"], rows[0]["themes"]
    assert forms.latest == forms.version_for(type_, theme) == 2
    before = [field.title for field in forms.asked(1, type_, theme)]
    assert before[0] == rows[0]["title"]
    assert [field.title for field in forms.asked(2, type_, theme)] == [f"{title} ?" for title in before]


def test_the_terms_that_are_set_are_the_terms_that_count(packaged: Reference) -> None:
    rows = {"answer": {"code": "answer", "title": "Ответ", "days": "20"}}
    decide_change(packaged, {"list": "terms", "rows": rows}, {})
    terms = catalogue_of(packaged.changed([("terms", rows, "a:1")])).terms
    assert (terms.answer, terms.register, terms.extension) == (20, 3, 30)


def test_the_way_back_is_a_change_too() -> None:
    base = {"a": {"code": "a", "title": "1"}, "b": {"code": "b", "title": "1"}}
    versions = [
        Version(1, 0, 7, {"a": {"code": "a", "title": "2"}}),
        Version(2, 0, 7, {"c": {"code": "c", "title": "1"}}),
        Version(3, 0, 7, {"a": {"code": "a", "title": "3"}, "c": {"code": "c", "title": "2"}}),
    ]
    assert rows_back(base, versions, 3) == {}
    assert rows_back(base, versions, 2) == {"a": {"code": "a", "title": "2"}, "c": {"code": "c", "title": "1"}}
    assert rows_back(base, versions, 0) == {"a": base["a"], "c": {"code": "c", "title": "2", OFF: "1"}}


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
def test_only_an_administrator_changes_them(role: Role) -> None:
    with pytest.raises(Refusal) as caught:
        said(change("results", R27), Actor(7, role, "26/tf"))
    assert caught.value.code is Code.RIGHT_MISSING


def test_they_are_the_funds() -> None:
    assert said(change("results", R27)) == Change()
    with pytest.raises(Refusal) as caught:
        said(change("results", R27), Actor(7, Role.ADMINISTRATOR, "26/smo-26001"))
    assert caught.value.code is Code.REFERENCE_OF_FUND


def test_they_have_a_stream_of_their_own() -> None:
    assert stream_for(Kind.REFERENCE_SET, "26/tf") == reference_stream("26/smo-26001") == "26/ref"
