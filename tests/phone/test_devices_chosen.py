"""Other devices are taken in the middle of a talk: the talk goes on, and a new engine knows them too."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from operator_tui.phone.engine import Engine
from operator_tui.phone.line import LineConfig, Sound
from operator_tui.phone.sound import NullCard
from tests.phone.conftest import PATIENCE, QUICK, Bench, until

CHOSEN = {"input_device": "headset", "output_device": "headset", "ring_device": "horn"}
MICROPHONES, SPEAKERS = ("built-in", "headset"), ("loudspeaker", "headset", "horn")


class Shelf(NullCard):
    """A card that has these devices and takes what it is told to."""

    def __init__(self, config: LineConfig) -> None:
        super().__init__(Sound())
        self.set_devices(config.input_device, config.output_device, config.ring_device)

    def set_devices(self, input: str, output: str, ring: str) -> Sound:
        own = (input or MICROPHONES[0], output or SPEAKERS[0], ring or SPEAKERS[0])
        self.sound = Sound(inputs=MICROPHONES, outputs=SPEAKERS, input=own[0], output=own[1], ring=own[2])
        return self.sound


def used(sound: Sound) -> tuple[str, str, str]:
    return sound.input, sound.output, sound.ring


async def test_devices_change_in_a_talk_and_a_new_engine_begins_with_them(bench: Bench) -> None:
    bench.engine._sound._make = Shelf
    desk = await bench.desk()
    await desk.phone.begin_work(QUICK)
    assert used(desk.snapshot.sound) == ("built-in", "loudspeaker", "loudspeaker")
    call = await bench.ring(desk)
    await desk.phone.answer(call.id)
    await desk.phone.set_devices("headset", "headset", "horn")
    assert used(desk.snapshot.sound) == ("headset", "headset", "horn"), "told before the act returns"
    assert [one.id for one in desk.snapshot.calls] == [call.id]
    await desk.phone.begin_work(replace(QUICK, **CHOSEN))
    assert [one.id for one in desk.snapshot.calls] == [call.id], "work that goes on so is not begun anew"
    bench.engine.end()
    await asyncio.wait_for(bench.running, PATIENCE)
    other = Engine(bench.profile.phone_socket, clock=bench.clock, card=Shelf, poll_seconds=0.01)
    running = asyncio.create_task(other.run())
    await until(lambda: desk.phone.attached and desk.snapshot.working)
    assert used(desk.snapshot.sound) == ("headset", "headset", "horn")
    other.end()
    await running
