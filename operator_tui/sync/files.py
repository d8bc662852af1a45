"""The lane of files: papers and recordings go to the server in parts, behind everything else.

No part begins while an operation waits, and a part is what the line carries in about a second, so a card never waits
behind a file for longer. Where the server has got to is the server's word: after a cut, a kill or another server the
upload is found by its digest and gone on with. The server looks at the digest of the whole before it says it has it.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from operator_tui.appeals.clock import Clock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.journal.files import Sending
from operator_tui.journal.journal import Journal
from operator_tui.sync import tus
from operator_tui.sync.link import Link
from operator_tui.sync.rounds import Rounds

_log = logging.getLogger(__name__)

_LEAST, _MOST = 8 << 10, 256 << 10  # bytes of a part
_FIRST = 16 << 10
_PART_S = 1.0  # what a part may take of the line
_LOOK_S = 60.0  # between two looks while nothing is to be sent
_BUSY_S = 2.0  # until it is looked again whether the line is free
_LATER_S = 900.0  # until a server whose disk was full is asked again
_ANEW = 2  # how often an upload begins anew in one go before it is left for later
# The server's matter or the administrator's: it is tried again, and nothing of ours is at fault.
_LATER = frozenset(
    {Code.FILE_STORE_FULL, Code.FILE_STORE_AWAY, Code.FILE_UPLOAD, Code.FILE_UNREADABLE, Code.SERVER_REFUSED}
)
_FOR_GOOD = frozenset({Code.FILE_TOO_LONG, Code.FILE_CHANGED, Code.FILE_GONE, Code.BAD_REQUEST})
_KEEP_MS = 86_400_000


@dataclass(frozen=True)
class LaneState:
    """What a screen shows of it: how many files wait, the one that goes now, and why it does not go on."""

    unsent: int = 0
    now: Sending | None = None
    refusal: Refusal | None = None


class FileLane:
    """One journal's files. All its methods belong to one event loop."""

    def __init__(
        self,
        journal: Journal,
        link: Link,
        *,
        run: Callable[..., Awaitable[Any]],
        signed_in: Callable[[Callable[[str], Awaitable[int]]], Awaitable[int]],
        folder: Callable[[str], Path],
        free: Callable[[str], bool],
        clock: Clock,
        beside: Callable[..., Awaitable[Any]] = asyncio.to_thread,
        keep_days: int = 7,
        later_s: float = _LATER_S,
        on_state: Callable[[LaneState], None] = lambda state: None,
    ) -> None:
        """``run`` as for the sender; ``signed_in(work)`` runs ``work(token)`` as who sits here; ``folder(kind)`` is
        where files of a kind lie; ``free(kind)`` whether they may go now; ``beside`` runs what waits for the disk;
        ``keep_days`` a recording's copy stays here after the server has it; ``later_s`` seconds until a server that had
        no room is asked again."""
        self._journal = journal
        self._link = link
        self._run = run
        self._signed_in = signed_in
        self._folder = folder
        self._free = free
        self._clock = clock
        self._beside = beside
        self._keep_ms = keep_days * _KEEP_MS
        self._later_s = later_s
        self._on_state = on_state
        self._rounds = Rounds(self._round, self._fell)
        self._part = _FIRST
        self._looked: set[str] = set()  # recordings that stood in no journal when this lane found them
        self._sound: dict[str, tuple[int, int]] = {}  # when and how long a file was when its digest was right
        self.state = LaneState()

    def kick(self) -> None:
        """There is a file, or the line is back: look now."""
        self._rounds.kick()

    async def run(self) -> None:
        """Send for as long as the desk lives."""
        self._rounds.began()
        while True:
            self._rounds.kicked.clear()
            await self._rounds.pause(await self.round())

    async def stop(self) -> None:
        """End ``run``; what has not gone goes on at the next start."""
        await self._rounds.stop()

    async def round(self) -> float:
        """Send what may go now. Seconds to wait before the next look."""
        return await self._rounds.once()

    async def _fell(self, refusal: Refusal) -> None:
        """The server is away, the journal's disk is full: the file waits where it is."""
        await self._tell(None, refusal)

    async def _round(self) -> float:
        await self._sweep()
        await self._let_go()
        waiting: list[Sending] = await self._run(self._journal.files_waiting)
        ready = [one for one in waiting if self._free(one.kind)]
        later: Refusal | None = None
        for one in ready:
            try:
                if not await self._whole(one):
                    await self._tell(None, later)
                    return _BUSY_S
            except Refusal as refusal:
                if refusal.code not in _LATER | _FOR_GOOD:
                    raise
                for_good = refusal.code in _FOR_GOOD
                await self._run(self._journal.file_put_off, one.name, refusal, for_good=for_good)
                later = refusal
                if refusal.code in (Code.FILE_STORE_FULL, Code.FILE_STORE_AWAY):
                    break  # another file fares no better
        await self._tell(None, later)
        if later is not None:
            return self._later_s
        return _LOOK_S if len(ready) == len(waiting) else _BUSY_S * 5

    async def _whole(self, one: Sending) -> bool:
        """Send one file to its end; whether it is there. False when the line is wanted for something else."""
        path = self._folder(one.kind) / one.file if one.file else None
        gone = path is None or not await self._beside(path.exists)
        # One that was begun, or is here no more, may be there whole: a colleague has the same, an answer was lost.
        if (one.sent or gone) and await self._has_it(one):
            await self._run(self._journal.file_there, one.name)
            return True
        if path is None or gone:
            raise Refusal(Code.FILE_GONE)
        size = await self._beside(self._checked, path, one.name)
        for _ in range(_ANEW):
            try:
                return await self._parts(one, path, size)
            except Refusal as refusal:
                if refusal.code is not Code.FILE_UPLOAD:
                    raise
        raise Refusal(Code.FILE_UPLOAD)

    async def _has_it(self, one: Sending) -> bool:
        found: list[tuple[int, int] | None] = []

        async def ask(token: str) -> int:
            found.append(await tus.standing(self._link, token, one.name))
            return 0

        await self._signed_in(ask)
        return found[-1] is not None and found[-1][0] == found[-1][1]

    def _checked(self, path: Path, name: str) -> int:
        """The size of the file, when it is still what its name says: looked at once, and again when it was touched.
        Refusals: FILE_GONE, FILE_CHANGED, FILE_UNREADABLE."""
        try:
            about = path.stat()
            looks = about.st_mtime_ns, about.st_size
            if self._sound.get(name) != looks:
                found, _ = _digest(path)
                if found != name:
                    raise Refusal(Code.FILE_CHANGED)
                self._sound[name] = looks
        except FileNotFoundError:
            raise Refusal(Code.FILE_GONE) from None
        except OSError as error:  # a fault of the disk at one file: the others go on
            raise _unreadable(path, error) from None
        return about.st_size

    async def _parts(self, one: Sending, path: Path, size: int) -> bool:
        at = await self._signed_in(lambda token: tus.begin(self._link, token, one.name, max(size, 1)))
        while at < size:
            await self._went(one, at, size)
            if not await self._line_free(one.kind):
                return False
            piece = await self._beside(_read, path, at, self._part)
            at = await self._timed(one.name, at, piece)
        await self._run(self._journal.file_there, one.name)
        return True

    async def _timed(self, name: str, at: int, piece: bytes) -> int:
        """Send a part, and make the next one as long as the line takes in about a second."""
        began = self._clock.monotonic()
        there = await self._signed_in(lambda token: tus.append(self._link, token, name, at, piece))
        took = max(self._clock.monotonic() - began, 0.001)
        self._part = max(_LEAST, min(_MOST, self._part * 2, int(len(piece) * _PART_S / took)))
        return there

    async def _line_free(self, kind: str) -> bool:
        waiting: int = await self._run(self._journal.unsent)
        return waiting == 0 and self._free(kind)

    async def _went(self, one: Sending, at: int, size: int) -> None:
        await self._run(self._journal.file_went, one.name, at, size)
        await self._tell(msgspec.structs.replace(one, sent=at, size=size), None)

    async def _sweep(self) -> None:
        """Recordings that lie here and stand in no journal: of a place that was revoked, of a desk that was killed
        before it heard of them, of a journal that had no room. They are sealed for the fund; whoever sits here sends
        them."""
        folder = self._folder("recording")
        known: set[str] = await self._run(self._journal.recordings_known)
        for path in await self._beside(_strays, folder, known | self._looked):
            try:
                name, size = await self._beside(_digest, path)
            except OSError:
                continue  # looked at again in the next round: the others do not wait for it
            await self._run(self._journal.file_found, name, path.name, path.stem, size)
            self._looked.add(path.name)

    async def _let_go(self) -> None:
        before = self._clock.now_ms() - self._keep_ms
        for one in await self._run(self._journal.spare_files, before):
            try:
                await self._beside((self._folder(one.kind) / one.file).unlink, missing_ok=True)
            except OSError:
                continue  # it stays in the journal as lying here, and nothing waits for it
            await self._run(self._journal.file_let_go, one.name)

    async def _tell(self, now: Sending | None, refusal: Refusal | None) -> None:
        unsent = self.state.unsent
        with contextlib.suppress(Refusal):
            unsent = await self._run(self._journal.unsent_files)
        state = LaneState(unsent, now, refusal)
        if state != self.state:
            self.state = state
            self._on_state(state)


def _digest(path: Path) -> tuple[str, int]:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), file.tell()


def _read(path: Path, at: int, size: int) -> bytes:
    """The next bytes, one at least. Refusals: FILE_GONE, FILE_CHANGED (it is shorter now), FILE_UNREADABLE."""
    try:
        with path.open("rb") as file:
            file.seek(at)
            piece = file.read(size)
    except FileNotFoundError:
        raise Refusal(Code.FILE_GONE) from None
    except OSError as error:
        raise _unreadable(path, error) from None
    if not piece:
        raise Refusal(Code.FILE_CHANGED)
    return piece


def _unreadable(path: Path, error: OSError) -> Refusal:
    return Refusal(Code.FILE_UNREADABLE, file=path.name, reason=error.strerror or "")


def _strays(folder: Path, known: set[str]) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.glob("*.otr") if path.name not in known)
