"""A headset that is pulled out and put back, by a PortAudio that does what it is told to."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.phone import portaudio
from operator_tui.phone.line import LineConfig, Sound, SoundState
from operator_tui.phone.portaudio import PyAudioCard

CONFIG = LineConfig(input_device="headset", output_device="headset", ring_device="loudspeaker")
BUILT_IN = {"built-in": (1, 0), "loudspeaker": (0, 1)}
HEADSET = {"headset": (1, 1)}


class Stream:
    def __init__(self, machine: Machine, device: str, callback: Callable[..., Any]) -> None:
        self.device, self.callback = device, callback
        machine.streams.append(self)
        self._machine = machine
        self.run()

    def run(self) -> None:
        """One period of 20 ms, if the device is there."""
        if self.device in self._machine.plugged:
            self.callback(b"\x10\x00" * 960, 960, {}, 0)

    def close(self) -> None:
        if self in self._machine.streams:
            self._machine.streams.remove(self)


class Machine:
    """PyAudio's module and object in one. Like the real one it lists what was plugged in when it was started."""

    paInt16, paContinue = 8, 0

    def __init__(self) -> None:
        self.plugged: dict[str, tuple[int, int]] = BUILT_IN | HEADSET
        self.known: list[str] = []
        self.streams: list[Stream] = []
        self.starts = 0

    def PyAudio(self) -> Machine:  # the library's name
        self.known = list(self.plugged)
        self.starts += 1
        return self

    def terminate(self) -> None:
        self.streams.clear()

    def get_device_count(self) -> int:
        return len(self.known)

    def get_device_info_by_index(self, index: int) -> dict[str, object]:
        name = self.known[index]
        ins, outs = self.plugged.get(name, (BUILT_IN | HEADSET)[name])
        return {"name": name, "maxInputChannels": ins, "maxOutputChannels": outs}

    def get_default_input_device_info(self) -> dict[str, object]:
        return {"name": "built-in"}

    def get_default_output_device_info(self) -> dict[str, object]:
        return {"name": "loudspeaker"}

    def open(self, stream_callback: Callable[..., Any], **options: Any) -> Stream:
        index = options.get("input_device_index", options.get("output_device_index"))
        if self.known[index] not in self.plugged:
            raise OSError("Device unavailable")
        return Stream(self, self.known[index], stream_callback)

    @property
    def carrying(self) -> list[str]:
        return sorted(stream.device for stream in self.streams)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine()
    monkeypatch.setitem(sys.modules, "pyaudio", made)
    for name, value in {"_SILENT_SECONDS": 0.0, "_AGAIN_SECONDS": -1.0, "_PROBE_SECONDS": 0.01}.items():
        monkeypatch.setattr(portaudio, name, value)
    return made


@pytest.fixture
def card(machine: Machine) -> Iterator[PyAudioCard]:
    def find(config: LineConfig) -> Sound:
        there = machine.plugged
        device = "headset" if "headset" in there else ""
        inputs = tuple(name for name, (ins, _) in there.items() if ins)
        outputs = tuple(name for name, (_, outs) in there.items() if outs)
        return Sound(inputs=inputs, outputs=outputs, input=device or "built-in", output=device or "loudspeaker")

    made = PyAudioCard(CONFIG, finder=find)
    yield made
    made.close()


def silence(size: int) -> bytes:
    return bytes(size)


def test_a_headset_pulled_out_in_a_talk_gives_way_and_is_taken_again(machine: Machine, card: PyAudioCard) -> None:
    heard: list[bytes] = []
    card.port.start(8000, silence, heard.append)
    assert machine.carrying == ["headset", "headset"]
    del machine.plugged["headset"]
    changed = card.look()
    assert (changed.state, changed.input, changed.output) == (SoundState.OK, "built-in", "loudspeaker")
    assert machine.carrying == ["built-in", "loudspeaker"]
    before = len(heard)
    for stream in machine.streams:
        stream.run()
    assert len(heard) > before, "the talk goes on"
    machine.plugged["headset"] = HEADSET["headset"]
    changed = card.look()
    assert (changed.input, changed.output) == ("headset", "headset")
    assert machine.carrying == ["headset", "headset"]
    card.port.stop()
    assert not machine.streams


def test_the_talk_waits_where_nothing_is_left_and_goes_on_with_what_comes(machine: Machine, card: PyAudioCard) -> None:
    card.port.start(8000, silence, lambda pcm: None)
    machine.plugged.clear()
    machine.known.clear()
    assert card.look().state is SoundState.NO_SOUND
    assert not machine.streams
    machine.plugged.update(BUILT_IN)
    assert card.look().state is SoundState.OK
    assert machine.carrying == ["built-in", "loudspeaker"]


def test_a_card_that_is_well_is_left_alone(
    machine: Machine, card: PyAudioCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portaudio, "_SILENT_SECONDS", 60.0)
    card.port.start(8000, silence, lambda pcm: None)
    sound = card.sound
    for _ in range(100):
        assert card.look() is sound
    assert machine.starts == 1, "PortAudio is not started again under a talk"


def test_it_rings_on_another_device_than_it_talks_on(machine: Machine, card: PyAudioCard) -> None:
    card.port.start(8000, silence, lambda pcm: None)
    card.ring(True)
    card.on_worker(lambda: None)
    assert machine.carrying == ["headset", "headset", "loudspeaker"]
    card.ring(False)
    card.on_worker(lambda: None)
    assert machine.carrying == ["headset", "headset"]


def test_the_check_is_not_for_the_middle_of_a_talk(card: PyAudioCard) -> None:
    card.port.start(8000, silence, lambda pcm: None)
    with pytest.raises(Refusal) as refused:
        card.check()
    assert refused.value.code is Code.CALL_ACTIVE
    card.port.stop()
    card.sound = msgspec.structs.replace(card.sound, state=SoundState.NO_MICROPHONE)
    with pytest.raises(Refusal) as refused:
        card.check()
    assert refused.value.code is Code.NO_MICROPHONE


def test_devices_are_open_before_the_answer_and_what_they_hear_goes_nowhere(
    machine: Machine, card: PyAudioCard
) -> None:
    heard: list[bytes] = []
    card.warm(True)
    early = list(machine.streams)
    assert machine.carrying == ["headset", "headset"]
    for stream in early:
        stream.run()
    card.port.start(8000, silence, heard.append)
    assert machine.streams == early, "nothing had to be opened"
    assert heard == [], "not what was said while it rang"
    for stream in machine.streams:
        stream.run()
    assert heard
    card.port.stop()
    assert machine.streams == early, "kept over a hold"
    card.port.start(16_000, silence, heard.append)
    assert machine.streams != early, "another codec, other streams"
    card.port.stop()
    card.warm(False)
    assert not machine.streams


def test_a_device_that_is_away_before_the_answer_is_said_by_the_talk(machine: Machine, card: PyAudioCard) -> None:
    machine.plugged.clear()
    card.warm(True)
    assert not machine.streams
    with pytest.raises(Refusal) as refused:
        card.port.start(8000, silence, lambda pcm: None)
    assert refused.value.code is Code.NO_SOUND
    card.warm(False)
