"""The engine as a process: it is started by the desk, outlives it, and keeps its secrets."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from operator_tui.phone.line import CallState, LineConfig
from operator_tui.phone.remote import RemotePhone
from operator_tui.profiles import Profile, open_profile
from tests.peers.programs import program
from tests.phone.conftest import PATIENCE, engines, until
from tests.timing import tell_if_slow

DESK = """
import asyncio, sys
from operator_tui.phone.line import LineConfig
from operator_tui.phone.remote import RemotePhone
from operator_tui.profiles import open_profile

async def main():
    phone = RemotePhone(open_profile("work"))
    await phone.attach()
    await phone.begin_work(LineConfig(extension="2001", sound="null", simulated_first_seconds=0.1), "s3cret-42")
    async for _ in phone.events():
        for call in phone.snapshot.calls:
            if call.state == "ringing":
                await phone.answer(call.id)
            if call.state == "talking":
                print(call.id, call.answered_ms, phone.snapshot.engine, flush=True)
asyncio.run(main())
"""


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Profile]:
    for name in ("CONFIG", "DATA", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    run = tmp_path / "r"  # a socket of it has 107 bytes for its path
    run.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(run))
    made = open_profile("work")
    made.make_folders()
    yield made
    for pid in engines(made):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
async def desk(profile: Profile) -> AsyncIterator[RemotePhone]:
    phone = RemotePhone(profile)
    yield phone
    await phone.shut_down()
    await until(lambda: not any(_alive(pid) for pid in engines(profile)))


async def test_a_killed_desk_leaves_the_call_and_a_new_one_has_it_in_two_seconds(
    profile: Profile, desk: RemotePhone
) -> None:
    async with program(sys.executable, "-c", DESK, stdout=asyncio.subprocess.PIPE) as first:
        assert first.stdout is not None
        line = await asyncio.wait_for(first.stdout.readline(), PATIENCE)
        call_id, answered, engine = line.decode().split()

    began = time.monotonic()
    snapshot = await desk.attach()
    tell_if_slow("a new desk at a call", time.monotonic() - began, 2)
    assert snapshot.engine == engine, "the same engine, not a new one"
    call = snapshot.call(call_id)
    assert call is not None
    assert call.state is CallState.TALKING
    assert call.answered_ms == int(answered)
    await desk.hang_up(call_id)


async def test_it_stands_apart_from_the_desk(profile: Profile, desk: RemotePhone) -> None:
    await desk.attach()
    (pid,) = engines(profile)
    assert os.getsid(pid) not in (os.getsid(0), 0)
    status = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    assert int(status[1]) != os.getpid(), "nobody of ours has to reap it"


async def test_a_dead_engine_is_started_again_and_works_on(profile: Profile, desk: RemotePhone) -> None:
    await desk.attach()
    await desk.begin_work(LineConfig(extension="2001", sound="null"), "s3cret-42")
    before = desk.snapshot.engine
    (pid,) = engines(profile)
    os.kill(pid, signal.SIGKILL)
    await until(lambda: desk.attached and desk.snapshot.engine != before and desk.snapshot.working)


async def test_the_secret_is_in_memory_alone(profile: Profile, desk: RemotePhone) -> None:
    await desk.attach()
    await desk.begin_work(LineConfig(extension="2001", sound="null", simulated_first_seconds=0.1), "s3cret-42")
    call = (await until(lambda: desk.snapshot.calls))[0]
    (pid,) = engines(profile)
    assert b"s3cret" not in Path(f"/proc/{pid}/cmdline").read_bytes()
    files = [f for f in profile.state.parent.rglob("*") if f.is_file()]
    assert files
    for file in files:
        text = file.read_bytes()
        assert b"s3cret" not in text, file
        assert call.number.encode() not in text, file


def test_a_second_engine_of_the_profile_goes_away_quietly(profile: Profile) -> None:
    command = [sys.executable, "-m", "operator_tui", "phone", "--profile", "work", "--foreground"]
    with subprocess.Popen(command) as first:
        try:
            deadline = time.monotonic() + PATIENCE
            while not profile.phone_socket.exists() and time.monotonic() < deadline:
                time.sleep(0.02)
            assert subprocess.run(command, timeout=PATIENCE, check=False).returncode == 0
            assert first.poll() is None
            first.terminate()
            assert first.wait(PATIENCE) == 0
        finally:
            first.kill()
    assert not profile.phone_socket.exists()


def test_no_debugger_and_no_core_file_sees_the_secret() -> None:
    program = (
        "import ctypes; from operator_tui.phone.process import close_to_debuggers;"
        "close_to_debuggers(); print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"  # PR_GET_DUMPABLE
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout.strip() == b"0"
