"""The sender that stays after «Выход»: a process of its own that holds the journal until it has nothing to send.

It is given what it needs through its standard input and keeps it in memory alone. It ends when the queue is empty, when
the shift is over, when the server does not know its session any more, or when the next sign-in asks for the journal
(SIGTERM); whatever is unsent then is in the journal.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from operator_tui.appeals.clock import Clock, SystemClock
from operator_tui.appeals.errors import Code

if TYPE_CHECKING:
    from operator_tui.journal.journal import Journal
    from operator_tui.signin.handed import Handed
    from operator_tui.signin.session import Session
    from operator_tui.sync.link import Link
    from operator_tui.sync.sender import Sender, SenderState

_log = logging.getLogger(__name__)
# After these no round of this session can succeed.
_OVER = frozenset(
    {
        Code.SIGN_IN_NEEDED,
        Code.PASSWORD_CHANGED,
        Code.ACCOUNT_BLOCKED,
        Code.DEVICE_REVOKED,
        Code.DEVICE_OTHER,
        Code.NOT_ENROLLED,
    }
)


class Why(StrEnum):
    """Why it ended."""

    SENT = "sent"
    SHIFT = "shift"
    SESSION = "session"
    ASKED = "asked"


def over(state: SenderState, now_ms: int, until_ms: int) -> Why | None:
    """Whether to end after a round; ``now_ms`` and ``until_ms`` are UTC ms."""
    if not state.unsent:
        return Why.SENT
    if state.refusal is not None and state.refusal.code in _OVER:
        return Why.SESSION
    return Why.SHIFT if now_ms >= until_ms else None


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
    from operator_tui.signin.handed import HandedSeat
    from operator_tui.signin.session import Session
    from operator_tui.sync.link import Link
    from operator_tui.sync.sender import Sender

    link, seat = Link(handed.central), HandedSeat(handed)

    async def connect() -> Link:
        return link

    async def revoked() -> None:
        """The next sign-in seals what is left: the keys of this place are not ours to destroy."""

    session = Session(connect, clock, lambda: seat, unsent=lambda: sender.state.unsent, revoked=revoked)
    sender = Sender(journal, link, run=run, clock=clock, session=_Tokens(session), wait_s=0)
    rounds = asyncio.create_task(_rounds(sender, clock, handed.until_ms))
    stopped = asyncio.create_task(asked.wait())
    try:
        await asyncio.wait({rounds, stopped}, return_when=asyncio.FIRST_COMPLETED)
        why = rounds.result() if rounds.done() else Why.ASKED
        fields = {"status": why.value, "count": sender.state.unsent}
        _log.info("sender ended", extra={"event": "sender ended", "fields": fields})
        if why is Why.SENT:
            await session.end()
        return why
    finally:
        for task in (rounds, stopped):
            task.cancel()
        await asyncio.wait({rounds, stopped})
        await sender.let_go()
        await link.close()


async def _rounds(sender: Sender, clock: Clock, until_ms: int) -> Why:
    while True:
        pause = await sender.round()
        why = over(sender.state, clock.now_ms(), until_ms)
        if why is not None:
            return why
        await asyncio.sleep(pause)


class _Tokens:
    """The session as the sender asks for it (sync.asking.Session)."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def token(self) -> str:
        return await self._session.token()

    def spoiled(self) -> None:
        self._session.forget()
