"""How soon a desk that was killed is back with its call and its draft.

`python -m bench.attach`: the real desk in a pseudo-terminal, in the profile demo with its embedded server and a
registry of 50,000 people; a call is answered, the card begun, the desk killed with -9 while the call goes on, a new one
started. Prints `name value unit target peer verdict`, tab-separated; the median of RUNS. The peer is the same desk's
own first picture in the same runs: what no order of its work can save.

attach_s: from the start of the process until the call and what was typed stand on the screen. attach_cpu_s: what the
process has spent of a processor by then.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.peers.pty import PtyDesk

RUNS = 7
ATTACH_S = 2.0
TYPED = "Крестовоздвиженский"
_DESK = [sys.executable, "-m", "operator_tui"]
_PARTS = {"CONFIG_HOME": "c", "DATA_HOME": "d", "STATE_HOME": "s", "CACHE_HOME": "k", "RUNTIME_DIR": "r"}
_SETTINGS = '[phone]\nsound = "null"\nsimulated_first_seconds = 1\nsimulated_talk_seconds = 900\n'
_DRAFT_S = 1.5  # what is typed is on disk within one


@dataclass(frozen=True)
class Start:
    """One start of a desk, in seconds from the start of its process."""

    painted_s: float
    ready_s: float
    cpu_s: float


@contextmanager
def home() -> Iterator[Path]:
    """A home of this run's own: nobody's real profile is touched."""
    with tempfile.TemporaryDirectory(prefix="ot-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        os.environ["HOME"] = name
        for variable, part in _PARTS.items():
            (folder / part).mkdir(mode=0o700)
            os.environ[f"XDG_{variable}"] = str(folder / part)
        settings = folder / "c" / "operator-tui" / "demo" / "settings.toml"
        settings.parent.mkdir(parents=True)
        settings.write_text(_SETTINGS, encoding="utf-8")
        yield folder


def begin_a_call(desk: PtyDesk) -> None:
    """A call is answered and something typed into its card, and on disk."""
    desk.wait_text("ВХОДЯЩИЙ ВЫЗОВ", 120)
    desk.press("f2")
    desk.wait_text("РАЗГОВОР")
    desk.wait_text("Enter — прикрепить")  # the card with its caller's people: what comes later moves the cursor no more
    desk.press("f6", "tab")
    desk.type(TYPED)
    desk.wait_text(TYPED)
    time.sleep(_DRAFT_S)


def started(*wanted: str) -> tuple[PtyDesk, Start]:
    """A new desk, once all those words stand on its screen."""
    began = time.monotonic()
    desk = PtyDesk(_DESK)
    painted = desk.wait(lambda screen: screen.strip())
    ready = desk.wait(lambda screen: all(word in screen for word in wanted), what=", ".join(wanted))
    return desk, Start(painted - began, ready - began, desk.cpu_seconds())


def attached() -> list[Start]:
    """RUNS desks one after another, each killed, all of one call."""
    desk = PtyDesk(_DESK)
    begin_a_call(desk)
    found = []
    for _ in range(RUNS):
        desk.kill()
        desk.close()
        desk, start = started("РАЗГОВОР", TYPED)
        found.append(start)
        desk.wait_text("Сервер: на связи")  # the next kill finds a desk at work, not one on its way up
    desk.press("f4")
    desk.wait_text("Постобработка")
    desk.press("ctrl+q")
    desk.wait_exit()
    desk.close()
    return found


def main() -> int:
    """Print the figures."""
    with home():
        runs = attached()
    middle = {name: statistics.median(getattr(run, name) for run in runs) for name in ("painted_s", "ready_s", "cpu_s")}
    met = middle["ready_s"] <= ATTACH_S
    verdict = "met" if met else "MISSED"
    print(f"attach_s\t{middle['ready_s']:.2f}\ts\t{ATTACH_S}\t{middle['painted_s']:.2f}\t{verdict}")
    print(f"attach_cpu_s\t{middle['cpu_s']:.2f}\ts\t-\t-\t-")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
