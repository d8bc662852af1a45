"""How often a password may be tried at this place: five times at once, then ever more slowly.

The server counts the tries that reach it (central/auth/limits.py); what opens a vault or a lock does not. Counted is on
disk and before the password is looked at: neither a desk started anew nor one killed in between is a way round. Who can
change the file could copy the vault as well, and pays Argon2id for every guess.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from operator_tui.appeals.clock import Clock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.secrets.files import alone, read_private, write_private

FREE = 5
FIRST_PAUSE_S, LONGEST_PAUSE_S = 30, 15 * 60
_WRONG = frozenset({Code.SIGN_IN_WRONG, Code.VOICE_CODE})


class _Kept(msgspec.Struct, frozen=True):
    """``wrong`` tries since the last right one, the last of them at ``last_ms`` (UTC)."""

    wrong: int = 0
    last_ms: int = 0


def pause_s(wrong: int) -> int:
    """Seconds to wait after that many wrong tries in a row."""
    if wrong < FREE:
        return 0
    return min(LONGEST_PAUSE_S, FIRST_PAUSE_S << min(wrong - FREE, 10))


class Tries:
    """The tries at one seat. All methods touch the disk."""

    def __init__(self, file: Path, clock: Clock) -> None:
        self._file = file
        self._clock = clock

    @property
    def left(self) -> int:
        """How many there are before one has to wait."""
        return max(0, FREE - self._read().wrong)

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """One try of a password inside. It was wrong when SIGN_IN_WRONG or VOICE_CODE comes out; another refusal says
        nothing of it, and neither does a try that was given up. Refusal(UNLOCK_LATER) with the seconds to wait when
        there were too many."""
        before = await asyncio.to_thread(self._count)
        try:
            yield
        except Refusal as refusal:
            if refusal.code not in _WRONG:
                await asyncio.to_thread(self._write, before)
            raise
        except asyncio.CancelledError:
            self._write(before)  # given up before anything came of it; who gives up waits for no thread
            raise
        await asyncio.to_thread(self.forget)

    def forget(self) -> None:
        """It was the right one."""
        self._file.unlink(missing_ok=True)

    def _count(self) -> _Kept:
        """One more; what there was before."""
        with alone(self._file):
            before, now_ms = self._read(), self._clock.now_ms()
            left_ms = before.last_ms + pause_s(before.wrong) * 1000 - now_ms
            # A clock that was turned back must not lock anybody out for longer than the longest pause.
            if 0 < left_ms <= LONGEST_PAUSE_S * 1000:
                raise Refusal(Code.UNLOCK_LATER, seconds=-(-left_ms // 1000))
            self._write(_Kept(before.wrong + 1, now_ms))
            return before

    def _read(self) -> _Kept:
        try:
            return msgspec.json.decode(read_private(self._file) or b"{}", type=_Kept)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return _Kept()

    def _write(self, kept: _Kept) -> None:
        if not kept.wrong:
            self.forget()
            return
        write_private(self._file, msgspec.json.encode(kept))
