"""The desk's side of the sender that stays after «Выход»: started with what it needs, ended by the next sign-in.

It is known by a lock file beside the journal that it holds as long as it lives and that names its process. Only its
own user may signal it (kill(2)), and there is nothing else to reach it by.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec

from operator_tui.journal.lock import holder, lock_file
from operator_tui.signin.handed import Handed

_READY_S = 30.0
_END_S = 3.0  # then it is killed, which costs nothing either: what is not answered is sent again
_LOOK_S = 0.02


def sender_lock(journal: Path) -> Path:
    """What the sender of that journal holds."""
    return journal.with_name(journal.name + ".sender.lock")


def start(handed: Handed) -> int:
    """Its pid once it holds the journal; 0 when it could not begin. Blocks until then.

    The process that is started is not the one that stays: it leaves a child behind, so that nobody has to wait for it.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", "operator_tui", "send"],
            input=msgspec.json.encode(handed),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # the end of the terminal is not its end
            timeout=_READY_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    said = done.stdout.strip()
    return int(said) if said.isdigit() else 0


def end(journal: Path) -> None:
    """The sender of that journal lets go of it, if there is one. Blocks until it is free, some seconds at most:
    who opens it then is told who holds it."""
    locks = (sender_lock(journal), lock_file(journal))
    begun = time.monotonic()
    asked = killed = False
    while (pid := holder(locks[0])) is not None and time.monotonic() - begun < 2 * _END_S:
        late = time.monotonic() - begun > _END_S
        if pid and (not asked or (late and not killed)):
            asked, killed = True, late
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL if late else signal.SIGTERM)
        time.sleep(_LOOK_S)
    # Of a process that was killed the kernel closes one file after the other.
    while asked and holder(locks[1]) is not None and time.monotonic() - begun < 2 * _END_S:
        time.sleep(_LOOK_S)
