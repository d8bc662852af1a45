"""What a process that holds keys does to itself at its start."""

from __future__ import annotations

import ctypes
import os
import resource
import sys

_PR_SET_DUMPABLE = 4
_PR_GET_DUMPABLE = 3


def harden() -> None:
    """No cores, no ptrace by other processes of the user, no files that others can read."""
    os.umask(0o077)
    harden_memory()


def harden_memory() -> None:
    """No cores, no ptrace; files are made as before: for a command whose files another user reads (the PBX)."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def dumpable() -> bool:
    """Whether the kernel would still dump this process."""
    return sys.platform == "linux" and bool(ctypes.CDLL(None).prctl(_PR_GET_DUMPABLE, 0, 0, 0, 0))
