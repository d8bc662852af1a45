"""``GET /v1/events``: what others do, pushed as it happens (Server-Sent Events); the stream is the desk's lease."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import zstandard
from litestar import get
from litestar.di import NamedDependency
from litestar.response import Stream

from central.api.access import SIGNED_IN
from central.api.errors import AnyRequest
from central.api.service import Service
from central.bus import presence_bell
from central.devices import Device
from central.feed import Feed
from central.hub import first_of
from central.log import log
from central.streams import region_of
from operator_tui.appeals.errors import Refusal
from operator_tui.appeals.operations import Event
from operator_tui.sync.dictionary import dictionaries
from operator_tui.sync.events import HEARTBEAT, frames_event, presence_event, read_cursors
from operator_tui.sync.protocol import EVENTS_PATH, FRAME_EVENTS, HEARTBEAT_S, SPOKEN_VERSIONS, STREAM_TYPE, Frame

PRESENCE_S = 5.0  # between two batches of one desk
# nginx and those that copied it hold back what is not marked so.
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@get(EVENTS_PATH, opt={"access": SIGNED_IN}, summary="What others do, as it happens", media_type=STREAM_TYPE)
async def events(request: AnyRequest, service: NamedDependency[Service], who: NamedDependency[Device]) -> Stream:
    """``c`` cursors (or ``Last-Event-ID``), ``e`` the epoch the desk knows, ``z`` the dictionary it has, ``v`` the
    version of the protocol it speaks."""
    asked = request.query_params
    cursors = read_cursors(request.headers.get("last-event-id") or str(asked.get("c", "")))
    wanted = asked.get("z", "")
    dictionary = dictionaries().get(int(wanted)) if wanted.isdecimal() and len(wanted) < 10 else None
    # A desk of version 1 does not say which it speaks.
    version = int(asked["v"]) if asked.get("v", "") in map(str, SPOKEN_VERSIONS) else min(SPOKEN_VERSIONS)
    told = _Telling(service, Feed(who, cursors, asked.get("e", ""), version), dictionary)
    return Stream(told.lines(), media_type=STREAM_TYPE, headers=_HEADERS)


class _Telling:
    """One open stream."""

    def __init__(self, service: Service, feed: Feed, dictionary: zstandard.ZstdCompressionDict | None) -> None:
        self._service = service
        self._feed = feed
        self._dictionary = dictionary
        self._device = feed.device.id
        self._presence_at = 0.0

    async def lines(self) -> AsyncIterator[bytes]:
        service, device = self._service, self._device
        service.streams[device] = self  # a desk has one: the one before ends at its next bell
        service.presences.lease(device)
        log("stream", device=device)
        try:
            async for line in self._lines():
                yield line
        except Refusal as refusal:
            log("refused", device=device, code=refusal.code.value)  # the desk asks again and is told there
        finally:
            if service.streams.get(device) is self:
                del service.streams[device]
                service.presences.release(device, service.clock.monotonic())

    async def _lines(self) -> AsyncIterator[bytes]:
        service, feed, hub = self._service, self._feed, self._service.hub
        loop = asyncio.get_running_loop()
        spoke, look, people_moved = loop.time(), True, True
        while not hub.closed and not feed.over and service.streams.get(self._device) is self:
            region = region_of(feed.device.operator.organisation)
            names = feed.streams
            bells = [hub.bell(name) for name in names]  # before the look, or what grows meanwhile is missed
            people = [hub.bell(presence_bell(region)), hub.bell(self._device)]
            if look:
                frames = await service.run(lambda: feed.look(service.database, service.clock.now_ms()))
                for event in self._events(frames):
                    yield event
                    spoke = loop.time()
                look = names != feed.streams or any(isinstance(frame, Event) for frame in frames)
                if look:
                    people_moved |= any(bell.is_set() for bell in people)
                    continue  # there may be more
            due = self._presence_at + PRESENCE_S - loop.time()
            if people_moved and due <= 0:
                people_moved = False
                if batch := service.presences.batch(self._device, region):
                    yield presence_event(batch)
                    spoke = self._presence_at = loop.time()
            quiet = spoke + HEARTBEAT_S - loop.time()
            if quiet <= 0:
                yield HEARTBEAT
                spoke, look = loop.time(), True  # and whether he may still be told anything
                continue
            await first_of([*bells, *people], min(quiet, due) if people_moved and due > 0 else quiet)
            look = any(bell.is_set() for bell in bells)
            people_moved |= any(bell.is_set() for bell in people)

    def _events(self, frames: list[Frame]) -> list[bytes]:
        """FRAME_EVENTS entries in each, so that a cut costs no more."""
        cursors = self._feed.cursors
        if len(frames) <= FRAME_EVENTS:
            return [frames_event(frames, cursors, self._dictionary)] if frames else []
        parts: list[bytes] = []
        for start in range(0, len(frames), FRAME_EVENTS):
            last = start + FRAME_EVENTS >= len(frames)
            part = frames[start : start + FRAME_EVENTS]
            parts.append(frames_event(part, cursors if last else {}, self._dictionary))
        return parts
