"""The reference data on a desk: changed by its administrator at once, for good when the centre has taken it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.people import Role
from operator_tui.appeals.reference import OFF
from operator_tui.appeals.returned import Choice
from operator_tui.journal.journal import Journal
from operator_tui.reference import packaged_catalogue
from tests.journal.making import Server, appeal, enrolled, open_journal

REF = "26/ref"


def group(title: str, code: str = "courts") -> dict[str, dict[str, str]]:
    return {code: {"code": code, "title": title, "owner": "fund"}}


@pytest.fixture
def admin(tmp_path: Path) -> Iterator[Journal]:
    folder = tmp_path / "admin"
    folder.mkdir()
    opened = enrolled(folder, role=Role.ADMINISTRATOR, code="admin1", user=7, number=20)
    yield opened
    opened.close()


def titles(journal: Journal) -> list[str]:
    return [one.title for one in journal.catalogue.offered_groups if one.code == "courts"]


def exchange(server: Server, *journals: Journal) -> None:
    for journal in (*journals, *journals):
        server.answer(journal)
        journal.receive(server.streams.get(REF, [])[journal.cursors().get(REF, 0) :])


def test_without_a_server_a_desk_works_by_the_release(journal: Journal) -> None:
    assert journal.catalogue is packaged_catalogue()


def test_a_change_is_there_at_once_and_stays_when_the_centre_takes_it(admin: Journal, server: Server) -> None:
    admin.change_reference("groups", group("Суды"))
    assert (titles(admin), admin.unsent()) == (["Суды"], 1)
    exchange(server, admin)
    assert (titles(admin), admin.unsent(), admin.cursors()[REF]) == (["Суды"], 0, 1)
    assert admin.catalogue.version == packaged_catalogue().version + "+1"


def test_every_desk_has_it_without_a_new_start(admin: Journal, journal: Journal, server: Server) -> None:
    admin.change_reference("groups", group("Суды"))
    exchange(server, admin, journal)
    assert titles(journal) == ["Суды"]
    card = journal.save(appeal())
    assert card.value("catalogue") == journal.catalogue.version


def test_a_desk_started_anew_has_it(admin: Journal, tmp_path: Path, server: Server) -> None:
    admin.change_reference("groups", group("Суды"))
    admin.close()
    again = open_journal(tmp_path / "admin")
    assert titles(again) == ["Суды"], "not sent yet"
    exchange(server, again)
    again.close()
    once_more = open_journal(tmp_path / "admin")
    assert titles(once_more) == ["Суды"]
    once_more.close()


def test_the_second_of_two_administrators_gets_his_back_and_may_say_it_again(
    admin: Journal, tmp_path: Path, server: Server
) -> None:
    (tmp_path / "other").mkdir()
    other = enrolled(tmp_path / "other", role=Role.ADMINISTRATOR, code="admin2", user=8, number=21)
    admin.change_reference("groups", group("Суды"))
    other.change_reference("groups", group("Судебные дела"))
    exchange(server, admin, other)
    assert titles(other) == titles(admin) == ["Суды"]
    (returned,) = other.returned()
    assert returned.reason is not None
    assert returned.reason.code is Code.REFERENCE_STALE
    assert [(one.mine, one.theirs) for one in returned.differences] == [
        ("courts; Судебные дела; fund", "courts; Суды; fund")
    ]
    other.settle_returned(returned.op, Choice.MINE)
    exchange(server, other, admin)
    assert titles(other) == titles(admin) == ["Судебные дела"]
    assert other.returned() == []
    other.close()


def test_versions_say_who_and_when_and_lead_back(admin: Journal, server: Server) -> None:
    admin.change_reference("groups", group("Суды"))
    admin.change_reference("groups", group("Суд"))
    exchange(server, admin)
    admin.change_reference("reasons", {"V09": {"code": "V09", "use": "void", "title": "Проверка"}})
    assert [(one.number, one.by, one.rows["courts"]["title"]) for one in admin.reference_versions("groups")] == [
        (1, 7, "Суды"),
        (2, 7, "Суд"),
    ]
    assert all(one.at_ms for one in admin.reference_versions("groups"))
    admin.reference_back("groups", 1)
    assert titles(admin) == ["Суды"]
    exchange(server, admin)
    assert admin.reference_versions("groups")[-1].back == 1
    admin.reference_back("groups", 0)
    assert titles(admin) == []
    assert admin.catalogue.groups["courts"].title == "Суды", "what was written by it is still understood"
    with pytest.raises(Refusal) as caught:
        admin.reference_back("groups", 0)
    assert caught.value.code is Code.REFERENCE_SAME
    assert "V09" in admin.catalogue.reference.open("reasons")


def test_fields_by_type_go_back_under_a_number_of_their_own(admin: Journal) -> None:
    rows = list(admin.catalogue.reference.all("fields").values())
    key = "{version}:{types}:{themes}:{field}".format
    second = [{**row, "version": "2", "title": "Другое"} for row in rows]
    admin.change_reference("fields", {key(**row): row for row in second})
    admin.reference_back("fields", 0)
    assert admin.catalogue.forms.latest == 3
    type_, theme = rows[0]["types"], rows[0]["themes"]
    first, second_, third = ({one.title for one in admin.catalogue.forms.asked(n, type_, theme)} for n in (1, 2, 3))
    assert (first, second_) == (third, {"Другое"})


def test_what_is_refused_here_writes_nothing(admin: Journal, journal: Journal) -> None:
    for who, rows, code in (
        (journal, group("Суды"), Code.RIGHT_MISSING),
        (admin, group(""), Code.FIELD_REQUIRED),
        (admin, {"x": {"code": "y", "title": "t", "owner": "fund"}}, Code.FIELD_INVALID),
    ):
        before = who.catalogue
        with pytest.raises(Refusal) as caught:
            who.change_reference("groups", rows)
        assert caught.value.code is code
        assert (who.unsent(), who.catalogue.version) == (0, before.version)


def test_many_rows_go_in_pieces_or_not_at_all(admin: Journal) -> None:
    rows = {f"26{n:04}": clinic(f"26{n:04}") for n in range(120)}
    with pytest.raises(Refusal) as refused:
        admin.change_reference("organisations", {**rows, "269999": {**clinic("269999"), "begins": "вчера"}})
    assert refused.value.code is Code.FIELD_INVALID
    assert (admin.unsent(), len(admin.catalogue.reference.all("organisations"))) == (0, 3)
    admin.change_reference("organisations", rows)
    assert (admin.unsent(), len(admin.catalogue.reference.all("organisations"))) == (3, 123)


def clinic(code: str) -> dict[str, str]:
    return {"code": code, "kind": "clinic", "title": "Клиника", "short": "Клиника"}


def test_a_server_restored_without_it_gets_it_again(admin: Journal, journal: Journal, server: Server) -> None:
    admin.change_reference("groups", group("Суды"))
    exchange(server, admin, journal)
    restored = Server()
    for one in (admin, journal):
        one.rewind(1, "epoch-2")
    assert titles(admin) == titles(journal) == ["Суды"], "kept until it comes again"
    exchange(restored, admin, journal)
    assert titles(admin) == titles(journal) == ["Суды"]
    assert journal.cursors()[REF] == 1


def test_a_closed_row_is_offered_again_when_it_is_opened(admin: Journal) -> None:
    admin.change_reference("groups", group("Суды"))
    admin.change_reference("groups", {"courts": {**group("Суды")["courts"], OFF: "1"}})
    assert titles(admin) == []
    admin.change_reference("groups", group("Суды"))
    assert titles(admin) == ["Суды"]
