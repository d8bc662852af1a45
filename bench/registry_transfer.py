"""The registry's packages over a line of 64 kbit/s and 600 ms that drops: bytes and hours.

The real server behind TLS, the desk's own Link and fetch, and a line in user space (bench/slow_line.py). A day's delta
is carried to its end with one cut in its middle. A whole generation takes hours: its bytes are those of the package,
its hours these bytes at the pace of its first part, which is cut too, and gone on with by a desk started anew.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

from bench.figures import Row, say
from bench.registry_delta import days_changes
from bench.registry_keys import Loaded
from bench.slow_line import DOWN, SlowLine
from operator_tui.appeals.clock import SystemClock
from operator_tui.appeals.people import Operator, Role
from operator_tui.registry.lists import read_csv
from operator_tui.registry.packages import DELTA, WHOLE, Package, add
from operator_tui.registry.people import Person
from operator_tui.registry.records import Change
from operator_tui.sync.link import Link
from operator_tui.sync.packages import fetch, manifest
from operator_tui.sync.settings import CentralSettings

_PACKED = 300_000  # people of the package: a larger one weighs the same for each
_AWAY_S = 1.0  # the line, once cut
_PACED, _CUT_AT = 240_000, 120_000  # bytes of the whole list by which its pace is taken; and where the line drops
_DAYS = (date(2026, 1, 10), date(2026, 1, 11))


def transfer_rows(loaded: Loaded, chosen: list[Person], people: int, bits: int = 64_000) -> Iterator[Row]:
    """Both packages, made as the centre makes them. ``bits`` a second of the line."""
    from central.registry.share import FOLDER_VARIABLE

    with tempfile.TemporaryDirectory(prefix="ot-bench-transfer-") as scratch:
        folder = Path(scratch, "26")
        packed = min(people, _PACKED)
        whole = (Change(person.enp, person) for person in islice(read_csv(loaded.csv), packed))
        list_package = add(folder, WHOLE, whole, _DAYS[0])
        delta_package = add(folder, DELTA, days_changes(chosen), _DAYS[1])
        say("the packages go over the line")
        os.environ[FOLDER_VARIABLE] = scratch
        try:
            delta_s, resent, pace = asyncio.run(_carried(Path(scratch), delta_package, list_package, bits))
        finally:
            del os.environ[FOLDER_VARIABLE]
    whole_bytes = list_package.size * people / packed
    yield Row("transfer_delta_kb", delta_package.size / 1000, "kB")
    yield Row("transfer_delta_s", delta_s, "s")
    yield Row("transfer_delta_resent_kb", resent / 1000, "kB")
    yield Row("transfer_whole_mb", whole_bytes / 1e6, "MB", peer=loaded.megabytes)
    yield Row("transfer_whole_hours", whole_bytes / pace / 3600, "h", peer=loaded.megabytes * 1e6 / pace / 3600)


async def _carried(folder: Path, delta: Package, whole: Package, bits: int) -> tuple[float, float, float]:
    """Seconds of the delta, bytes that it cost more than once, and bytes a second of the whole list."""
    async with _centre(folder, bits) as (line, link, token):
        await manifest(link, token)
        line.count()
        started = time.monotonic()
        mending = asyncio.create_task(_cut_once(line, delta.size // 2))
        await fetch(link, token, delta, folder)
        seconds = time.monotonic() - started
        await mending
        resent = line.count()[DOWN] - delta.size * (1 + 52 / 1448)
        pace = await _paced(line, link, token, whole, folder)
        return seconds, max(0.0, resent), pace


async def _cut_once(line: SlowLine, after: int) -> None:
    """The line drops after so many bytes, and is back a little later."""
    line.cut_after = after
    while line.open:  # noqa: ASYNC110  # a line tells nobody that it dropped
        await asyncio.sleep(0.05)
    await asyncio.sleep(_AWAY_S)
    line.mend()


async def _paced(line: SlowLine, link: Link, token: Any, whole: Package, folder: Path) -> float:
    """Bytes a second of the whole list's first part; AssertionError when a new start did not go on where it was."""
    reached, at = 0, time.monotonic()
    enough = asyncio.Event()
    first_of_second: list[int] = []

    def told(here: int, _: int) -> None:
        nonlocal reached, at
        reached, at = here, time.monotonic()
        if here >= min(_PACED, whole.size):
            enough.set()

    started = time.monotonic()
    fetching = asyncio.create_task(fetch(link, token, whole, folder, told))
    await enough.wait()
    pace = reached / (at - started)
    fetching.cancel()
    await asyncio.gather(fetching, return_exceptions=True)
    mending = asyncio.create_task(_cut_once(line, _CUT_AT))
    before = reached
    anew = asyncio.create_task(fetch(link, token, whole, folder, lambda here, _: first_of_second.append(here)))
    await mending
    while first_of_second[-1:] == [] or first_of_second[-1] < min(whole.size, before + _CUT_AT):  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    anew.cancel()
    await asyncio.gather(anew, return_exceptions=True)
    assert before < first_of_second[0] <= before + (1 << 16), "it went on where it was"
    assert first_of_second == sorted(first_of_second), "and so after the cut"
    return pace


@asynccontextmanager
async def _centre(folder: Path, bits: int) -> AsyncIterator[tuple[SlowLine, Link, Any]]:
    """The server, the line before it, and a desk's way to it."""
    from bench.sync_line import KEY, listening
    from central.app import create_app
    from central.devices import enrol, enrolment_code
    from central.store.database import Database
    from tests.sync.test_link import make_certificate

    database = Database.sqlite(folder / "central.db", KEY)
    certificate = make_certificate(folder, "server")
    now = SystemClock().now_ms()
    operator = Operator(user=0, name="Петрова", role=Role.OPERATOR_1, extension="2001", organisation="26/tf")
    device = enrol(database, enrolment_code(database, operator, now), now)

    async def token() -> str:
        return device.token

    async with listening(create_app(database), certificate) as port, SlowLine(port, bits=bits).running() as line:
        link = Link(CentralSettings(url=f"https://127.0.0.1:{line.port}", ca_file=str(certificate.cert)))
        try:
            yield line, link, token
        finally:
            await link.close()
    database.close()
