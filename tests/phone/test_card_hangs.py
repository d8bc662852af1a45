"""A sound card that does not answer holds up nobody but its own sound."""

from __future__ import annotations

import asyncio
import threading

import pytest

from operator_tui.phone import sounding
from operator_tui.phone.line import LineConfig, Sound, SoundState
from operator_tui.phone.sound import NullCard
from tests.phone.conftest import PATIENCE, QUICK, Bench, until


async def test_a_card_that_hangs_does_not_hold_up_work(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def hangs(config: LineConfig) -> NullCard:
        released.wait(PATIENCE)
        return NullCard(Sound())

    monkeypatch.setattr(sounding, "_CARD_SECONDS", 0.05)
    bench.engine._sound._make = hangs
    desk = await bench.desk()
    await desk.phone.begin_work(QUICK)
    assert desk.snapshot.sound.state is SoundState.NO_SOUND
    await bench.ring(desk)
    released.set()


async def test_a_card_that_hangs_in_a_talk_is_told_and_its_return_too(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()

    class HangingCard(NullCard):
        def look(self) -> Sound:
            released.wait(PATIENCE)
            return self.sound

    monkeypatch.setattr(sounding, "_LOOK_SECONDS", 0.1)
    bench.engine._sound._make = lambda config: HangingCard(Sound())
    desk = await bench.desk()
    await desk.phone.begin_work(QUICK)
    await until(lambda: desk.snapshot.sound.state is SoundState.NO_SOUND)
    released.set()
    await until(lambda: desk.snapshot.sound.state is SoundState.OK)


async def test_a_card_that_hangs_as_it_closes_does_not_hold_up_the_end_of_work(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()

    class HangingCard(NullCard):
        def close(self) -> None:
            released.wait(PATIENCE)

    monkeypatch.setattr(sounding, "_CLOSE_SECONDS", 0.1)
    bench.engine._sound._make = lambda config: HangingCard(Sound())
    desk = await bench.desk()
    try:
        await desk.phone.begin_work(QUICK)
        await asyncio.wait_for(desk.phone.end_work(), PATIENCE / 2)
        assert not desk.snapshot.working
    finally:
        released.set()
