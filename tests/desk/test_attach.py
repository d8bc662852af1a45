"""A desk whose telephone engine takes its time to start, or can not be had."""

from __future__ import annotations

from collections.abc import Coroutine
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.desk.line import PhoneDesk
from operator_tui.desk.state import Light
from operator_tui.phone.settings import PhoneSettings


class Place:
    """As much of a desk as attaching looks at."""

    def __init__(self) -> None:
        self.profile = SimpleNamespace(synthetic=False, data=Path())
        self.settings = SimpleNamespace(get=lambda _: PhoneSettings())
        self.said: list[Code] = []
        self.lights: list[Light] = []
        self.followed = 0

    def refused(self, refusal: Refusal) -> None:
        self.said.append(refusal.code)

    def light(self, *, phone: Light) -> None:
        self.lights.append(phone)

    def background(self, work: Coroutine[Any, Any, Any]) -> None:
        self.followed += 1
        work.close()


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[Code]:
    """What the attempts to attach are refused with, one by one; then an engine listens."""
    refusals: list[Code] = []

    class Phone:
        def __init__(self, profile: object, *, start_engine: bool) -> None:
            assert start_engine

        async def attach(self) -> None:
            if refusals:
                raise Refusal(refusals.pop(0))

    monkeypatch.setattr("operator_tui.phone.remote.RemotePhone", Phone)
    return refusals


async def test_an_engine_that_takes_its_time_is_started_again_and_told_once(answers: list[Code]) -> None:
    place = Place()
    answers += [Code.PHONE_AWAY, Code.PHONE_AWAY]
    await PhoneDesk(place).attach()  # type: ignore[arg-type]  # made up
    assert place.said == [Code.PHONE_AWAY], "not over every other notice"
    assert place.lights == [Light.AWAY] * 2
    assert place.followed == 1


async def test_an_engine_that_another_desk_has_is_said_once(answers: list[Code]) -> None:
    place = Place()
    answers.append(Code.PHONE_TAKEN)
    with pytest.raises(Refusal) as refused:
        await PhoneDesk(place).attach()  # type: ignore[arg-type]  # made up
    assert refused.value.code is Code.PHONE_TAKEN
    assert not place.followed
