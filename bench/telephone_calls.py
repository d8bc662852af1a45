"""Calls in a row by one engine: whether it grows.

`python -m bench.telephone_calls [COUNT]`: the real engine process and a real Asterisk; a colleague's telephone calls,
the desk answers, hears, hangs up, COUNT times (200), and again. Prints `name value unit target peer verdict` as
bench.telephone. Memory and files after the second round are compared with what they were after the first.

Both looks wait for the SIP transactions to run out: libre keeps each for 64*T1 = 32 s after its call (RFC 3261
17.1.2.2, 17.2.1: timers F, H, J), some 10 KB a call. That is nothing at a call a minute, and 4 MB at the ten a second
of this bench.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from bench.telephone import home
from bench.terminal import Row, told
from operator_tui.phone.line import CallState, RegistrationState
from operator_tui.phone.remote import RemotePhone
from operator_tui.profiles import open_profile
from operator_tui.secrets.running import public_key
from tests.peers.asterisk import Asterisk
from tests.peers.phones import Phones
from tests.phone.conftest import Desk, engines, until

COUNT = 200
GROWTH_MB, GROWTH_FILES = 1.0, 2
TIMERS_SECONDS = 36.0


def resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024


def open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def _answered(desk: Desk, call_id: str) -> bool:
    call = desk.snapshot.call(call_id)
    return call is not None and bool(call.answered_ms)


def _over(desk: Desk, call_id: str) -> bool:
    call = desk.snapshot.call(call_id)
    return call is not None and call.over


async def calls(pbx: Asterisk, count: int) -> list[Row]:
    profile = open_profile("bench")
    profile.make_folders()
    desk, phones = Desk(RemotePhone(profile)), Phones(pbx)
    await desk.phone.attach()
    config = pbx.line("2001")
    await desk.phone.begin_work(config, pbx.secret("2001"), record_key=public_key(bytes(32)).hex())
    await until(lambda: desk.snapshot.registration.state is RegistrationState.OK)
    await phones.start()
    colleague = await phones.register("2003")
    (pid,) = engines(profile)
    first = (0.0, 0)
    seconds, talked = 0.0, 0
    for number in range(2 * count):
        began = time.monotonic()
        dialling = asyncio.create_task(colleague.dial("2001", 700))
        call = await until(lambda: next((c for c in desk.snapshot.calls if c.state is CallState.RINGING), None), 20)
        await desk.phone.answer(call.id)
        there = await dialling
        await until(partial(_answered, desk, call.id))
        await desk.phone.hang_up(call.id)
        await until(partial(_over, desk, call.id))
        await until(partial(getattr, there, "over"))
        await there.close()
        talked += 1
        seconds += time.monotonic() - began
        if number == count - 1:
            await asyncio.sleep(TIMERS_SECONDS)
            first = (resident_mb(pid), open_files(pid))
    await asyncio.sleep(TIMERS_SECONDS)
    grown = (resident_mb(pid) - first[0], open_files(pid) - first[1])
    await phones.close()
    await desk.phone.end_work()
    await desk.phone.shut_down()
    await desk.close()
    return [
        Row("calls_lost", 2 * count - talked, "calls", 0),
        Row("memory_grown_mb", round(grown[0], 1), "MB", GROWTH_MB),
        Row("files_grown", grown[1], "files", GROWTH_FILES),
        Row("engines_used", len(engines(profile)), "processes", 1),
        Row("seconds_a_call", round(seconds / talked, 2), "s", 5.0),
    ]


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT
    with home():
        pbx = Asterisk(Path(tempfile.mkdtemp(prefix="ast-")))
        try:
            pbx.start()
            rows = asyncio.run(calls(pbx, count))
        finally:
            pbx.stop()
            shutil.rmtree(pbx.folder, ignore_errors=True)
    return told(rows)


if __name__ == "__main__":
    sys.exit(main())
