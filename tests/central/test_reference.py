"""The reference data at the centre: a dense stream of the region, decided by who changed what, told to every desk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from litestar.testing import TestClient

from central.app import create_app
from central.reference import references, write
from central.store import tables as t
from central.store.database import Database
from central.verify import verify
from operator_tui.appeals.catalogue import AppealType
from operator_tui.appeals.clock import ManualClock
from operator_tui.appeals.errors import Refusal
from operator_tui.appeals.people import Role
from operator_tui.cli import cli
from operator_tui.reference import packaged_catalogue
from operator_tui.registry.federal import Register, read_register
from operator_tui.sentences import sentence
from tests.central.desks import CONSULTATION, Answer, Desk, Office
from tests.registry.test_federal import CLINICS, INSURERS, written

REF = "26/ref"
THEME = dict(packaged_catalogue().reference.all("themes")[CONSULTATION.code], code="К-99.1", title="Новая тематика")


def group(title: str, code: str = "courts") -> dict[str, Any]:
    return {"list": "groups", "rows": {code: {"code": code, "title": title, "owner": "fund"}}}


def changed(desk: Desk, x: dict[str, Any], **more: Any) -> Answer:
    return desk.send(desk.operation("reference.set", x, **more))


def told(desk: Desk) -> list[Any]:
    """All changes of the reference data, as a desk that has none of them is told."""
    answer = desk.send(c={desk.identity.operator.organisation: 1 << 40})
    return [event for event in answer.events if event.s == REF]


@pytest.fixture
def admin(office: Office) -> Desk:
    return office.desk("Лазарева Нина", Role.ADMINISTRATOR)


def test_every_desk_of_the_region_is_told_and_no_other(office: Office, admin: Desk) -> None:
    assert changed(admin, group("Суды")).states == ["applied"]
    for organisation, count in (("26/tf", 1), ("26/smo-26001", 1), ("77/tf", 0)):
        events = told(office.desk("Петрова", organisation=organisation))
        assert [(event.q, event.k, event.x) for event in events] == [(1, "reference.set", group("Суды"))][:count]
    assert verify(office.database).faults == ()


def test_a_desk_that_has_it_is_not_told_again_not_even_where_it_stands(office: Office, admin: Desk) -> None:
    changed(admin, group("Суды"))
    answer = admin.send(c={"26/tf": 0, REF: 1})
    assert answer.events == []
    assert list(answer.end.end) == ["26/tf"]


@pytest.mark.parametrize(
    ("role", "organisation", "code"),
    [
        (Role.OPERATOR_2, "26/tf", "right_missing"),
        (Role.INSURER_3, "26/smo-26001", "right_missing"),
        (Role.ADMINISTRATOR, "26/smo-26001", "reference_of_fund"),
    ],
)
def test_whose_it_is_not_is_refused(office: Office, role: Role, organisation: str, code: str) -> None:
    desk = office.desk("Чужой", role, organisation)
    answer = changed(desk, group("Суды"))
    assert (answer.states, answer.outcomes[0].w) == (["rejected"], code)
    assert told(desk) == []


def test_who_has_not_seen_the_last_writing_gets_his_back(office: Office, admin: Desk) -> None:
    other = office.desk("Второй", Role.ADMINISTRATOR)
    first = admin.operation("reference.set", group("Суды"))
    admin.send(first)
    answer = changed(other, group("Судебные"))
    assert (answer.states, answer.outcomes[0].w) == (["rejected"], "reference_stale")
    assert changed(other, group("Судебные"), b={"courts": f"{admin.code}:{first.n}"}).states == ["applied"]


def test_changes_of_one_request_see_one_another(admin: Desk) -> None:
    first = admin.operation("reference.set", group("Суды"))
    blind = admin.operation("reference.set", group("Слепая"))
    seeing = admin.operation("reference.set", group("Суд"), b={"courts": f"{admin.code}:{first.n}"})
    theme = {**THEME, "level2_group": "courts"}
    using = admin.operation("reference.set", {"list": "themes", "rows": {"К-99.1": theme}})
    assert admin.send(first, blind, seeing, using).states == ["applied", "rejected", "applied", "applied"]
    assert [event.q for event in told(admin)] == [1, 2, 3]


def test_once_however_often_it_is_sent(admin: Desk) -> None:
    operation = admin.operation("reference.set", group("Суды"))
    assert admin.send(operation).outcomes[0].q == admin.send(operation).outcomes[0].q == 1
    assert len(told(admin)) == 1


def test_appeals_are_decided_by_the_newest_lists(office: Office, admin: Desk, desk: Desk) -> None:
    refused = desk.send(desk.new_card(theme="К-99.1"))
    assert (refused.states, refused.outcomes[0].w) == (["rejected"], "unknown_theme")
    changed(admin, {"list": "themes", "rows": {"К-99.1": THEME}})
    assert desk.send(desk.new_card(theme="К-99.1")).states == ["applied"]


def test_a_process_that_has_not_heard_yet_looks_before_it_refuses(
    open_database: Callable[[], Database], office: Office, admin: Desk, clock: ManualClock
) -> None:
    with TestClient(create_app(open_database(), clock=clock), raise_server_exceptions=False) as client:
        other = office.desk("Петрова")
        other.client = client
        assert other.send(other.new_card()).states == ["applied"], "what it knows is what stood then"
        changed(admin, {"list": "themes", "rows": {"К-99.1": THEME}})
        assert other.send(other.new_card(theme="К-99.1")).states == ["applied"]


def test_a_closed_theme_still_comes_from_a_desk_that_has_not_heard(office: Office, admin: Desk, desk: Desk) -> None:
    row = dict(packaged_catalogue().reference.all("themes")[CONSULTATION.code], off="1")
    changed(admin, {"list": "themes", "rows": {CONSULTATION.code: row}})
    assert desk.send(desk.new_card()).states == ["applied"]
    with office.database.read() as connection:
        now = references(office.database, packaged_catalogue()).now(connection, "26")
    assert CONSULTATION.code not in {theme.code for theme in now.themes_of(AppealType.CONSULTATION)}


def test_federal_registers_by_the_command_line(office: Office, tmp_path: Path) -> None:
    base = packaged_catalogue()
    rows = read_register(written(tmp_path, INSURERS), Register.F002, "26")
    assert write(office.database, base, "26", "organisations", rows, 1_790_000_000_000) == 1
    assert write(office.database, base, "26", "organisations", rows, 1_790_000_000_000) == 0, "nothing twice"
    (event,) = told(office.desk("Петрова"))
    assert (event.op, event.by, list(event.x["rows"])) == ("central:1", 0, ["26003"])
    assert office.rows(t.stream, id=REF)[0].seq == 1


def test_the_command_takes_a_file_whole_or_says_the_row(tmp_path: Path) -> None:
    run = CliRunner()
    clinics, insurers = written(tmp_path, CLINICS), tmp_path / "F002.xml"
    insurers.write_bytes(INSURERS.encode("cp1251"))
    command = ["central", "reference", "import", "--region", "26"]
    done = run.invoke(cli, [*command, "--f002", str(insurers), "--f032", str(clinics)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert "F002: записей 1, изменено 1" in done.output
    assert "F032: записей 1, изменено 1" in done.output
    insurers.write_bytes(INSURERS.replace("26003", "2600").encode("cp1251"))
    with pytest.raises(Refusal) as caught:
        run.invoke(cli, [*command, "--f002", str(insurers)], catch_exceptions=False)
    assert "строка 1: поле SMOCOD" in sentence(caught.value)
    shown = run.invoke(cli, ["central", "reference", "show", "--region", "26", "organisations"], catch_exceptions=False)
    assert "26003;insurer" in shown.output
    assert "260001;clinic" in shown.output
