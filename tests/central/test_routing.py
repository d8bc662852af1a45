"""The administration's rules as files of the PBX; what a PBX makes of them is tests/phone/test_routing.py."""

from __future__ import annotations

import stat
from datetime import date
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from central import routing
from central.reference import write as write_list
from central.routing import QUEUES, ROUTES, RULES, files_of, reload, write
from central.routing_cli import routing_command
from central.store.database import Database
from operator_tui.appeals.calendar import Country, WorkingCalendar
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.reference import OFF, Reference
from operator_tui.appeals.reference_change import decide_change
from operator_tui.appeals.routing import (
    FITS,
    LEVEL_1,
    OTHER_LANGUAGE,
    OTHER_THEME,
    CallQueue,
    bars,
    chosen,
    members_of,
    queues_of,
)
from operator_tui.reference import packaged_catalogue

SHIPPED = Path(__file__).parents[2] / "deploy" / "asterisk"
PACKAGED = packaged_catalogue().reference


def row(code: str, **more: str) -> dict[str, str]:
    return {"code": code, "title": "Очередь", "order": "rrmemory", **more}


def changed(*rows: dict[str, str]) -> Reference:
    x: dict[str, Any] = {"list": "queues", "rows": {one["code"]: one for one in rows}}
    decide_change(PACKAGED, x, {})
    return PACKAGED.changed([("queues", x["rows"], "k7q2mx:1")])


def test_what_is_shipped_is_version_zero_of_the_lists() -> None:
    for name, text in files_of(PACKAGED, "tf").items():
        assert (SHIPPED / name).read_text(encoding="utf-8") == text, f"make {name} anew"


@pytest.mark.function("K-2.4")
def test_only_level_1_is_asked_whatever_the_queue() -> None:
    directory = PACKAGED.all("directory")
    for queue in (CallQueue("a", "A"), CallQueue("b", "B", "kk"), CallQueue("c", "C", "", "money", widen_s=5)):
        asked = members_of(queue, PACKAGED)
        assert {member.extension for member in asked} == {
            extension for extension, one in directory.items() if one["role"] in LEVEL_1
        }


def test_language_goes_before_theme() -> None:
    known = {one.extension: one.penalty for one in members_of(CallQueue("a", "A", "kk", "money"), PACKAGED)}
    assert known == {"2001": OTHER_LANGUAGE, "2002": FITS, "2005": OTHER_LANGUAGE, "2006": OTHER_THEME}
    assert bars(CallQueue("a", "A", "kk", widen_s=20)) == ((0, FITS), (20, OTHER_THEME), (40, OTHER_LANGUAGE))
    assert bars(CallQueue("a", "A", "kk")) == ((0, FITS),)
    assert bars(CallQueue("a", "A", widen_s=20)) == ()


def test_a_closed_person_is_asked_no_more() -> None:
    closed = {**PACKAGED.all("directory")["2001"], OFF: "1"}
    after = PACKAGED.changed([("directory", {"2001": closed}, "k7q2mx:1")])
    assert "PJSIP/2001" not in files_of(after, "tf")[QUEUES]


def test_who_chooses_nothing_gets_the_usual_queue_and_a_language_goes_before_a_digit() -> None:
    after = changed(row("oms-kk", language="kk"), row("oms-policy", theme="policy", key="1"), row("own", number="1412"))
    queues = queues_of(after)
    for language, key, code in (
        ("ru", "", "oms-1"), ("ru", "1", "oms-policy"), ("ru", "9", "oms-1"),
        ("kk", "", "oms-kk"), ("kk", "1", "oms-kk"),
    ):  # fmt: skip
        queue = chosen(queues, language, key)
        assert queue is not None
        assert queue.code == code, (language, key)
    text = files_of(after, "tf")[ROUTES]
    assert "exten => 1412,1,Set(OMS_LANGUAGE=ru)" in text
    assert "oms/language" in text
    assert "oms/theme" in text
    assert "Read(" not in files_of(PACKAGED, "tf")[ROUTES], "nothing is asked that makes no difference"


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([row("oms-1", **{OFF: "1"})], Code.QUEUE_NEEDED),
        ([row("oms-1", key="1")], Code.QUEUE_NEEDED),
        ([row("oms-1", language="kk")], Code.QUEUE_NEEDED),
        ([row("a", key="1"), row("b", key="1")], Code.FIELD_INVALID),
        ([row("a", key="12")], Code.FIELD_INVALID),
        ([row("a", key="0")], Code.FIELD_INVALID),
        ([row("a", number="1412"), row("b", number="1412")], Code.FIELD_INVALID),
        ([row("A-queue", key="1")], Code.FIELD_INVALID),
        ([row("a]", key="1")], Code.FIELD_INVALID),
        ([row("a", key="1", order="linear")], Code.FIELD_INVALID),
        ([row("a", key="1", theme="nothing")], Code.FIELD_INVALID),
    ],
)
def test_rules_no_pbx_could_keep_are_refused(rows: list[dict[str, str]], code: Code) -> None:
    with pytest.raises(Refusal) as refused:
        changed(*rows)
    assert refused.value.code is code


