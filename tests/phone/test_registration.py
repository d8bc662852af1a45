"""The watchdog on the registration, by a clock moved by hand and a stack that says what it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("baresip", reason="the sound requirements are not installed")

import baresip

from operator_tui.appeals.clock import ManualClock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.phone import sip_registration
from operator_tui.phone.line import Call, CallState, Direction, EndedBy, LineConfig, RegistrationState
from operator_tui.phone.ports import NullPort
from operator_tui.phone.sip import BaresipLine
from operator_tui.phone.sip_registration import Registrar
from tests.phone.conftest import until

CONFIG = LineConfig(line="sip", extension="2001", register_seconds=60)


class Stack:
    """Runtime and agent in one: answers REGISTER as it is told to."""

    handle = 1

    def __init__(self) -> None:
        self.listeners: list[Callable[[Any], None]] = []
        self.answer: Exception | None = None
        self.attempts = 0
        self.unregistered = False

    def subscribe(self, listener: Callable[[Any], None]) -> None:
        self.listeners.append(listener)

    def unsubscribe(self, listener: Callable[[Any], None]) -> None:
        self.listeners.remove(listener)

    async def register(self, *, timeout: float) -> None:  # noqa: ASYNC109  # the library's own form
        self.attempts += 1
        if self.answer is not None:
            raise self.answer
        self.say(baresip.Event.REGISTER_OK)

    async def unregister(self, *, timeout: float) -> None:  # noqa: ASYNC109
        self.unregistered = True

    def say(self, event: Any, text: str = "") -> None:
        for listener in list(self.listeners):
            listener(baresip.StackEvent(event=event, ua=1, text=text))


class Told:
    def __init__(self) -> None:
        self.all: list[tuple[RegistrationState, Refusal | None]] = []

    def __call__(self, state: RegistrationState, refusal: Refusal | None) -> None:
        self.all.append((state, refusal))

    @property
    def state(self) -> RegistrationState:
        return self.all[-1][0]

    @property
    def code(self) -> Code | None:
        refusal = self.all[-1][1]
        return refusal.code if refusal else None


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sip_registration, "_POLL_SECONDS", 0.005)
    monkeypatch.setattr(sip_registration, "_AGAIN_SECONDS", 0.01)


def registrar(stack: Stack, clock: ManualClock, told: Told) -> Registrar:
    return Registrar(stack, stack, CONFIG, clock, told)  # type: ignore[arg-type]  # plays both parts


@pytest.mark.usefixtures("quick")
async def test_a_silent_registrar_is_lost_within_the_bound_and_found_again() -> None:
    stack, clock, told = Stack(), ManualClock(), Told()
    made = registrar(stack, clock, told)
    made.start()
    await until(lambda: told.state is RegistrationState.OK)
    clock.advance(54)
    stack.say(baresip.Event.REGISTER_OK)  # the refresh
    clock.advance(85)
    await until(lambda: True)
    assert told.state is RegistrationState.OK
    stack.answer = baresip.RegistrationError("no outcome")
    clock.advance(2)
    await until(lambda: told.state is RegistrationState.LOST)
    assert told.code is Code.PBX_AWAY
    attempts = stack.attempts
    await until(lambda: stack.attempts > attempts + 2)
    stack.answer = None
    await until(lambda: told.state is RegistrationState.OK)
    await made.stop()
    assert stack.unregistered


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("error", "state", "code"),
    [
        (baresip.RegistrationError("401", status=401), RegistrationState.FAILED, Code.PHONE_PASSWORD),
        (baresip.RegistrationError("403", status=403), RegistrationState.FAILED, Code.PHONE_PASSWORD),
        (baresip.RegistrationError("404", status=404), RegistrationState.FAILED, Code.PBX_REFUSED),
        (baresip.RegistrationError("408", status=408), RegistrationState.LOST, Code.PBX_AWAY),
        (baresip.RegistrationError("480", status=480), RegistrationState.LOST, Code.PBX_AWAY),
        (baresip.RegistrationError("503", status=503), RegistrationState.LOST, Code.PBX_AWAY),
        (baresip.RegistrationError("gone"), RegistrationState.LOST, Code.PBX_AWAY),
        (baresip.BaresipError("anything"), RegistrationState.LOST, Code.PBX_AWAY),
    ],
)
async def test_each_answer_has_its_sentence(error: Exception, state: RegistrationState, code: Code) -> None:
    stack, told = Stack(), Told()
    stack.answer = error
    made = registrar(stack, ManualClock(), told)
    made.start()
    await until(lambda: told.state is state)
    assert told.code is code
    if state is RegistrationState.FAILED:
        stack.say(baresip.Event.REGISTER_OK)  # nothing a stack says later makes it good
        assert told.state is RegistrationState.FAILED
        assert stack.attempts == 1, "a wrong password is not tried again"
    await made.stop()


@pytest.mark.usefixtures("quick")
async def test_a_refresh_that_fails_is_told_at_once() -> None:
    stack, told = Stack(), Told()
    made = registrar(stack, ManualClock(), told)
    made.start()
    await until(lambda: told.state is RegistrationState.OK)
    stack.answer = baresip.RegistrationError("gone")
    stack.say(baresip.Event.REGISTER_FAIL, "Connection refused [111]")
    assert told.code is Code.PBX_AWAY
    stack.say(baresip.Event.REGISTER_FAIL, "403 Forbidden")
    assert told.code is Code.PHONE_PASSWORD
    await made.stop()


@pytest.mark.usefixtures("quick")
async def test_it_may_be_stopped_twice_and_before_it_began() -> None:
    stack, told = Stack(), Told()
    made = registrar(stack, ManualClock(), told)
    await made.stop()
    assert not stack.unregistered
    made.start()
    await until(lambda: told.state is RegistrationState.OK)
    await made.stop()
    await made.stop()
    assert not stack.listeners


async def test_a_wrong_secret_in_a_talk_closes_the_stack_when_the_last_call_is_over() -> None:
    """Else it would go on trying until the PBX locks the account."""
    closed: list[str] = []

    class Runtime:
        async def close(self) -> None:
            closed.append("closed")

    line = BaresipLine(NullPort(), ManualClock())
    line._runtime = Runtime()  # type: ignore[assignment]  # as much of one as closing needs
    for call in ("first", "second"):
        line._enter(Call(call, Direction.INCOMING, "+78652000001", CallState.TALKING, 1, answered_ms=2))
    line._on_registration(RegistrationState.FAILED, Refusal(Code.PHONE_PASSWORD, extension="2001"))
    line._ended("first", EndedBy.THERE, "")
    await asyncio.gather(*line._tasks)
    assert not closed, "somebody is still talked to"
    line._ended("second", EndedBy.THERE, "")
    await asyncio.gather(*line._tasks)
    assert closed == ["closed"]
