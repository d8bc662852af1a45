"""What makes the engine a process of its own: detached, alone on its socket, closed to debuggers."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import socket
import struct
import sys
import time
from pathlib import Path

_PR_SET_DUMPABLE = 4  # prctl(2)
_M_ARENA_MAX = -8  # malloc.h
_TURN_SECONDS = 8.0


def detach() -> None:
    """Go on as a child of nobody, in a session of its own, with no terminal: the desk may come and go.

    Fork first: a process group leader cannot call setsid, and the desk reaps the parent at once, so no zombie
    is left in it. Called before any thread or event loop exists.
    """
    sys.stdout.flush()
    if os.fork():
        os._exit(0)
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)
    os.chdir("/")


def close_to_debuggers() -> None:
    """No core file and no ptrace by the same user: the SIP secret is in this memory (prctl(2))."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def keep_small() -> None:
    """Two memory pools for all threads, and what loading the libraries has left over goes back (mallopt(3)).

    Nothing happens where the C library is not glibc.
    """
    libc = ctypes.CDLL(None)
    with contextlib.suppress(AttributeError):
        libc.mallopt(_M_ARENA_MAX, 2)
        libc.malloc_trim(0)


def sole(lock_file: Path) -> int | None:
    """A lock that dies with this process, as its descriptor is never closed; None when another engine has it."""
    descriptor = os.open(lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def wait_for_turn(lock_file: Path, socket_path: Path) -> bool:
    """Whether this process is to serve the profile: False when another one does.

    One that is on its way out no longer listens but still has the lock for a moment; it is waited for.
    """
    deadline = time.monotonic() + _TURN_SECONDS
    while sole(lock_file) is None:
        if _answers(socket_path) or time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(os.fspath(path))
        except OSError:
            return False
        return True


def listening(path: Path) -> socket.socket:
    """A UNIX socket at the path that only its owner may open; a dead one there is removed.

    The caller holds the lock of ``sole``, so nobody else can be serving at this path.
    """
    path.unlink(missing_ok=True)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # umask, not chmod alone: there must be no moment in which another user could connect.
    before = os.umask(0o177)
    try:
        made.bind(os.fspath(path))
    except OSError:
        made.close()
        raise
    finally:
        os.umask(before)
    made.setblocking(False)
    return made


def peer(connection: socket.socket) -> tuple[int, int]:
    """``(pid, uid)`` of the other end, as the kernel knows it (SO_PEERCRED, unix(7))."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid, uid, _ = struct.unpack("3i", credentials)
    return pid, uid
