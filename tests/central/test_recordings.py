"""Which recordings belong to an appeal, as its organisation's administrator is told."""

from __future__ import annotations

import hashlib
import random
import string
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from central.files import FOLDER_VARIABLE, Files
from central.recordings import recordings_of
from operator_tui.appeals.people import Role
from operator_tui.signin.files import RECORDINGS_PATH
from tests.central.desks import Desk, Office

SOUND = b"sealed sound"
NAME = hashlib.sha256(SOUND).hexdigest()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "files"))


def asked(desk: Desk, card: str) -> Any:
    headers = {"Authorization": f"Bearer {desk.identity.token}"}
    return desk.client.post(RECORDINGS_PATH, json={"v": 1, "card": card}, headers=headers)


def recorded(desk: Desk, call: str, name: str = NAME, **more: Any) -> Any:
    about = {"call": call, "file": f"{call}.otr", "sha256": name, "size": 12, "ms": 60_000, "whole": True, **more}
    return desk.operation("call.recorded", about)


def test_recordings_of_both_calls_of_an_appeal_are_told_and_whether_the_file_is_there(office: Office) -> None:
    desk, boss = office.desk("Первая"), office.desk("Главная", Role.ADMINISTRATOR)
    card = desk.new_card(call="c1")
    desk.send(card, recorded(desk, "c1"), recorded(desk, "c3"))
    assert [one["name"] for one in asked(boss, desk.card_id(card)).json()["recordings"]] == [NAME]
    tried = {"attempts": [{"ms": 1, "by": 1, "outcome": "answered", "call": "c2"}]}
    desk.send(desk.operation("card.set", tried, card=desk.card_id(card)), recorded(desk, "c2", "f" * 64))
    Files("26").begin(NAME, len(SOUND))
    Files("26").append(NAME, 0, SOUND)
    first, second = asked(boss, desk.card_id(card)).json()["recordings"]
    assert (first["call"], first["here"], first["ms"]) == ("c1", True, 60_000)
    assert (second["call"], second["here"], second["by"]) == ("c2", False, desk.identity.operator.user)
    assert asked(boss, desk.card_id(card)).json()["recordings"] == [first, second], "read once, told again"


def test_nobody_else_is_told(office: Office) -> None:
    desk = office.desk("Первая")
    card = desk.new_card(call="c1")
    desk.send(card, recorded(desk, "c1"))
    assert asked(desk, desk.card_id(card)).status_code == 403
    elsewhere = office.desk("Другая", Role.ADMINISTRATOR, organisation="77/tf")
    assert asked(elsewhere, desk.card_id(card)).json()["code"] == "unknown_card"


def test_a_form_it_does_not_know_holds_nothing_up(office: Office) -> None:
    desk, boss = office.desk("Первая"), office.desk("Главная", Role.ADMINISTRATOR)
    card = desk.new_card(call="c1")
    strange = "".join(random.Random(4).choices(string.printable, k=20_000))  # no index of PostgreSQL holds it
    desk.send(card, recorded(desk, "c1", size="much"), recorded(desk, strange), recorded(desk, "c1", "e" * 64))
    assert [one["name"] for one in asked(boss, desk.card_id(card)).json()["recordings"]] == ["e" * 64]


def test_two_who_ask_first_at_once_are_both_told(office: Office) -> None:
    desk = office.desk("Первая")
    card = desk.new_card(call="c1")
    desk.send(card, recorded(desk, "c1"))
    begin = threading.Barrier(4)

    def ask(_: int) -> list[str]:
        begin.wait()
        return [one.name for one in recordings_of(office.database, desk.card_id(card), "26/tf")]

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, range(4))) == [[NAME]] * 4
