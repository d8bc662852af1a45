"""The federal collector: it follows all streams of a region's server and writes nothing there.

What it may is decided at the server (central/api/access.py, central/exchange.py); what it has is central/collected.py.
"""

from __future__ import annotations

import asyncio
import random

from central.collected import Collection
from central.devices import Device
from central.log import log
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


async def follow(link: Link, collection: Collection, *, once: bool) -> int:
    """Keep what there is and, unless ``once``, what comes; how many events came. A server that is away is waited for,
    unless ``once``. Refusals: NOT_ENROLLED, CHAIN_BROKEN, TOKEN_INVALID (revoked), DISK_FAILED, those of the link."""
    kept, failed, looked = 0, 0, ""
    while True:
        try:
            came, more = await _exchange(link, collection, 0.0 if once else MAX_WAIT_S)
        except Refusal as refusal:
            if once or refusal.code is not Code.SERVER_AWAY:
                raise
            failed += 1
            await asyncio.sleep(random.uniform(0, min(_LONGEST_S, 2.0**failed)))
            continue
        kept, failed = kept + came, 0
        if not more and looked != collection.epoch:
            looked = collection.epoch
            if gone := collection.gone():
                log("events of a former lineage are gone", taken=gone)
        if once and not more:
            return kept
        if not came and not more:
            await asyncio.sleep(_PAUSE_S)  # whoever does not hold a request is not asked in a circle


async def _exchange(link: Link, collection: Collection, wait: float) -> tuple[int, bool]:
    """One question: how many events came, and whether there are more."""
    me, epoch = collection.identity, collection.epoch
    if me is None:
        raise Refusal(Code.NOT_ENROLLED)
    cursors = collection.cursors()
    asked = SyncRequest(v=SYNC_VERSION, d=me.device, e=epoch, c=cursors, max=_PAGE_BYTES, wait=wait)
    reader, came, end = FrameReader(), 0, None
    async with link.post(SYNC_PATH, pack(asked), token=me.token) as chunks:
        async for chunk in chunks:
            frames = reader.feed(chunk)
            for frame in frames:
                if isinstance(frame, Head) and frame.e != epoch:
                    collection.begin(frame.e)
                    log("collector begins anew", device=me.device)
                    return 0, True
                if isinstance(frame, End):
                    end = frame
            if events := [frame for frame in frames if isinstance(frame, Event)]:
                collection.keep(events)
                came += len(events)
    if end is None:
        raise Refusal(Code.SERVER_AWAY)
    collection.demand_same(end, came)
    if came:
        log("collected", device=me.device, taken=came)
    return came, end.more
