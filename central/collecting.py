"""The federal collector: it follows all streams of a region's server and writes nothing there.

What it may is decided at the server (central/api/access.py, central/exchange.py); what it has is central/collected.py.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable, Iterable

from central.collected import Collection
from central.devices import Device
from central.exchange import is_collected
from central.log import alarm, log
from central.witness import Break
from operator_tui.appeals.clock import Clock, SystemClock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import Event
from operator_tui.sync.introduction import by_code
from operator_tui.sync.link import Link
from operator_tui.sync.packing import FrameReader, pack
from operator_tui.sync.protocol import (
    MAX_WAIT_S,
    SYNC_PATH,
    SYNC_VERSION,
    End,
    Head,
    SyncRequest,
)

LOOK_S = 60.0  # between two looks at what is frozen
_PAGE_BYTES = 262_144
_PAUSE_S, _LONGEST_S = 1.0, 60.0


async def enrol(link: Link, collection: Collection, code: str) -> None:
    """Become the collector of a one-time code. Refusals: ENROLMENT_CODE, also for the code of a desk or of a region
    that is not the one collected here; those of the link."""
    answer = await by_code(link, code)
    former = collection.identity
    known = former is None or former.operator.organisation == answer.operator.organisation
    if not known or not Device(answer.device, answer.operator).reads_only:
        raise Refusal(Code.ENROLMENT_CODE)
    collection.enrolled(answer)


async def follow(
    link: Link,
    collection: Collection,
    *,
    once: bool,
    clock: Clock | None = None,
    report: Callable[[bool], None] = lambda heard: None,
) -> int:
    """Keep what there is and, unless ``once``, what comes; how many events came. A server that is away is waited for,
    unless ``once``. A stream whose chain broke is said, asked again every minute and does not hold up the others.
    ``report`` is told after every answer (True) and when there was none. Refusals: NOT_ENROLLED, TOKEN_INVALID
    (revoked), DISK_FAILED, those of the link."""
    timer, said = clock or SystemClock(), _Said(collection)
    kept, failed, looked, followed = 0, 0, -math.inf, ("", 0)
    while True:
        try:
            here = followed == (collection.epoch, collection.versions)  # all of it: an answer may be waited for
            came, more = await _exchange(link, collection, MAX_WAIT_S if here and not once else 0.0)
            if due := not more and (once or timer.monotonic() - looked >= LOOK_S):
                beside, more = await _look(link, collection)
                came, looked = came + beside, timer.monotonic()
        except Refusal as refusal:
            said.new()
            if once or refusal.code is not Code.SERVER_AWAY:
                raise
            report(False)
            failed += 1
            await asyncio.sleep(random.uniform(0, min(_LONGEST_S, 2.0**failed)))
            continue
        kept, failed = kept + came, 0
        if not more and followed != (followed := (collection.epoch, collection.versions)):
            collection.settle_former()
            _say_gone(collection)
        if due:
            said.again()
        said.new()
        report(True)
        if once and not more:
            return kept
        if not came and not more:
            await asyncio.sleep(_PAUSE_S)  # whoever does not hold a request is not asked in a circle


async def _look(link: Link, collection: Collection) -> tuple[int, bool]:
    """Where all streams stand, of which a desk's question says nothing for reference data that seem to be as long as
    here; and of each that is frozen its next entry. How many of those fitted, and whether there is more behind them."""
    epoch, came, more = collection.epoch, 0, False
    for stream in ("", *sorted(collection.frozen())):
        taken, further = await _exchange(link, collection, 0.0, stream)
        came += taken
        more |= further and taken > 0
    return came, more or collection.epoch != epoch


async def _exchange(link: Link, collection: Collection, wait: float, look: str | None = None) -> tuple[int, bool]:
    """One question, about all that goes on, about the frozen stream ``look``, or, when that is empty, where all of them
    stand: how many events came, and whether there are more."""
    me, epoch = collection.identity, collection.epoch
    if me is None:
        raise Refusal(Code.NOT_ENROLLED)
    region, page = me.operator.organisation, _PAGE_BYTES if look is None else 1
    asked = SyncRequest(v=SYNC_VERSION, d=me.device, e=epoch, c=collection.asked(look), max=page, wait=wait)
    reader, told, came, end = FrameReader(), 0, 0, None
    async with link.post(SYNC_PATH, pack(asked), token=me.token) as chunks:
        async for chunk in chunks:
            frames = reader.feed(chunk)
            for frame in frames:
                if isinstance(frame, Head) and frame.e != epoch:
                    collection.begin(frame.e)
                    log("collector begins anew", device=me.device)
                    return 0, True
                if isinstance(frame, End):
                    _demand_ours(frame.end, region)
                    end = frame
            if events := [frame for frame in frames if isinstance(frame, Event)]:
                _demand_ours((event.s for event in events), region)
                told += len(events)
                came += collection.keep(events, look)
    if end is None:
        raise Refusal(Code.SERVER_AWAY)
    if look:
        collection.settle(look, end)
    else:
        collection.compare(end, told_all=look is None and told == 0)
    if came:
        log("collected", device=me.device, taken=came)
    return came, end.more


def _demand_ours(names: Iterable[str], region: str) -> None:
    """That a server tells of nothing else: what it calls a stream is written to a log and a terminal here."""
    if not all(is_collected(name, region) for name in names):
        raise Refusal(Code.SERVER_REFUSED, reason="stream")


def _say_gone(collection: Collection) -> None:
    """What somebody may miss: said once for each lineage and each stream that was taken anew."""
    if gone := collection.gone():
        log("events of a former lineage are gone", taken=gone)


class _Said:
    """Which breaks were said since somebody last looked."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self._known: set[Break] = set()

    def again(self) -> None:
        """Every one that is still there is to be said again."""
        self._known = set()

    def new(self) -> None:
        """Those that were not said yet."""
        for each in self._collection.broken():
            if each not in self._known:
                alarm("chain broken", stream=each.stream, seq=each.seq, expected=each.expected, seen=each.seen)
                self._known.add(each)
