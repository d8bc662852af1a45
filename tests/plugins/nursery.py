"""Processes of the product, forked from one that has its modules loaded instead of loading them anew.

A desk in a test starts its own central server and its own telephone engine, as it does for its operator. Each loads a
second's work of modules before its first line, hundreds of times in a run, on two cores. Here ``python -m operator_tui
...`` is taken by the nursery: a process of one thread that has loaded what the product loads, and forks. What is
forked has its own pid, is a child of whoever asked (kill -9, wait and exit codes are the kernel's), has the pipes,
environment, folder and session that were asked for, and shows them in /proc. All else (options, gid, passed
descriptors) goes the way of subprocess, and so do the tests of LANES: there the whole way from the first byte on is
what is looked at.
"""

from __future__ import annotations

import ctypes
import inspect
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.plugins.lanes import LANES, lane

# What a server and an engine load of their own accord (`python -X importtime -m operator_tui central serve`).
_LOADED = (
    "operator_tui.cli",
    "operator_tui.i18n",
    "central.cli",
    "central.app",
    "central.serve",
    "central.store.database",
    "alembic.command",
    "alembic.runtime.environment",
    "operator_tui.phone.cli",
    "operator_tui.phone.engine",
    "operator_tui.phone.log",
    "operator_tui.phone.process",
    "operator_tui.phone.simulated",
)
_ROOM = 16384  # bytes of environment and arguments that /proc shows of a child
_PR_SET_CHILD_SUBREAPER = 36  # prctl(2)
_PATIENCE_S = 300.0  # the first question waits until all modules are loaded, on a busy machine
_PLAIN = {"preexec_fn": None, "shell": False, "gid": None, "gids": None, "uid": None, "process_group": -1}


class Nursery:
    """The end of whoever asks. ``on`` while processes are to come from here."""

    def __init__(self) -> None:
        self.on = False
        self._one = threading.Lock()
        self._socket: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._by_subprocess: Any = subprocess.Popen._execute_child  # type: ignore[attr-defined]  # no public face
        self._signature = inspect.signature(self._by_subprocess)

    def patch(self, patch: pytest.MonkeyPatch) -> None:
        """From now on ``subprocess`` and ``asyncio`` ask here first."""

        def execute(popen: subprocess.Popen[bytes], *arguments: Any) -> None:
            asked = self._signature.bind(popen, *arguments).arguments
            if self.on and self._takes(asked):
                self._bear(popen, asked)
            else:
                self._by_subprocess(popen, *arguments)

        patch.setattr(subprocess.Popen, "_execute_child", execute)

    def stop(self) -> None:
        """End the nursery; its children live on."""
        if self._socket is not None and self._process is not None:
            self._socket.close()
            self._process.wait(timeout=10)

    @staticmethod
    def _takes(asked: dict[str, Any]) -> bool:
        args = asked["args"]
        if not isinstance(args, list | tuple) or [args[0], *args[1:3]] != [sys.executable, "-m", "operator_tui"]:
            return False
        return (
            not asked["pass_fds"] and asked["umask"] < 0 and all(asked[name] == as_is for name, as_is in _PLAIN.items())
        )

    def _bear(self, popen: Any, asked: dict[str, Any]) -> None:
        ours = (asked["p2cread"], asked["c2pwrite"], asked["errwrite"])
        streams = [number if number >= 0 else own for own, number in enumerate(ours)]
        wish = {
            "args": [str(arg) for arg in asked["args"][3:]],
            "environment": dict(os.environ if asked["env"] is None else asked["env"]),
            "folder": str(asked["cwd"] or Path.cwd()),
            "session": bool(asked["start_new_session"]),
        }
        with self._one:
            asking = self._socket or self._start()
            libc = ctypes.CDLL(None)
            # An orphan goes to its nearest ancestor that reaps: for this moment that is this very process.
            libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
            try:
                socket.send_fds(asking, [json.dumps(wish).encode()], streams)
                popen.pid = int(asking.recv(64))
                failure = int(asking.recv(64))
            except (OSError, ValueError):
                self._give_up()
                raise
            finally:
                libc.prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
        if failure:
            os.waitpid(popen.pid, 0)
            raise OSError(failure, os.strerror(failure), asked["cwd"])
        popen._child_created = True
        places = ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")
        popen._close_pipe_fds(*(asked[place] for place in places))

    def _give_up(self) -> None:
        """What a nursery answers too late would be taken for the answer to the next question: that one gets another."""
        if self._socket is not None and self._process is not None:
            self._socket.close()
            self._process.kill()
            self._process.wait()
        self._socket = None

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno()), " " * _ROOM],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                cwd=Path(__file__).parents[2],
                env={**os.environ, "HOME": "/", "ROOM": " " * _ROOM},  # not a test's home: it outlives that
            )
        ours.settimeout(_PATIENCE_S)
        self._socket = ours
        return ours


def _main() -> None:
    import gc
    import importlib
    import runpy

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for module in _LOADED:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()
    assert threading.active_count() == 1
    asked = socket.socket(fileno=int(sys.argv[1]))
    if _bears(asked):
        runpy.run_module("operator_tui", run_name="__main__", alter_sys=True)


def _bears(asked: socket.socket) -> bool:
    """True in every child, which is what was asked for by then, and false in the nursery when nobody asks any more.

    Whoever asks is answered twice: the child's pid, then the errno that kept it from becoming that, or 0. It comes when
    the child is there, as subprocess returns after exec; of one that was killed before, its exit code tells.
    """
    while True:
        message, streams, _, _ = socket.recv_fds(asked, 1 << 20, 3)
        if not message:
            return False
        told, tells = os.pipe()
        between = os.fork()
        if not between:
            child = os.fork()
            if child:
                asked.send(str(child).encode())
                os._exit(0)
            asked.close()
            os.close(told)
            for number, stream in enumerate(streams):
                os.dup2(stream, number)
                os.close(stream)
            try:
                _become(json.loads(message))
            except OSError as error:
                os.write(tells, str(error.errno).encode())
                os._exit(255)
            os.close(tells)
            return True
        os.close(tells)
        for stream in streams:
            os.close(stream)
        os.waitpid(between, 0)  # from here on the child is not ours
        asked.send(os.read(told, 64) or b"0")
        os.close(told)


def _become(wish: dict[str, Any]) -> None:
    if wish["session"]:
        os.setsid()
    os.chdir(wish["folder"])
    environment = wish["environment"]
    _show(wish["args"], environment)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115  # the process's own
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", closefd=False, errors="backslashreplace")  # noqa: SIM115
    sys.argv = ["operator_tui", *wish["args"]]


def _show(args: list[str], environment: dict[str, str]) -> None:
    """Write both where /proc/PID/cmdline and environ are read from: this process's own memory (proc(5))."""
    places = [int(word) for word in Path("/proc/self/stat").read_text().rpartition(")")[2].split()[45:49]]
    command = [sys.executable, "-m", "operator_tui", *args]
    variables = [f"{name}={value}" for name, value in environment.items()]
    for (start, end), words in zip((places[:2], places[2:]), (command, variables), strict=True):
        text = b"".join(os.fsencode(word) + b"\0" for word in words)
        ctypes.memmove(start, text.ljust(end - start, b"\0")[: end - start], end - start)


_NURSERY = Nursery()


@pytest.fixture(scope="session", autouse=True)
def _nursery() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        _NURSERY.patch(patch)
        yield
    _NURSERY.stop()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    _NURSERY.on = lane(item.nodeid) not in LANES


if __name__ == "__main__":
    _main()
