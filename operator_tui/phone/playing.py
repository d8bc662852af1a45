"""A recording in the ear: started, paused, moved about in, ended. Here, or where the telephone is.

``Playback`` is a process beside this one (playback.py). ``FarPlayback`` has the engine play: on a thin client the desk
runs on another machine than the headset (deploy/thin-client).
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import msgspec

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.phone.events import Listened
from operator_tui.phone.values import LineConfig

_START_SECONDS = 10.0
_END_SECONDS = 2.0
# What crosses the line at once: small enough that «Ответить» does not wait behind it.
_LEAST_PART, _MOST_PART = 4 * 1024, 256 * 1024
_QUICK_SECONDS, _SLOW_SECONDS = 0.25, 1.0


@dataclass(frozen=True)
class Played:
    """How it stands: the place and the whole in ms, whether it plays, how fast, whether its end was reached; ``broken``
    when whoever played it is gone."""

    at_ms: int
    ms: int
    playing: bool
    speed: float
    over: bool
    broken: bool = False


class Player(Protocol):
    """One recording in the ear. All methods belong to the event loop."""

    now: Played

    def pause(self, on: bool) -> None:
        """Stop for a while, or go on; after the end it begins anew."""
        ...

    def move(self, seconds: float) -> None:
        """Back (below zero) or on."""
        ...

    def speed(self, factor: float) -> None:
        """1.0 to 2.0, at the same pitch."""
        ...

    async def stop(self) -> None:
        """End it; nothing of it is left."""
        ...


class _Commanded:
    """The commands of a player, as playback.py reads them."""

    def _say(self, command: str) -> None:
        raise NotImplementedError

    def obey(self, command: str) -> None:
        """One line as playback.py reads it."""
        self._say(command.replace("\n", " "))

    def pause(self, on: bool) -> None:
        self._say("pause" if on else "resume")

    def move(self, seconds: float) -> None:
        self._say(f"move {seconds}")

    def speed(self, factor: float) -> None:
        self._say(f"speed {factor}")


class Playback(_Commanded):
    """Player on this machine."""

    def __init__(self, process: asyncio.subprocess.Process, first: Played, told: Callable[[Played], None]) -> None:
        self._process = process
        self._told = told
        self.now = first
        self._following = asyncio.create_task(self._follow())

    @classmethod
    async def start(cls, content: bytes, config: LineConfig, told: Callable[[Played], None]) -> Playback:
        """Begin to play a WAV or Ogg Opus file on the telephone's own output. Refusal(SOUND_UNKNOWN | NO_SOUND)."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "operator_tui.phone.playback"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,  # PortAudio's and ALSA's noise
            start_new_session=True,
        )
        assert process.stdin
        assert process.stdout
        about = {
            "bytes": len(content),
            "sound": config.sound,
            "device": config.output_device,
            "speak": config.input_device,
        }
        try:
            process.stdin.write(msgspec.json.encode(about) + b"\n" + content)
            async with asyncio.timeout(_START_SECONDS):
                await process.stdin.drain()
                first = await process.stdout.readline()
        except (TimeoutError, ConnectionError):
            first = b""
        except BaseException:
            await _end(process)
            raise
        said = _said(first)
        if said is None:
            await _end(process)
            raise _refused(first)
        return cls(process, said, told)

    async def stop(self) -> None:
        self._following.cancel()
        await asyncio.wait({self._following})
        await _end(self._process)

    def _say(self, command: str) -> None:
        if self._process.returncode is None and self._process.stdin and not self._process.stdin.is_closing():
            self._process.stdin.write(command.encode() + b"\n")

    async def _follow(self) -> None:
        assert self._process.stdout
        while line := await self._process.stdout.readline():
            if (said := _said(line)) is not None:
                self.now = said
                self._told(said)
        # Nobody has stopped it: it was killed, or its sound server took it along.
        self.now = replace(self.now, playing=False, broken=True)
        self._told(self.now)


def _said(line: bytes) -> Played | None:
    try:
        return msgspec.json.decode(line, type=Played)
    except msgspec.DecodeError:
        return None


def _refused(line: bytes) -> Refusal:
    try:
        return Refusal.from_wire(msgspec.json.decode(line, type=dict))
    except (msgspec.DecodeError, KeyError, ValueError):
        return Refusal(Code.NO_SOUND)


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


class Far(Protocol):
    """What a far player asks of the telephone (remote.RemotePhone)."""

    listening: Callable[[Listened], None] | None

    async def play_part(self, config: LineConfig, part: bytes, *, last: bool, first: bool = False) -> None: ...

    async def play_command(self, command: str) -> None: ...


class FarPlayback(_Commanded):
    """Player where the engine is. The file goes there in parts, through memory alone."""

    def __init__(self, phone: Far, told: Callable[[Played], None]) -> None:
        self._phone = phone
        self._told = told
        self._commands: set[asyncio.Task[None]] = set()
        self.now = Played(0, 0, playing=True, speed=1.0, over=False)
        phone.listening = self._listened

    @classmethod
    async def start(cls, phone: Far, content: bytes, config: LineConfig, told: Callable[[Played], None]) -> FarPlayback:
        """Send the file, then begin to play. Refusal(SOUND_UNKNOWN | NO_SOUND | PLAY_IN_CALL | PHONE_AWAY)."""
        made = cls(phone, told)
        try:
            await made._send(await asyncio.to_thread(packed, content), config)
        except BaseException:
            phone.listening = None
            raise
        return made

    async def stop(self) -> None:
        self._phone.listening = None
        for command in self._commands:
            command.cancel()
        with contextlib.suppress(Refusal):
            await self._phone.play_command("stop")

    async def _send(self, content: bytes, config: LineConfig) -> None:
        loop, at, size = asyncio.get_running_loop(), 0, _LEAST_PART
        while True:
            part, began, first = content[at : at + size], loop.time(), at == 0
            at += len(part)
            await self._phone.play_part(config, part, last=at >= len(content), first=first)
            if at >= len(content):
                return
            took = loop.time() - began
            size = size * 2 if took < _QUICK_SECONDS else size // 2 if took > _SLOW_SECONDS else size
            size = max(_LEAST_PART, min(_MOST_PART, size))

    def _say(self, command: str) -> None:
        async def said() -> None:
            with contextlib.suppress(Refusal):  # a telephone that is away is told by its own event
                await self._phone.play_command(command)

        task = asyncio.create_task(said())
        self._commands.add(task)
        task.add_done_callback(self._commands.discard)

    def _listened(self, event: Listened) -> None:
        self.now = Played(event.at_ms, event.ms, event.playing, event.speed, event.over, event.broken)
        self._told(self.now)


def packed(content: bytes) -> bytes:
    """The recording as Ogg Opus of one channel where it is larger and the library is: a line of 64 kbit/s carries it in
    the time it lasts. Refusal(SOUND_UNKNOWN) for what is no sound."""
    from operator_tui.phone import opus
    from operator_tui.phone.sound_file import speech_of

    speech = speech_of(content)
    if content.startswith(b"OggS") or speech.rate not in opus.RATES or not opus.available():
        return content
    return opus.encoded(speech.pcm, speech.rate)
