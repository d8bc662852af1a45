"""What is looked at before a shift, in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from operator_tui.desk.checks import OLD_DAYS, checks
from operator_tui.desk.state import DeskState, Light, Lights
from operator_tui.phone.line import Registration, RegistrationState, Sound, SoundState

TODAY = date(2026, 11, 22)
WELL = DeskState(
    lights=Lights(phone=Light.ON, server=Light.ON, registry=Light.ON, registry_day="20.11.2026"),
    registration=Registration(RegistrationState.OK, "2001"),
    sound=Sound(input="Гарнитура"),
)


def bad(state: DeskState) -> list[str]:
    return [one.text for one in checks(state, TODAY) if not one.good]


def test_a_desk_that_is_well_says_how_it_stands() -> None:
    assert bad(WELL) == []
    said = " ".join(one.text for one in checks(WELL, TODAY))
    assert all(word in said for word in ("Гарнитура", "2001", "сервер: на связи", "20.11.2026, дней: 2"))


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (replace(WELL, sound=Sound(SoundState.NO_MICROPHONE)), "микрофон"),
        (replace(WELL, registration=Registration(RegistrationState.LOST)), "линия не подключена"),
        (replace(WELL, registration=Registration(RegistrationState.FAILED)), "линия не подключена"),
        (replace(WELL, lights=replace(WELL.lights, server=Light.AWAY)), "сервера нет"),
        (replace(WELL, lights=replace(WELL.lights, registry=Light.AWAY)), "реестра нет"),
        (replace(WELL, lights=replace(WELL.lights, registry_day="01.11.2026")), "устарел"),
    ],
)
def test_what_is_wrong_is_one_line_of_its_own(state: DeskState, word: str) -> None:
    (said,) = bad(state)
    assert word in said


def test_a_part_that_is_starting_is_not_wrong_and_neither_is_work_that_has_not_begun() -> None:
    state = replace(WELL, registration=Registration(), lights=Lights())
    assert bad(state) == []
    said = [one.text for one in checks(state, TODAY)]
    assert "сервер: подключается" in said, "nobody knows yet whether it is there"


def test_a_registry_is_old_after_a_week() -> None:
    for age, count in ((OLD_DAYS, 0), (OLD_DAYS + 1, 1)):
        day = date.fromordinal(TODAY.toordinal() - age).strftime("%d.%m.%Y")
        assert len(bad(replace(WELL, lights=replace(WELL.lights, registry_day=day)))) == count