@given(title=st.text(max_size=30), skills=st.text(max_size=30))
def test_words_of_people_reach_no_file_of_the_pbx(title: str, skills: str) -> None:
    """A line of a dial plan is a program: only what fits a pattern is written."""
    person = {**PACKAGED.all("directory")["2001"], "skills": skills, "name": title}
    after = PACKAGED.changed(
        [
            ("queues", {"oms-1": row("oms-1") | {"title": title}}, "k7q2mx:1"),
            ("directory", {"2001": person}, "k7q2mx:2"),
        ]
    )
    assert files_of(after, "tf") == files_of(PACKAGED, "tf")


def test_hours_are_the_desks_and_the_calendars() -> None:
    night = {"organisation": "tf", "group": "policy", "mode": "night"}
    after = PACKAGED.changed([("night", {"tf": night}, "k7q2mx:1")])
    days = WorkingCalendar(Country.RUSSIA, {date(2026, 12, 12): True, date(2026, 12, 16): False})
    text = files_of(after, "tf", days, date(2026, 12, 9))[ROUTES]
    assert "Return(night)" in text.partition("[oms-days]")[0]
    off = text.partition("[oms-days]")[2]
    assert all(f"exten => {day}," in off for day in ("20261206", "20261216", "20270101"))
    assert "exten => 20261212," not in off, "a Saturday that is worked"
    assert files_of(after, "26001")[ROUTES] == files_of(PACKAGED, "tf")[ROUTES], "another organisation's own"


def test_only_what_differs_is_written_and_whole(tmp_path: Path) -> None:
    assert write(files_of(PACKAGED, "tf"), tmp_path) == [QUEUES, RULES, ROUTES]
    assert write(files_of(PACKAGED, "tf"), tmp_path) == []
    assert write(files_of(changed(row("oms-kk", language="kk")), "tf"), tmp_path) == [QUEUES, ROUTES]
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o644}
    assert {file.name for file in tmp_path.iterdir()} == {QUEUES, RULES, ROUTES}
    with pytest.raises(Refusal) as refused:
        write(files_of(PACKAGED, "tf"), tmp_path / "nowhere")
    assert refused.value.code is Code.FILE_UNREADABLE


def test_a_pbx_that_does_not_answer_is_said(tmp_path: Path) -> None:
    assert not reload((str(tmp_path / "no-asterisk"), "-rx"))
    assert not reload(("false",))
    assert reload(("true",))


def test_the_command_writes_what_the_centre_knows(database: Database, tmp_path: Path) -> None:
    rows = {"oms-kk": row("oms-kk", language="kk")}
    write_list(database, packaged_catalogue(), "26", "queues", rows, 1_800_000_000_000)
    command = routing_command(
        lambda one: click.option("--profile", "profile_name")(click.option("--url")(one)), lambda *_: database
    )
    done = CliRunner().invoke(command, ["--organisation", "26/tf", "--into", str(tmp_path), "--calendar", "RU"])
    assert done.exit_code == 0, done.output
    assert "[oms-kk](oms)" in (tmp_path / QUEUES).read_text(encoding="utf-8")
    assert "exten => 2" in (tmp_path / ROUTES).read_text(encoding="utf-8").partition("[oms-days]")[2]


def test_files_the_pbx_has_not_taken_are_taken_by_the_next_run(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written, and the PBX was away, or this program was killed, before they were: nothing differs any more."""
    answers = iter([False, True])
    monkeypatch.setattr(routing, "reload", lambda: next(answers))
    command = routing_command(
        lambda one: click.option("--profile", "profile_name")(click.option("--url")(one)), lambda *_: database
    )
    given = ["--organisation", "26/tf", "--into", str(tmp_path), "--reload"]
    assert CliRunner().invoke(command, given).exit_code == 1
    assert CliRunner().invoke(command, given).exit_code == 0
    assert list(answers) == []
