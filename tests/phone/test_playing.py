"""Listening to a recording: faster at its own pitch, paused, moved about in, through a real sound card."""

from __future__ import annotations

import asyncio
import json
import os
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.phone import opus
from operator_tui.phone.line import LineConfig
from operator_tui.phone.playback import Tape
from operator_tui.phone.playing import FarPlayback, Playback, Played
from operator_tui.phone.recording import wav_header
from operator_tui.phone.sound_file import speech_of
from operator_tui.phone.stretch import Stretch
from operator_tui.phone.tones import tone
from tests.peers.pipewire import SoundCard
from tests.peers.programs import program
from tests.peers.tones import holds, loudness, strength
from tests.phone.conftest import QUICK, Bench

RATE = 8000


async def until(condition: Callable[[], bool], within: float = 60.0) -> None:
    deadline = asyncio.get_running_loop().time() + within
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, "it did not come to that"
        await asyncio.sleep(0.02)


def read_all(stretch: Stretch, speed: float) -> bytes:
    whole = b""
    while piece := stretch.read(speed):
        whole += piece
    return whole


@pytest.mark.parametrize("rate", [8000, 16000])
@pytest.mark.parametrize("speed", [1.0, 1.25, 1.5, 2.0])
def test_faster_is_shorter_and_not_higher(speed: float, rate: int) -> None:
    said = tone(440, rate, 2.0)
    heard = read_all(Stretch(said, rate), speed)
    assert len(heard) / len(said) == pytest.approx(1 / speed, rel=0.05)
    assert holds(heard, rate, 440, share=0.9), "the same tone"
    assert strength(heard, rate, 440 * speed) < 500 or speed == 1.0
    if speed == 1.0:
        assert heard == said


def test_a_tape_is_paused_moved_and_ends() -> None:
    tape = Tape(tone(440, RATE, 1.0), RATE)
    assert loudness(tape.pull(320)) > 1000
    tape.obey("pause\n")
    assert tape.pull(320) == bytes(320)
    tape.obey("resume")
    tape.obey("move -5")
    assert tape.look()["at_ms"] == 0
    tape.obey("move 0.9")
    tape.obey("speed 7")
    assert tape.look()["speed"] == 2.0
    for _ in range(20):
        tape.pull(320)
    assert tape.look()["over"] is True
    tape.obey("resume")
    assert tape.look() == {"at_ms": 0, "ms": 1000, "playing": True, "speed": 2.0, "over": False}
    for nonsense in ("", "move x", "speed", "drop tables"):
        tape.obey(nonsense)


def stereo(left: bytes, right: bytes) -> bytes:
    both = zip(struct.iter_unpack("h", left), struct.iter_unpack("h", right), strict=True)
    return b"".join(struct.pack("hh", one, other) for (one,), (other,) in both)


def test_a_recording_cut_short_is_both_sides_in_one_ear() -> None:
    sides = stereo(tone(440, RATE, 0.5), tone(1000, RATE, 0.5))
    speech = speech_of(wav_header(RATE) + sides + b"x")
    assert (speech.rate, speech.ms) == (RATE, 500)
    assert strength(speech.pcm, RATE, 440) > 1000
    assert strength(speech.pcm, RATE, 1000) > 1000


