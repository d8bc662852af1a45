"""What holds for every test: the plugins, and a home of its own, so that no test reads or writes the developer's."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from multiprocessing import resource_tracker
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = [
    "pytester",
    "tests.plugins.peers",
    "tests.plugins.functions",
    "tests.plugins.lanes",
    "tests.plugins.nursery",
    "tests.plugins.settled",
    "tests.peers.asterisk",
    "tests.peers.postgres",
    "tests.peers.sipp",
    "tests.peers.pipewire",
    "tests.peers.phones",
]

# Settings of the test run itself; every other OPERATOR_TUI_* is a setting of the desk and would leak into tests.
_OF_THE_RUN = {"OPERATOR_TUI_CACHE", "OPERATOR_TUI_PBX", "OPERATOR_TUI_ASTERISK_ROOT"}
# How long one example takes is the machine's affair (tests/timing.py). All else is hypothesis' own profile, which with
# CI=true draws the same examples in every run.
settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[*settings.default.suppress_health_check, HealthCheck.too_slow]
)
settings.load_profile("untimed")
_XDG = {
    "XDG_CONFIG_HOME": ".config",
    "XDG_DATA_HOME": ".local/share",
    "XDG_STATE_HOME": ".local/state",
    "XDG_CACHE_HOME": ".cache",
    "XDG_RUNTIME_DIR": "run",
}


def isolate(patch: pytest.MonkeyPatch, home: Path) -> None:
    """Points HOME and the XDG folders into ``home`` and hides the desk's settings and the session's keyring."""
    patch.setenv("HOME", str(home))
    for name, folder in _XDG.items():
        (home / folder).mkdir(parents=True, exist_ok=True, mode=0o700)
        patch.setenv(name, str(home / folder))
    for name in list(os.environ):
        if name.startswith("OPERATOR_TUI_") and name not in _OF_THE_RUN:
            patch.delenv(name)
    patch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)


def _short_home() -> Path:
    # Not tmp_path: its length varies with the test's name, and a UNIX socket's path ends at 107 bytes (unix(7)).
    return Path(tempfile.mkdtemp(prefix="ot-"))


def _end_leftovers(home: Path) -> None:
    """Ends whatever still runs in that home: an engine outlives its desk by design, and must not outlive its test."""
    mark = b"\0HOME=" + os.fsencode(home) + b"\0"
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in b"\0" + (process / "environ").read_bytes():
                os.kill(int(process.name), signal.SIGKILL)


@pytest.fixture(scope="session", autouse=True)
def _session_home() -> Iterator[None]:
    """For what a fixture of a wider scope starts.

    First the helper process of multiprocessing, which belongs to the whole run: whichever test needed it first would
    take it along as a leftover.
    """
    resource_tracker.ensure_running()
    home = _short_home()
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, home)
        yield
    _end_leftovers(home)
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty home folder for this one test."""
    folder = _short_home()
    isolate(monkeypatch, folder)
    yield folder
    _end_leftovers(folder)
    shutil.rmtree(folder, ignore_errors=True)
