"""Free ports on 127.0.0.1, in blocks: a SIP stack takes its port and the next, RTP takes two a call.

A block is free when it is asked for and taken later, some only at times (a server that is killed and started again): so
workers that run side by side have ranges of their own, and a block comes again only when its whole range was given out.
"""

from __future__ import annotations

import os
import random
import socket
from contextlib import ExitStack

_LOWEST, _HIGHEST = 20_000, 31_000  # below Linux's ephemeral range, so that no client socket takes one meanwhile


def _range() -> tuple[int, int]:
    """This worker's part, of pytest-xdist's names gw0, gw1 …; all of it without workers."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    size = (_HIGHEST - _LOWEST) // workers // 2 * 2
    lowest = _LOWEST + number % workers * size
    return lowest, lowest + size


def _bindable(port: int) -> bool:
    with ExitStack() as stack:
        try:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                probe = stack.enter_context(socket.socket(socket.AF_INET, kind))
                probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


_next = 0


def free_block(size: int = 2) -> int:
    """The first of ``size`` ports in a row, an even one, all of them free for TCP and UDP just now."""
    global _next
    lowest, highest = _range()
    if not lowest <= _next < highest:
        _next = random.randrange(lowest, highest, 2)  # another run beside this one begins elsewhere
    for _ in range((highest - lowest) // 2):
        first = _next if _next + size <= highest else lowest
        if all(_bindable(port) for port in range(first, first + size)):
            _next = first + size + size % 2
            return first
        _next = first + 2
    raise OSError("no free block of ports")
