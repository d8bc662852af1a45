"""Recordings: two sides, their places in time, what a full disk and a lost engine leave."""

from __future__ import annotations

import array
import hashlib
import io
import os
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.phone import recorder as recorder_room
from operator_tui.phone.line import CallState, Capability, Recorded, RecordingTrouble, RegistrationState
from operator_tui.phone.opus import available
from operator_tui.phone.recording import Recording, hours_left, left_behind, resampled, wav_of
from operator_tui.phone.remote import RemotePhone
from operator_tui.phone.sound_file import speech_of
from operator_tui.phone.tones import tone
from operator_tui.profiles import open_profile
from operator_tui.secrets.running import open_running, public_key
from tests.peers.asterisk import MUSIC_HERTZ, Asterisk
from tests.peers.sipp import SippCalls
from tests.peers.tones import holds, loudness, strength
from tests.phone.conftest import QUICK, Bench, Desk, Stepping, engines, until
from tests.phone.test_pbx import in_state, ringing

KEY = bytes(range(32))
RATE = 8000
OPERATOR_HERTZ, CALLER_HERTZ = 440, 1000


class Ends:
    """What a recording told."""

    def __init__(self) -> None:
        self.recorded: list[Recorded] = []
        self.refusals: list[Refusal] = []

    def begin(self, folder: Path, call: str = "c1", *, opus: bool = False) -> Recording:
        return Recording(folder, call, public_key(KEY), self.recorded.append, self.refusals.append, opus=opus)


def sides(file: Path) -> tuple[bytes, bytes, int, bool]:
    """Left, right, rate, whole."""
    content, whole = wav_of(file, KEY)
    with wave.open(io.BytesIO(content)) as sound:
        assert (sound.getnchannels(), sound.getsampwidth()) == (2, 2)
        both = array.array("h", sound.readframes(sound.getnframes()))
        return both[::2].tobytes(), both[1::2].tobytes(), sound.getframerate(), whole


