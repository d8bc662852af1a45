"""When a desk in this process is through with a key: when nothing in it is left to do.

Textual's Pilot guesses that from the processor's clock. It sleeps 20 ms, and again while the process has used more than
one of them, twice behind every key and once in every pause: a word that is typed takes half a second, nearly all of it
asleep, and on a busy machine a process that waits for a processor looks as idle as one that has done its work. Here the
event loop is asked instead: no callback is left that could run, and the screen has painted what was changed. While a
thread works for the loop (a transaction of the journal) it is waited for; one that itself waits for somebody is known
by Textual's own look at the processor. What comes from another process, or when a time is up, is waited for by who
wants it (DeskPage.until).
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import pytest
from textual._context import active_app
from textual._wait import SLEEP_GRANULARITY, SLEEP_IDLE
from textual.app import ScreenStackError
from textual.screen import Screen

_LOOK_S = 0.002
_run_in_executor = asyncio.BaseEventLoop.run_in_executor
_in_threads: WeakKeyDictionary[asyncio.AbstractEventLoop, set[asyncio.Future[Any]]] = WeakKeyDictionary()


def _noted(loop: asyncio.BaseEventLoop, executor: Any, function: Any, *args: Any) -> asyncio.Future[Any]:
    """``run_in_executor`` of which we know what it has under way."""
    job = _run_in_executor(loop, executor, function, *args)
    jobs = _in_threads.setdefault(loop, set())
    jobs.add(job)
    job.add_done_callback(jobs.discard)
    return job


async def settled(min_sleep: float = SLEEP_GRANULARITY, max_sleep: float = 1) -> None:
    """Stands where ``textual._wait.wait_for_idle`` stands: seconds that it takes at least, and at most."""
    loop: Any = asyncio.get_running_loop()
    if min_sleep > 0:
        await asyncio.sleep(min_sleep)
    end = loop.time() + max_sleep
    while loop.time() < end:
        await asyncio.sleep(0)
        # Behind this turn of the loop: what was ready has run, and what that has made ready stands here.
        if loop._ready or _paints():
            continue
        if _is_held_back():
            await asyncio.sleep(_LOOK_S)
        elif not await _a_thread_works(loop):
            return


def _screen() -> Screen[Any] | None:
    """What is seen; nothing before the first screen and behind the last."""
    app = active_app.get(None)
    try:
        return app.screen if app is not None else None
    except ScreenStackError:
        return None


def _is_held_back() -> bool:
    """Whether Textual waits for a moment before it paints: behind a change of the mode, and of the terminal's size."""
    screen = _screen()
    return screen is not None and bool(screen.app._batch_count or screen.app._resize_timer)


def _paints() -> bool:
    """Whether the screen had something to paint; done now, as its timer would 60 times a second."""
    screen = _screen()
    if screen is None or screen.app._batch_count:
        return False
    if not (
        screen._layout_required
        or screen._scroll_required
        or screen._repaint_required
        or screen._recompose_required
        or screen._dirty_widgets
    ):
        return False
    screen._on_timer_update()
    return True


async def _a_thread_works(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether a thread has given its answer within a moment, or is about to: it computes, or would if it were let."""
    jobs = [job for job in _in_threads.get(loop, ()) if not job.done()]
    if not jobs:
        return False
    spent = time.process_time()
    done, _ = await asyncio.wait(jobs, timeout=SLEEP_GRANULARITY, return_when=asyncio.FIRST_COMPLETED)
    return bool(done) or time.process_time() - spent >= SLEEP_IDLE or _waits_for_a_processor()


def _waits_for_a_processor() -> bool:
    """Whether another thread of this process runs, or stands in a queue for a processor or the disk (proc(5))."""
    for thread in Path("/proc/self/task").iterdir():
        if int(thread.name) != threading.get_native_id():
            with contextlib.suppress(OSError):  # it ends just now
                if (thread / "stat").read_text().rpartition(")")[2].split()[0] in "RD":
                    return True
    return False


@pytest.fixture(scope="session", autouse=True)
def _settled() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio.BaseEventLoop, "run_in_executor", _noted)
        for place in ("textual.app", "textual.pilot"):
            patch.setattr(f"{place}.wait_for_idle", settled)
        yield
