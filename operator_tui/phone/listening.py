"""What the engine plays to the operator besides talks: a recording whose bytes come from the desk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.phone.events import Listened
from operator_tui.phone.line import PhoneEvent
from operator_tui.phone.playing import Playback, Played
from operator_tui.phone.wire import PlayPart

_MOST_BYTES = 64 * 1024 * 1024


class Listening:
    """One recording at a time. Belongs to the loop's thread; the sound is a process of its own (playback.py)."""

    def __init__(self, tell: Callable[[PhoneEvent], None]) -> None:
        self._tell = tell
        self._come = bytearray()
        self._playback: Playback | None = None
        self._turn = asyncio.Lock()

    async def take(self, act: PlayPart) -> None:
        """Keep the part; begin with the last. Refusal(BAD_REQUEST | SOUND_UNKNOWN | NO_SOUND)."""
        if act.first:
            self._come.clear()
        if len(self._come) + len(act.part) > _MOST_BYTES:
            self._come.clear()
            raise Refusal(Code.BAD_REQUEST)
        self._come += act.part
        if act.last:
            content = bytes(self._come)
            self._come.clear()
            async with self._turn:
                await self._silence()
                self._playback = await Playback.start(content, act.config, self._told)

    async def command(self, command: str) -> None:
        """``stop``, or a line for what is played; nothing to do where nothing is."""
        if command == "stop":
            await self.close()
        elif self._playback is not None:
            self._playback.obey(command)

    def hush(self) -> None:
        """Somebody calls."""
        if self._playback is not None and self._playback.now.playing:
            self._playback.pause(True)

    async def close(self) -> None:
        """Nothing of it is left."""
        self._come.clear()
        async with self._turn:
            await self._silence()

    async def _silence(self) -> None:
        playback, self._playback = self._playback, None
        if playback is not None:
            await playback.stop()

    def _told(self, now: Played) -> None:
        self._tell(Listened(now.at_ms, now.ms, now.playing, now.speed, now.over, now.broken))