@pytest.mark.parametrize(
    "content", [b"", b"%PDF-1.7", b"RIFF", wav_header(RATE)[:30], b"OggSx", wav_header(99)[:36] + b"data\0\0\0\0"]
)
def test_what_is_no_sound_is_refused(content: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        speech_of(content)
    assert refused.value.code is Code.SOUND_UNKNOWN


async def test_without_a_device_it_is_said(tmp_path: Path) -> None:
    for config in (LineConfig(sound="null"), LineConfig(sound="pyaudio")):
        with pytest.raises(Refusal) as refused:
            await Playback.start(_mono_wav(tone(440, RATE, 0.2)), config, lambda state: None)
        assert refused.value.code is Code.NO_SOUND


@pytest.mark.needs("sound")
async def test_it_is_heard_on_the_sound_card_faster_paused_and_again(sound_card: SoundCard) -> None:
    told: list[Played] = []
    device = sound_card.devices["output_device"]
    config = LineConfig(sound="pyaudio", output_device=device)
    playback = await Playback.start(_mono_wav(tone(600, RATE, 30.0)), config, told.append)
    try:
        await sound_card.until_heard(600)
        playback.speed(2.0)
        await until(lambda: told[-1].speed == 2.0)
        assert sound_card.hears(600), "the same pitch"
        playback.pause(True)
        await until(lambda: not told[-1].playing)
        stood = told[-1].at_ms
        await asyncio.to_thread(sound_card.let_pass, 0.5)
        assert sound_card.loudness() < 10
        playback.move(-5)
        await until(lambda: told[-1].at_ms == max(0, stood - 5000))
        playback.pause(False)
        await sound_card.until_heard(600)
    finally:
        await playback.stop()
    assert told[-1].ms == 30_000


async def test_it_ends_with_the_desk_and_leaves_nothing(tmp_path: Path) -> None:
    """The desk is killed: the pipe ends, and with it the process and what it held."""
    (tmp_path / "speak.wav").write_bytes(_mono_wav(tone(100, RATE, 0.1)))
    script = f"""
import asyncio, json
from operator_tui.phone.line import LineConfig
from operator_tui.phone.playing import Playback
from operator_tui.phone.recording import wav_header

async def main():
    speak, heard = {str(tmp_path / "speak.wav")!r}, {str(tmp_path / "heard.wav")!r}
    config = LineConfig(sound="wav", input_device=speak, output_device=heard)
    playing = await Playback.start(wav_header({RATE}) + bytes({RATE * 240}), config, lambda state: None)
    print(json.dumps(playing._process.pid), flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""
    async with program(sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE) as desk:
        assert desk.stdout
        pid = json.loads(await desk.stdout.readline())
        os.kill(pid, 0)
    await until(lambda: _gone(pid))
    assert {file.name for file in tmp_path.iterdir()} == {"speak.wav", "heard.wav"}


def by_file(folder: Path) -> LineConfig:
    """A telephone whose ear is ``heard.wav``."""
    (folder / "speak.wav").write_bytes(_mono_wav(tone(100, RATE, 0.1)))
    return LineConfig(sound="wav", input_device=str(folder / "speak.wav"), output_device=str(folder / "heard.wav"))


async def test_a_player_that_dies_is_told_and_takes_commands_quietly(tmp_path: Path) -> None:
    told: list[Played] = []
    playback = await Playback.start(_mono_wav(tone(600, RATE, 30.0)), by_file(tmp_path), told.append)
    await until(lambda: bool(told))
    playback._process.kill()
    await until(lambda: told[-1].broken)
    assert not playback.now.playing
    for command in (lambda: playback.pause(False), lambda: playback.speed(2.0), lambda: playback.move(5)):
        command()
    await playback.stop()


@pytest.mark.parametrize("library", [True, False])
@pytest.mark.needs("sound")
async def test_the_engine_plays_what_the_desk_sends_where_the_headset_is(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: bool
) -> None:
    if not library:
        monkeypatch.setattr(opus, "available", lambda: False)
    desk = await bench.desk()
    told: list[Played] = []
    config = by_file(tmp_path)
    content = _mono_wav(tone(600, RATE, 20.0))
    playback = await FarPlayback.start(desk.phone, content, config, told.append)
    heard = tmp_path / "heard.wav"
    await until(lambda: heard.exists() and holds(heard.read_bytes()[-RATE:], RATE, 600))
    await until(lambda: bool(told))
    assert told[-1].ms == pytest.approx(20_000, abs=100)
    playback.speed(2.0)
    await until(lambda: told[-1].speed == 2.0)
    playback.pause(True)
    await until(lambda: not told[-1].playing)
    playback.move(10)
    await until(lambda: told[-1].at_ms >= 10_000)
    playback.pause(False)
    await desk.phone.begin_work(QUICK)
    call = await bench.ring(desk)
    await until(lambda: not told[-1].playing and not told[-1].over)
    await desk.phone.answer(call.id)
    with pytest.raises(Refusal) as refused:
        await FarPlayback.start(desk.phone, content, config, told.append)
    assert refused.value.code is Code.PLAY_IN_CALL
    pid = bench.engine._listening._playback._process.pid  # type: ignore[union-attr]  # it is paused
    await desk.phone.detach()
    await until(lambda: _gone(pid))
    assert told[-1].broken or not told[-1].playing


async def test_what_is_no_sound_is_refused_before_it_is_sent(bench: Bench, tmp_path: Path) -> None:
    desk = await bench.desk()
    with pytest.raises(Refusal) as refused:
        await FarPlayback.start(desk.phone, b"%PDF-1.7", by_file(tmp_path), lambda now: None)
    assert refused.value.code is Code.SOUND_UNKNOWN
    with pytest.raises(Refusal) as refused:
        await desk.phone.play_part(by_file(tmp_path), b"%PDF-1.7", last=True)
    assert refused.value.code is Code.SOUND_UNKNOWN
    with pytest.raises(Refusal) as refused:
        await desk.phone.play_part(LineConfig(sound="null"), _mono_wav(tone(600, RATE, 1.0)), last=True)
    assert refused.value.code is Code.NO_SOUND
    await desk.phone.play_command("stop")


def _mono_wav(pcm: bytes) -> bytes:
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", 36 + len(pcm), b"WAVE", b"fmt ", 16, 1, 1, RATE, RATE * 2, 2, 16, b"data", len(pcm)),
    )
    return head + pcm


def _gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


async def test_what_was_sent_of_one_recording_is_not_heard_before_another(bench: Bench, tmp_path: Path) -> None:
    desk, told = await bench.desk(), list[Played]()
    content = _mono_wav(tone(600, RATE, 1.0))
    config = by_file(tmp_path)
    await desk.phone.play_part(config, _mono_wav(tone(440, RATE, 3.0)), last=False, first=True)
    playback = await FarPlayback.start(desk.phone, content, config, told.append)
    await until(lambda: bool(told))
    assert told[-1].ms == pytest.approx(1_000, abs=100)
    await playback.stop()