@pytest.mark.parametrize("rate", [8000, 16000])
@pytest.mark.needs("sound")
def test_as_opus_it_is_both_voices_a_sixth_as_large_and_readable_when_cut_short(tmp_path: Path, rate: int) -> None:
    ends = Ends()
    recording = ends.begin(tmp_path, opus=True)
    recording.begin(rate)
    left, right, frame = tone(OPERATOR_HERTZ, rate, 8.0), tone(CALLER_HERTZ, rate, 8.0), rate // 50 * 2
    for at in range(0, len(left), frame):
        recording.operator(left[at : at + frame], rate)
        recording.caller(right[at : at + frame], rate)
    recording.close()
    recording.wait()
    (told,) = ends.recorded
    assert (told.whole, told.ms) == (True, 8000)
    assert told.size < 8 * rate * 4 / 5
    opened = open_running(tmp_path / "c1.otr", KEY)
    speech = speech_of(opened.plain)
    assert (opened.whole, speech.rate) == (True, rate)
    assert speech.ms == pytest.approx(8000, abs=100)
    middle = speech.pcm[len(speech.pcm) // 4 : len(speech.pcm) // 2]
    assert min(strength(middle, rate, hertz) for hertz in (OPERATOR_HERTZ, CALLER_HERTZ)) > 1000
    half = speech_of(opened.plain[: len(opened.plain) // 2])
    assert 2000 < half.ms < 8000, "what a kill leaves is heard up to its last page"


@pytest.mark.needs("sound")
def test_the_engine_has_opus_without_numpy() -> None:
    script = """
import sys
from operator_tui.phone import opus
opus.load_light()
assert opus.available()
stream = opus.OpusStream(8000)
content = stream.feed(bytes(32000)) + stream.end()
from operator_tui.phone.sound_file import speech_of
print("numpy" in sys.modules, content[:4], speech_of(content).ms)
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout == "False b'OggS' 1000\n"


def test_without_the_library_a_recording_is_wav_and_never_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "soundfile", None)
    assert not available()
    ends = Ends()
    recording = ends.begin(tmp_path, opus=True)
    recording.begin(RATE)
    recording.operator(tone(OPERATOR_HERTZ, RATE, 1.0), RATE)
    recording.close()
    recording.wait()
    left, _, rate, whole = sides(tmp_path / "c1.otr")
    assert (rate, whole) == (RATE, True)
    assert holds(left, RATE, OPERATOR_HERTZ)


def test_operator_left_caller_right_and_the_digest_is_the_files(tmp_path: Path) -> None:
    ends = Ends()
    recording = ends.begin(tmp_path)
    recording.begin(RATE)
    recording.operator(tone(OPERATOR_HERTZ, RATE, 1.0), RATE)
    recording.caller(tone(CALLER_HERTZ, RATE, 1.0), RATE)
    recording.close()
    recording.wait()
    (ended,) = ends.recorded
    file = tmp_path / ended.file
    left, right, rate, whole = sides(file)
    assert holds(left, rate, OPERATOR_HERTZ)
    assert holds(right, rate, CALLER_HERTZ)
    assert (rate, whole, ended.whole, ended.ms) == (RATE, True, True, 1000)
    assert (ended.sha256, ended.size) == (hashlib.sha256(file.read_bytes()).hexdigest(), file.stat().st_size)
    assert not ends.refusals


def test_a_pause_is_silence_and_keeps_the_places(tmp_path: Path) -> None:
    ends = Ends()
    recording = ends.begin(tmp_path)
    recording.begin(RATE)
    for paused in (False, True, False):
        recording.pause(paused)
        recording.operator(tone(OPERATOR_HERTZ, RATE, 0.5), RATE)
        recording.caller(tone(CALLER_HERTZ, RATE, 0.5), RATE)
    recording.close()
    recording.wait()
    left, right, rate, _ = sides(tmp_path / ends.recorded[0].file)
    part = rate // 2 * 2
    for side in (left, right):
        assert loudness(side[part : 2 * part]) == 0
        assert loudness(side[:part]) > 1000
        assert loudness(side[2 * part :]) > 1000


def test_a_hold_is_silence_of_its_own_length(tmp_path: Path) -> None:
    ends = Ends()
    recording = ends.begin(tmp_path)
    recording.begin(RATE)
    recording.caller(tone(CALLER_HERTZ, RATE, 0.5), RATE)
    recording.leave()
    threading.Event().wait(0.3)
    recording.begin(RATE)
    recording.caller(tone(CALLER_HERTZ, RATE, 0.5), RATE)
    recording.close()
    recording.wait()
    assert 1250 <= ends.recorded[0].ms <= 1900


def test_an_hour_of_hold_is_neither_an_hour_of_silence_nor_of_memory(tmp_path: Path) -> None:
    ends = Ends()
    recording = ends.begin(tmp_path)
    recording.begin(RATE)
    recording.caller(tone(CALLER_HERTZ, RATE, 0.5), RATE)
    recording.leave()
    recording._left_off -= 3600
    tracemalloc.start()
    recording.begin(RATE)
    recording.caller(tone(CALLER_HERTZ, RATE, 0.5), RATE)
    recording.close()
    recording.wait()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 1_000_000
    assert ends.recorded[0].ms == 301_000, "five minutes of it, and the talk before and after"
    _, caller, rate, whole = sides(tmp_path / ends.recorded[0].file)
    assert whole
    assert holds(caller[:RATE], rate, CALLER_HERTZ)
    assert holds(caller[-RATE:], rate, CALLER_HERTZ)
    assert not any(caller[RATE:-RATE:997])


def test_what_a_killed_engine_left_is_taken_over(tmp_path: Path) -> None:
    ends = Ends()
    recording = ends.begin(tmp_path)
    growing = next(tmp_path.glob("*.part"))
    copy = growing.read_bytes()
    recording.close()
    recording.wait()
    (tmp_path / "c2.part").write_bytes(copy)
    (left,) = left_behind(tmp_path)
    assert (left.call, left.file, left.whole) == ("c2", "c2.otr", False)
    assert left.sha256 == hashlib.sha256(copy).hexdigest()
    assert not left_behind(tmp_path)


def test_a_folder_that_takes_no_file_is_a_refusal(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Refusal) as refused:
        Ends().begin(tmp_path / "file")
    assert refused.value.code is Code.RECORD_FOLDER
    with pytest.raises(Refusal) as refused:
        hours_left(tmp_path / "file")
    assert refused.value.code is Code.RECORD_FOLDER
    assert hours_left(tmp_path) > 0


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), RuntimeError("the codec")])
def test_a_full_disk_or_a_failing_codec_ends_the_recording_and_keeps_it(tmp_path: Path, error: Exception) -> None:
    ends = Ends()
    recording = ends.begin(tmp_path)

    def full(_: bytes) -> None:
        raise error

    recording._file.write = full  # type: ignore[method-assign]  # the disk's part
    recording.begin(RATE)
    recording.caller(tone(CALLER_HERTZ, RATE, 0.5), RATE)
    recording.close()
    recording.wait()
    assert ends.refusals[0].code is Code.RECORD_FAILED
    assert not ends.recorded[0].whole


@pytest.mark.parametrize(("rate", "wanted"), [(48_000, 16_000), (16_000, 8_000), (8_000, 16_000), (44_100, 16_000)])
def test_another_rate_keeps_the_tone(rate: int, wanted: int) -> None:
    made = resampled(tone(440, rate, 1.0), rate, wanted)
    assert abs(len(made) // 2 - wanted) <= 1
    assert holds(made[: wanted // 2 * 2], wanted, 440)


def lately(side: bytes, rate: int, hertz: float, seconds: float = 2.5) -> bool:
    """Whether half a second of the last ones is that tone: where a loaded machine stood still, silence stands in."""
    half, step = rate // 2 * 2, rate // 10 * 2
    last = side[-int(rate * seconds) * 2 :]
    return any(holds(last[at : at + half], rate, hertz) for at in range(0, len(last) - half + 1, step))


# on a real PBX ----------------------------------------------------------------------------------------------

real = [pytest.mark.needs("asterisk", "sipp", "sound")]


@pytest.fixture
async def desk(asterisk: Asterisk, tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk at work that speaks a tone and has its talks recorded."""
    with wave.open(str(tmp_path / "speak.wav"), "wb") as voice:
        voice.setparams((1, 2, RATE, 0, "NONE", ""))
        voice.writeframes(tone(OPERATOR_HERTZ, RATE, 1.0))
    profile = open_profile("work")
    profile.make_folders()
    made = Desk(RemotePhone(profile))
    await made.phone.attach()
    ways = {"sound": "wav", "input_device": str(tmp_path / "speak.wav"), "output_device": str(tmp_path / "hear.wav")}
    key = public_key(KEY).hex()
    await made.phone.begin_work(asterisk.line("2001", **ways), asterisk.secret("2001"), record_key=key)
    await until(lambda: made.snapshot.registration.state is RegistrationState.OK)
    await asterisk.until("queue show oms-1", "Not in use")
    yield made
    await made.phone.end_work()
    await made.phone.shut_down()
    await made.close()
    await until(lambda: not profile.phone_socket.exists())


def recorded(desk: Desk, call: str) -> Recorded | None:
    return next((one for one in desk.snapshot.recorded if one.call == call), None)


@pytest.mark.needs("asterisk", "sipp", "sound")
@pytest.mark.function("K-4.11")
async def test_a_talk_is_recorded_with_both_voices_and_bound_to_its_call(desk: Desk, sipp_call: SippCalls) -> None:
    caller = sipp_call("+78652012345", "Иванов Иван", CALLER_HERTZ)
    call = await ringing(desk)
    await desk.phone.answer(call.id)
    await until(lambda: (known := desk.snapshot.call(call.id)) and known.recording == "on")
    await until(lambda: caller.sound.hears(OPERATOR_HERTZ))
    await desk.phone.pause_record(call.id, True)
    assert desk.snapshot.call(call.id).recording == "paused"
    await desk.phone.pause_record(call.id, False)
    await desk.phone.hold(call.id, True)
    await until(lambda: caller.sound.hears(MUSIC_HERTZ))
    await desk.phone.hold(call.id, False)
    await until(lambda: caller.sound.hears(OPERATOR_HERTZ, 1.0))
    await desk.phone.hang_up(call.id)
    ended = await until(lambda: recorded(desk, call.id))
    file = open_profile("work").recordings / ended.file
    left, right, rate, whole = sides(file)
    assert whole
    assert ended.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert lately(left, rate, OPERATOR_HERTZ)
    assert lately(right, rate, CALLER_HERTZ)


@pytest.mark.needs("asterisk", "sipp", "sound")
async def test_a_killed_engine_leaves_the_talk_up_to_the_last_second(desk: Desk, sipp_call: SippCalls) -> None:
    profile = open_profile("work")
    caller = sipp_call("+78652012345", "Иванов Иван", CALLER_HERTZ)
    call = await ringing(desk)
    await desk.phone.answer(call.id)
    await in_state(desk, call, CallState.TALKING)
    await until(lambda: caller.sound.hears(OPERATOR_HERTZ, 3.0))
    began = desk.snapshot.call(call.id).answered_ms
    before = desk.snapshot.engine
    (pid,) = engines(profile)
    os.kill(pid, signal.SIGKILL)
    killed = time.time() * 1000
    await until(lambda: desk.snapshot.engine != before)
    ended = await until(lambda: recorded(desk, call.id))
    assert not ended.whole
    left, right, rate, whole = sides(profile.recordings / ended.file)
    assert not whole
    assert len(left) / 2 / rate >= (killed - began) / 1000 - 1.5
    assert lately(left, rate, OPERATOR_HERTZ)
    assert lately(right, rate, CALLER_HERTZ)
    caller.hang_up()


async def test_room_that_runs_out_is_told_before(bench_recorder: list[object]) -> None:
    (trouble,) = [one for one in bench_recorder if isinstance(one, RecordingTrouble)]
    assert trouble.refusal["code"] == Code.RECORD_SPACE.value


@pytest.fixture
async def bench_recorder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    from operator_tui.phone.log import EngineLog
    from operator_tui.phone.simulated import SimulatedLine

    monkeypatch.setattr(recorder_room, "hours_left", lambda folder, opus: 3.5)
    events: list[object] = []
    made = recorder_room.Recorder(tmp_path, public_key(KEY), SimulatedLine(), events.append, EngineLog())
    await made.begin()
    await made.begin()
    return events


class RecordedLine(Stepping):
    """A simulated line whose talks can be recorded."""

    capabilities = Stepping.capabilities | {Capability.RECORD}

    def __init__(self, *given: object, **more: object) -> None:
        super().__init__(*given, **more)  # type: ignore[arg-type]  # passed on
        self.sinks: dict[str, object] = {}

    async def record(self, call: str, sink: object) -> None:
        self.sinks[call] = sink


async def test_a_disk_that_hangs_holds_up_neither_work_nor_the_line(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    back = threading.Event()

    def hanging(folder: Path, *, opus: bool) -> float:
        back.wait()
        return 100.0

    monkeypatch.setattr(recorder_room, "hours_left", hanging)
    monkeypatch.setattr(recorder_room, "_DISK_SECONDS", 0.2)
    lines: list[RecordedLine] = []

    def make(*_: object) -> RecordedLine:
        lines.append(RecordedLine(bench.clock, tick_seconds=0.01))
        bench.lines.append(lines[0])
        return lines[0]

    bench.engine._make_line = make
    bench.engine._recordings = tmp_path / "recordings"
    desk = await bench.desk()
    try:
        await desk.phone.begin_work(QUICK, record_key=public_key(KEY).hex())
        call = await bench.ring(desk)
        await desk.phone.answer(call.id)
        await until(lambda: any(isinstance(one, RecordingTrouble) for one in desk.events))
        await desk.phone.hang_up(call.id)
        await until(lambda: not desk.snapshot.calls)
        second = await bench.ring(desk)
        await desk.phone.answer(second.id)
        await until(lambda: (known := desk.snapshot.call(second.id)) and known.state is CallState.TALKING)
    finally:
        back.set()
    await until(lambda: second.id in lines[0].sinks)
    assert call.id not in lines[0].sinks, "who has gone meanwhile is not recorded"
    lines[0].sinks[second.id].close()  # type: ignore[attr-defined]  # a recording
    ended = await until(lambda: recorded(desk, second.id))
    assert ended.whole
