"""The marker ``needs(*peers)``: real servers and rights a test runs against.

On a developer's machine a test whose peer is missing is skipped with the way to get it, and a summary lists what did
not run. With ``CI=true`` it fails instead: a check against a real server that did not happen is not a pass. The one
exception is announced loudly: ``OPERATOR_TUI_PBX=none`` (deploy/test-peers sets it when no Asterisk can be built).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

INSTALL = "deploy/test-peers"


@dataclass(frozen=True)
class Peer:
    """``missing`` answers what is not there, or an empty string; ``how`` says how to get it."""

    missing: Callable[[], str]
    how: str


def asterisk_root() -> Path:
    """The folder deploy/test-peers keeps Asterisk's root in: a whole Debian sid to ``chroot`` into, shared by all runs.

    Write nothing into it: a fixture gives Asterisk its configuration by a bind mount or a path of its own.
    """
    cache_folder = os.environ.get("OPERATOR_TUI_CACHE") or "/var/cache/operator-tui"
    return Path(os.environ.get("OPERATOR_TUI_ASTERISK_ROOT") or Path(cache_folder) / "asterisk-root")


def postgresql_bin() -> Path | None:
    """The folder of initdb and postgres: Debian keeps them out of PATH, one folder a version."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    name = shutil.which("initdb")
    return Path(name).resolve().parent if name else None


def chromium() -> Path | None:
    """Debian's Chromium, by path."""
    path = Path("/usr/bin/chromium")
    return path if path.exists() else None


def _programs(*names: str) -> Callable[[], str]:
    return lambda: ", ".join(name for name in names if shutil.which(name) is None)


def _missing_sound() -> str:
    try:
        # Installed is not enough: PyAudio's own import fails where PortAudio's library is away.
        import_module("pyaudio")
        import_module("baresip")
    except ImportError as error:
        return f"sound packages ({error})"
    return ""


def _missing_cluster() -> str:
    # HAProxy stands where an ordinary user's PATH does not look.
    found = _programs("patroni", "etcd")()
    return found or ("" if shutil.which("haproxy", path="/usr/sbin:/usr/bin") else "haproxy")


def _missing_ssh() -> str:
    return "" if shutil.which("sshd", path="/usr/sbin:/usr/bin") and shutil.which("ssh") else "sshd and ssh"


def _missing_root() -> str:
    return "" if os.geteuid() == 0 else "the rights of root"


def _missing_asterisk() -> str:
    if os.environ.get("OPERATOR_TUI_PBX") == "none":
        return "Asterisk (OPERATOR_TUI_PBX=none)"
    if missing := _missing_root():
        return f"Asterisk: {missing} for chroot"
    command = ["chroot", str(asterisk_root()), "asterisk", "-V"]
    try:
        answer = subprocess.run(command, capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"Asterisk: {error}"
    return "" if answer.returncode == 0 else f"Asterisk in {asterisk_root()}"


PEERS: dict[str, Peer] = {
    "asterisk": Peer(_missing_asterisk, f"as root on Debian or Ubuntu: {INSTALL} asterisk"),
    "sipp": Peer(_programs("sipp"), f"{INSTALL} sipp"),
    "sox": Peer(_programs("sox"), f"{INSTALL} sox"),
    "baresip": Peer(_programs("baresip"), f"{INSTALL} baresip"),
    "kamailio": Peer(_programs("kamailio"), f"{INSTALL} kamailio"),
    "pipewire": Peer(
        _programs("pipewire", "wireplumber", "pipewire-pulse", "pactl", "dbus-run-session"), f"{INSTALL} pipewire"
    ),
    "postgresql": Peer(lambda: "" if postgresql_bin() else "initdb and postgres", f"{INSTALL} postgresql"),
    "pgbackrest": Peer(_programs("pgbackrest"), f"{INSTALL} pgbackrest"),
    "pgbouncer": Peer(
        lambda: "" if shutil.which("pgbouncer", path="/usr/sbin:/usr/bin") else "pgbouncer", f"{INSTALL} pgbouncer"
    ),
    "redis": Peer(_programs("redis-server"), f"{INSTALL} redis"),
    "patroni": Peer(_missing_cluster, f"{INSTALL} patroni"),
    "chromium": Peer(lambda: "" if chromium() else "/usr/bin/chromium", f"{INSTALL} chromium"),
    "keyring": Peer(_programs("gnome-keyring-daemon", "dbus-run-session"), f"{INSTALL} keyring"),
    "ssh": Peer(_missing_ssh, f"{INSTALL} ssh"),
    "sound": Peer(_missing_sound, "gcc and portaudio19-dev, then make setup"),
    "root": Peer(_missing_root, "run the tests as root, in a container of its own"),
}


@cache
def missing(name: str) -> str:
    """What the peer lacks on this machine, probed once; empty when it is there."""
    return PEERS[name].missing()


def strict() -> bool:
    """Whether a test that can not run is a failure."""
    return os.environ.get("CI") == "true"


def _peers_of(item: pytest.Item) -> list[str]:
    return [str(name) for marker in item.iter_markers("needs") for name in marker.args]


def _excused(names: list[str]) -> bool:
    """Only Asterisk may be away in a strict run, and only when that was said aloud."""
    return os.environ.get("OPERATOR_TUI_PBX") == "none" and "asterisk" in names


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    unknown = {name: item.nodeid for item in items for name in _peers_of(item) if name not in PEERS}
    if unknown:
        raise pytest.UsageError(f"needs() knows {', '.join(PEERS)}; not: {unknown}")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    names = _peers_of(item)
    lacking = {name: missing(name) for name in names if missing(name)}
    if not lacking:
        return
    sentence = "; ".join(f"no {what} ({PEERS[name].how})" for name, what in lacking.items())
    if strict() and not _excused(names):
        pytest.fail(f"CI=true and {sentence}", pytrace=False)
    pytest.skip(sentence)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In a strict run a fixture or a body can not skip a test against a real server either."""
    report = yield
    names = _peers_of(item)
    if report.skipped and not hasattr(report, "wasxfail") and names and strict() and not _excused(names):
        report.outcome = "failed"
        report.longrepr = f"CI=true: a test that needs {', '.join(names)} was skipped: {report.longrepr}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    by_reason: dict[str, list[str]] = defaultdict(list)
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        by_reason[reason.removeprefix("Skipped: ")].append(report.nodeid)
    if by_reason:
        terminalreporter.section("not run on this machine")
        for reason, tests in sorted(by_reason.items()):
            terminalreporter.write_line(f"{len(tests)} test(s): {reason}")
            for nodeid in tests:
                terminalreporter.write_line(f"    {nodeid}")
    if os.environ.get("OPERATOR_TUI_PBX") == "none":
        terminalreporter.section("NO ASTERISK", sep="!", red=True)
        terminalreporter.write_line("OPERATOR_TUI_PBX=none: nothing was tested against a real PBX.")
