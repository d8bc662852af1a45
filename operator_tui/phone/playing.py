"""The desk's end of a recording that is played (playback.py): started, paused, moved about in, ended."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.phone.sound_file import Speech
from operator_tui.phone.values import LineConfig

_START_SECONDS = 10.0
_END_SECONDS = 2.0


@dataclass(frozen=True)
class Played:
    """How it stands: the place and the whole in ms, whether it plays, how fast, whether its end was reached."""

    at_ms: int
    ms: int
    playing: bool
    speed: float
    over: bool


class Playback:
    """One recording in the ear. All methods belong to the event loop."""

    def __init__(self, process: asyncio.subprocess.Process, ms: int, told: Callable[[Played], None]) -> None:
        self._process = process
        self._told = told
        self.now = Played(0, ms, playing=True, speed=1.0, over=False)
        self._following = asyncio.create_task(self._follow())

    @classmethod
    async def start(cls, speech: Speech, config: LineConfig, told: Callable[[Played], None]) -> Playback:
        """Begin to play on the telephone's own output. Refusal(NO_SOUND) without a device."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "operator_tui.phone.playback"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,  # PortAudio's and ALSA's noise
            start_new_session=True,
        )
        assert process.stdin
        assert process.stdout
        about = {
            "rate": speech.rate,
            "bytes": len(speech.pcm),
            "sound": config.sound,
            "device": config.output_device,
            "speak": config.input_device,
        }
        try:
            process.stdin.write(msgspec.json.encode(about) + b"\n" + speech.pcm)
            await process.stdin.drain()
            async with asyncio.timeout(_START_SECONDS):
                first = await process.stdout.readline()
        except (TimeoutError, ConnectionError):
            first = b""
        except BaseException:
            await _end(process)
            raise
        if b'"at_ms"' not in first:
            await _end(process)
            raise Refusal(Code.NO_SOUND)
        return cls(process, speech.ms, told)

    def pause(self, on: bool) -> None:
        """Stop for a while, or go on; after the end it begins anew."""
        self._say("pause" if on else "resume")

    def move(self, seconds: float) -> None:
        """Back (below zero) or on."""
        self._say(f"move {seconds}")

    def speed(self, factor: float) -> None:
        """1.0 to 2.0, at the same pitch."""
        self._say(f"speed {factor}")

    async def stop(self) -> None:
        """End it; nothing of it is left."""
        await _end(self._process)
        self._following.cancel()
        await asyncio.wait({self._following})

    def _say(self, command: str) -> None:
        if self._process.stdin and not self._process.stdin.is_closing():
            self._process.stdin.write(command.encode() + b"\n")

    async def _follow(self) -> None:
        assert self._process.stdout
        while line := await self._process.stdout.readline():
            said = msgspec.json.decode(line, type=dict)
            self.now = Played(said["at_ms"], self.now.ms, said["playing"], said["speed"], said["over"])
            self._told(self.now)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.stdin:
        process.stdin.close()
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_END_SECONDS):
                await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
