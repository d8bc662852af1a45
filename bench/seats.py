"""How long one waits when signing in, unlocking and changing seats, in a real terminal, over a real server.

`python -m bench.seats`: the desk as a program in a pseudo-terminal at 80x24 and the central server as another, both on
this machine, with the real price of Argon2id. Prints `name value unit target peer verdict`, tab-separated, and how many
targets are met; the median of RUNS. There is no peer: what no vault of this price can be below is in bench.signin. The
waits of a slow line come on top: two round trips for a sign-in, four for the first one at a workstation.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

from tests.peers.central import CentralServer
from tests.peers.pty import PtyDesk

RUNS = 5
PASSWORD = "пароль рабочего места 1"
_MAIN = [sys.executable, "-m", "operator_tui"]
_JOURNAL, _FIRST_SCREEN = "Электронный журнал", "F7 — другой работник"
_EXTENSIONS = {"first": "2001", "second": "2002"}
_TARGETS = {"sign_in_to_journal": 1.0, "unlock": 0.7, "change_seats": 5.0, "sit_down_first_time": 5.0}


@contextmanager
def home() -> Iterator[Path]:
    """Folders of this run alone."""
    with tempfile.TemporaryDirectory(prefix="ot-") as name:
        folder = Path(name)
        for variable, part in (("CONFIG", "c"), ("DATA", "d"), ("STATE", "s"), ("CACHE", "k")):
            os.environ[f"XDG_{variable}_HOME"] = str(folder / part)
        os.environ["XDG_RUNTIME_DIR"] = str(folder / "r")
        (folder / "r").mkdir(mode=0o700)
        yield folder


def admin(*arguments: str) -> str:
    """A command of `central admin`; its last words."""
    command = [*_MAIN, "central", "admin", *arguments, "--profile", "demo"]
    done = subprocess.run(command, input=PASSWORD + "\n", capture_output=True, text=True, check=True)
    return done.stdout


def hire(login: str) -> str:
    """A person; his enrolment code."""
    who = ("--name", "Синтетическая Анна", "--extension", _EXTENSIONS[login], "--organisation", "26/tf")
    admin("add", login, "--role", "o1", *who)
    return admin("code", login).split()[-1]


def settings(folder: Path, address: str) -> None:
    """A live profile that reaches the server, without sound."""
    file = folder / "c" / "operator-tui" / "tfoms26" / "settings.toml"
    file.parent.mkdir(parents=True)
    file.write_text(f'[central]\nurl = "http://{address}"\n[phone]\nsound = "null"\n')


def enter(desk: PtyDesk, *texts: str) -> float:
    """Type each with Enter; the instant of the last Enter."""
    for text in texts:
        desk.type(text)
        desk.wait_quiet(0.15)
        at = monotonic()
        desk.press("enter")
    return at


def take_the_seat(desk: PtyDesk, code: str) -> None:
    """The first person of the workstation."""
    desk.wait_text("Код от администратора")
    enter(desk, code, PASSWORD, PASSWORD)
    desk.wait_text(_JOURNAL)


def sit_down(desk: PtyDesk, login: str) -> float:
    """Another person at the first screen; seconds from the last Enter to his journal."""
    desk.wait_text(_FIRST_SCREEN)
    desk.press("f7")
    at = enter(desk, login, PASSWORD)
    return desk.wait(lambda screen: _JOURNAL in screen and f"доб. {_EXTENSIONS[login]}" in screen) - at


def leave(desk: PtyDesk) -> float:
    """«Выход»; the instant of the key."""
    desk.wait_text("Сервер: на связи")
    at = monotonic()
    desk.press("ctrl+q")
    desk.wait_text(_FIRST_SCREEN)
    return at


def measured(desk: PtyDesk) -> dict[str, float]:
    """Seconds, the median of RUNS."""
    found: dict[str, list[float]] = {name: [] for name in _TARGETS}
    leave(desk)
    found["sit_down_first_time"].append(sit_down(desk, "second"))
    for run in range(RUNS):
        desk.press("alt+l")
        desk.wait_text("Экран закрыт")
        at = enter(desk, PASSWORD)
        found["unlock"].append(desk.wait_gone("Экран закрыт") - at)
        begin = leave(desk)
        found["sign_in_to_journal"].append(sit_down(desk, ("first", "second")[run % 2]))
        found["change_seats"].append(monotonic() - begin)
    return {name: statistics.median(seconds) for name, seconds in found.items()}


def main() -> None:
    """Print the figures."""
    with home() as folder, CentralServer(None, arguments=("--port", "0")) as server:
        settings(folder, server.address)
        code = hire("first")
        admin("create", "second", "--name", "Синтетическая Инна", "--extension", "2002", "--organisation", "26/tf")
        with PtyDesk([*_MAIN, "desk", "--profile", "tfoms26"]) as desk:
            take_the_seat(desk, code)
            found = measured(desk)
    for name, seconds in found.items():
        verdict = "met" if seconds <= _TARGETS[name] else "MISSED"
        print(f"{name}\t{seconds:.2f}\ts\t{_TARGETS[name]}\t-\t{verdict}")
    print(f"{sum(seconds <= _TARGETS[name] for name, seconds in found.items())} of {len(found)} targets met")


if __name__ == "__main__":
    main()
