"""The sender that stays after «Выход»: a process of its own that holds the journal until it has nothing to send.

It is given what it needs through its standard input and keeps it in memory alone. Operations go first, then files and
recordings, in parts. It ends when all is sent or the rest can not go in this shift (staying.py), when the shift is
over, when the server does not know its session any more, or when the next sign-in asks for the journal (SIGTERM), also
in the middle of a part. Whatever is unsent then is in the journal; a file is gone on with where the server has got to.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from operator_tui.appeals.clock import Clock, SystemClock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.signin.staying import Look, Step, Why, first_opens_ms, next_step, opens_ms

if TYPE_CHECKING:
    from operator_tui.journal.journal import Journal
    from operator_tui.signin.handed import Handed
    from operator_tui.signin.session import Session
    from operator_tui.sync.link import Link

_log = logging.getLogger(__name__)
_LOOK_S = 3.0  # between two looks whether the line is free, or the night has come


@click.command("send", hidden=True)
def send() -> None:
    """Started by the desk at «Выход»; of no use by hand: everything it needs comes through its standard input."""
    from operator_tui.secrets import harden_process

    harden_process()
    from operator_tui.logs import log_to
    from operator_tui.signin.handed import Handed

    try:
        handed = msgspec.json.decode(sys.stdin.buffer.read(), type=Handed)
    except msgspec.MsgspecError:
        sys.exit(2)
    if os.fork():  # before any thread: the child belongs to nobody who would have to wait for its end
        os._exit(0)
    log_to(Path(handed.logs) / "sender.log")
    _log.setLevel(logging.INFO)
    asyncio.run(stay(handed, SystemClock(), ready=_ready))


def _ready() -> None:
    """The desk hears who we are, then nothing more of us."""
    with os.fdopen(os.dup(1), "wb") as out:
        out.write(str(os.getpid()).encode() + b"\n")
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)


async def stay(handed: Handed, clock: Clock, *, ready: Callable[[], None]) -> Why:
    """Hold the journal and send; ``ready`` is called when it is held. Refusals are those of opening it."""
    from operator_tui.journal.journal import Journal
    from operator_tui.journal.lock import JournalLock
    from operator_tui.reference import packaged_catalogue
    from operator_tui.signin.apart import sender_lock

    asked = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asked.set)
    file = Path(handed.journal)
    lock = JournalLock.take(sender_lock(file))
    thread = ThreadPoolExecutor(1, "journal")
    try:
        catalogue = packaged_catalogue()

        def run(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Awaitable[Any]:
            return asyncio.get_running_loop().run_in_executor(thread, lambda: function(*args, **kwargs))

        journal: Journal = await run(Journal.open, file, handed.key, catalogue=catalogue, clock=clock)
        try:
            ready()
            why = await _send(handed, journal, run, clock, asked)
        finally:
            await run(journal.close)
    finally:
        lock.release()
        thread.shutdown()
    return why


async def _send(
    handed: Handed, journal: Journal, run: Callable[..., Awaitable[Any]], clock: Clock, asked: asyncio.Event
) -> Why:
    stay = _Stay(handed, journal, run, clock, asked)
    rounds = asyncio.create_task(stay.to_the_end())
    stopped = asyncio.create_task(asked.wait())
    try:
        await asyncio.wait({rounds, stopped}, return_when=asyncio.FIRST_COMPLETED)
        why = rounds.result() if rounds.done() else Why.ASKED
        fields = {"status": why.value, "count": stay.records, "files": stay.files}
        _log.info("sender ended", extra={"event": "sender ended", "fields": fields})
        if why in (Why.SENT, Why.LATER):
            await stay.session.end()
        return why
    finally:
        for task in (rounds, stopped):
            task.cancel()
        await asyncio.wait({rounds, stopped})
        await stay.close()


class _Stay:
    """One sender: the queue of operations, then the lane of files. ``records`` and ``files`` wait, as last looked."""

    def __init__(
        self,
        handed: Handed,
        journal: Journal,
        run: Callable[..., Awaitable[Any]],
        clock: Clock,
        asked: asyncio.Event,
    ) -> None:
        from operator_tui.signin.handed import HandedSeat
        from operator_tui.signin.session import Session
        from operator_tui.signin.workstation import Workstation
        from operator_tui.sync.asking import as_signed_in
        from operator_tui.sync.files import FileLane
        from operator_tui.sync.link import Link
        from operator_tui.sync.sender import Sender

        self._handed, self._journal, self._run = handed, journal, run
        self._clock, self._asked = clock, asked
        self._link = Link(handed.central)
        self._place = Workstation(Path(handed.files.workstation), Path(handed.files.engine))
        self._seat = HandedSeat(handed)
        self.session = Session(
            self._connected, clock, lambda: self._seat, unsent=lambda: self.records + self.files, revoked=_nothing
        )
        tokens = _Tokens(self.session)
        self._sender = Sender(journal, self._link, run=run, clock=clock, session=tokens, wait_s=0)
        self._lane = FileLane(
            journal, self._link, run=run, signed_in=lambda work: as_signed_in(tokens, work),
            folder=handed.files.folder, free=self._free, clock=clock, keep_days=handed.files.settings.keep_days,
        )  # fmt: skip
        self.records, self.files = 1, 0  # until it is looked: nobody has said that nothing waits
        self._opens_ms: int | None = None
        self._refusal: Code | None = None

    async def to_the_end(self) -> Why:
        """Send until there is nothing more to send, or no more sense in it."""
        step = await self._look()
        while not isinstance(step, Why):
            pause = await self._do(step)
            before, step = step, await self._look()
            if step is before:
                await asyncio.sleep(min(pause, (self._handed.until_ms - self._clock.now_ms()) / 1000))
                step = await self._look()
        if self._refusal is Code.DEVICE_REVOKED:
            await self._seal()
        return step

    async def _do(self, step: Step) -> float:
        """Seconds until the same again."""
        match step:
            case Step.RECORDS:
                pause, refusal = await self._sender.round(), self._sender.state.refusal
            case Step.FILES:
                pause, refusal = await self._lane.round(), self._lane.state.refusal
            case Step.WAIT:
                return _LOOK_S
        self._refusal = refusal.code if refusal is not None else None
        return pause

    async def _look(self) -> Step | Why:
        files, now_ms = self._handed.files, self._clock.now_ms()
        with contextlib.suppress(Refusal):  # a disk that fails is told by who writes; the last count will do
            records, waiting = await self._run(lambda: (self._journal.unsent(), self._journal.files_waiting()))
            self.records, self.files = records, len(waiting)
            self._opens_ms = first_opens_ms(files.settings, [one.kind for one in waiting], now_ms, files.zone)
        only_files = not self.records and self._opens_ms is not None
        idle = only_files and self._place.idle and self._place.take_lane()
        look = Look(
            self.records, self._opens_ms, idle, self._refusal, self._asked.is_set(), now_ms, self._handed.until_ms
        )
        return next_step(look)

    def _free(self, kind: str) -> bool:
        """Whether the next part may go: asked before each."""
        files, now_ms = self._handed.files, self._clock.now_ms()
        opens = opens_ms(files.settings, kind, now_ms, files.zone)
        return opens is not None and opens <= now_ms < self._handed.until_ms and self._place.idle

    async def _seal(self) -> None:
        """The place is revoked: what is unsent goes to the server sealed, or with who sits here next. The keys are in a
        vault that only the next sign-in can open: it destroys them."""
        from operator_tui.signin import ending

        folder = Path(self._handed.sealed)
        try:
            unsent = await self._run(ending.unsent_in, self._journal)
            await ending.seal(self._seat.place, folder, unsent, self._seat.sign)
            await ending.deliver(self._connected, folder)
        except (Refusal, OSError):
            _log.warning("not sealed", extra={"event": "not sealed"})

    async def _connected(self) -> Link:
        return self._link

    async def close(self) -> None:
        """Let go of the line."""
        self._place.release()
        await self._sender.let_go()
        await self._link.close()


async def _nothing() -> None:
    """A place that is revoked is sealed when the round is over."""


class _Tokens:
    """The session as the sender asks for it (sync.asking.Session)."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def token(self) -> str:
        return await self._session.token()

    def spoiled(self) -> None:
        self._session.forget()
