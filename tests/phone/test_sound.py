"""The sound: real PyAudio on PipeWire's null sinks, and what is said when there is no microphone or no sound."""

from __future__ import annotations

import array
import asyncio
import json
import threading
import time
import wave
from pathlib import Path

import pytest

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.phone.line import LineConfig, SoundState, told
from operator_tui.phone.log import ALLOWED
from operator_tui.phone.ports import WavPort
from operator_tui.phone.remote import RemotePhone
from operator_tui.phone.sound import NullCard, open_card
from operator_tui.phone.tones import RING_HERTZ, peak, ring_period, tone
from operator_tui.profiles import open_profile
from operator_tui.sentences import sentence
from tests.peers.pipewire import SoundCard
from tests.peers.tones import holds, loudness, strength
from tests.phone.conftest import Desk, until

RATE = 8000
CARD_SECONDS = 2.0


def test_tones_are_what_they_say() -> None:
    pcm = tone(440, RATE, 1.0)
    assert len(pcm) == RATE * 2
    assert holds(pcm, RATE, 440)
    assert not holds(pcm, RATE, 460)
    assert strength(pcm, RATE, 1000) < 20
    assert 0.34 < peak(pcm) <= 0.35
    assert peak(b"") == 0.0


def test_it_rings_one_second_of_five() -> None:
    period = ring_period(RATE)
    assert len(period) == 5 * RATE * 2
    assert holds(period[: RATE * 2], RATE, RING_HERTZ)
    assert loudness(period[RATE * 2 :]) == 0


def test_a_wav_port_speaks_and_hears_in_real_time(tmp_path: Path) -> None:
    speak, hear = tmp_path / "speak.wav", tmp_path / "hear.wav"
    with wave.open(str(speak), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(tone(600, RATE, 1.0))
    said, enough = bytearray(), threading.Event()

    def push(pcm: bytes) -> None:
        said.extend(pcm)
        if len(said) >= RATE:
            enough.set()

    port, answer = WavPort(speak, hear), tone(900, RATE, 0.02)
    began = time.monotonic()
    port.start(RATE, lambda size: answer[:size], push)
    assert enough.wait(60)
    port.stop()
    assert time.monotonic() - began > 0.4, "half a second of sound takes half a second"
    assert holds(bytes(said[: RATE // 2 * 2]), RATE, 600)
    with wave.open(str(hear), "rb") as file:
        assert file.getnframes() >= RATE * 0.4
    with pytest.raises(Refusal) as wrong:
        port.start(RATE * 2, lambda size: b"", push)
    assert wrong.value.code is Code.NO_MICROPHONE


@pytest.mark.needs("pipewire", "sound")
async def test_both_ways_through_portaudio_keep_the_cards_time(sound_card: SoundCard) -> None:
    card = open_card(LineConfig(**sound_card.devices))  # type: ignore[arg-type]  # names of settings
    assert card.sound.state is SoundState.OK
    sound_card.speak(440)
    voice, at, said, pulled = tone(600, RATE, 1.0), 0, bytearray(), 0

    def pull(size: int) -> bytes:
        nonlocal at, pulled
        pulled += size
        piece = (voice[at:] + voice)[:size]
        at = (at + size) % len(voice)
        return piece

    try:
        card.port.start(RATE, pull, said.extend)
        await sound_card.until_heard(600)
        await until(lambda: holds(bytes(said[-RATE:]), RATE, 440))
        # By the card's clock, not the machine's: under load both wait, but neither may lose what the other has.
        spoken, heard = len(said), pulled
        await asyncio.to_thread(sound_card.let_pass, CARD_SECONDS)
        spoken, heard = (len(said) - spoken) / 2 / RATE, (pulled - heard) / 2 / RATE
        assert spoken > 0.9 * CARD_SECONDS, "frames of the microphone are lost"
        assert 0.9 < spoken / heard < 1.1, "the two ways drift apart"
        await until(lambda: all(level > 0.2 for level in card.levels()))
        card.set_devices("", "bell", "speaker")  # in the middle of the talk
        await sound_card.until_heard(600, "bell")
        assert sound_card.loudness(0.2) < 10
        card.set_devices(*(sound_card.devices[f"{way}_device"] for way in ("input", "output", "ring")))
        await sound_card.until_heard(600)
        card.port.stop()
        assert sound_card.loudness(0.2) < 10
        assert await asyncio.to_thread(card.check) > 0.2, "two seconds of what is spoken"
        card.ring(True)
        await sound_card.until_heard(RING_HERTZ, "bell")
        card.ring(False)
        await until(lambda: sound_card.loudness(0.2, "bell") < 10)
    finally:
        card.close()


@pytest.mark.needs("pipewire", "sound")
@pytest.mark.function("K-3.4")
async def test_without_a_microphone_the_softphone_alone_stays_off(sound_card: SoundCard, home: Path) -> None:
    (home / ".asoundrc").write_text(sound_card.asoundrc(microphone=False))
    profile = open_profile("work")
    profile.make_folders()
    desk = Desk(RemotePhone(profile))
    await desk.phone.attach()
    config = LineConfig(line="sip", server="127.0.0.1:9", extension="2001", **sound_card.devices)  # type: ignore[arg-type]
    with pytest.raises(Refusal) as refused:
        await desk.phone.begin_work(config, "secret")
    assert refused.value.code is Code.NO_MICROPHONE
    assert "Без подключенного микрофона программный телефон работать не будет" in sentence(refused.value)
    assert not desk.snapshot.working
    assert desk.snapshot.sound.state is SoundState.NO_MICROPHONE
    assert "speaker" in desk.snapshot.sound.outputs
    # Everything else works: also the simulated line, which needs no microphone.
    await desk.phone.begin_work(LineConfig(extension="2001", simulated_first_seconds=0.1, **sound_card.devices))  # type: ignore[arg-type]
    await until(lambda: desk.snapshot.calls)
    # PortAudio's and ALSA's complaints are in the engine's log, as lines of ours.
    log = (profile.logs / "phone.log").read_text()
    assert '"native_stderr"' in log
    assert all(
        set(json.loads(line)) <= {"at", "level", "event", "source", "error", "places", *ALLOWED}
        for line in log.splitlines()
    )
    await desk.phone.end_work()
    await desk.phone.shut_down()
    await desk.close()


@pytest.mark.needs("sound")
async def test_without_any_sound_it_rings_by_text(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("PULSE_SERVER", f"unix:{home}/nobody")
    profile = open_profile("work")
    profile.make_folders()
    desk = Desk(RemotePhone(profile))
    await desk.phone.attach()
    await desk.phone.begin_work(LineConfig(extension="2001", simulated_first_seconds=0.1))
    sound = desk.snapshot.sound
    refusal = told(sound.refusal)
    if sound.outputs:
        pytest.skip("this machine has a sound card")
    assert sound.state is SoundState.NO_SOUND
    assert refusal is not None
    assert refusal.code is Code.NO_SOUND
    call = (await until(lambda: desk.snapshot.calls))[0]
    await desk.phone.answer(call.id)
    await desk.phone.end_work()
    await desk.phone.shut_down()
    await desk.close()


def test_no_pyaudio_is_no_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "pyaudio", None)
    card = open_card(LineConfig())
    assert isinstance(card, NullCard)
    assert card.sound.state is SoundState.NO_SOUND
    card.ring(True)
    card.close()


def test_peak_is_of_the_loudest_sample() -> None:
    assert peak(array.array("h", [0, -32768, 5]).tobytes()) == 1.0
