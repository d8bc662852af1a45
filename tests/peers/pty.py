"""`PtyDesk`: any program in a real pseudo-terminal, driven by keys and read as a person reads it.

A thread of its own reads all the time, so the program never blocks on output, and every wait ends by an event
(a predicate over the screen, or silence on the line) or by its deadline with a picture of the screen.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from tests.peers.emulator import Cell, Emulator

_PLAIN_KEYS = {
    "enter": "\r",
    "tab": "\t",
    "shift+tab": "\x1b[Z",
    "escape": "\x1b",
    "backspace": "\x7f",
    "space": " ",
    "insert": "\x1b[2~",
    "delete": "\x1b[3~",
    "pageup": "\x1b[5~",
    "pagedown": "\x1b[6~",
    **{f"f{n}": f"\x1bO{letter}" for n, letter in enumerate("PQRS", 1)},
    **{f"f{n}": f"\x1b[{code}~" for n, code in enumerate((15, 17, 18, 19, 20, 21, 23, 24), 5)},
}
_CURSOR_KEYS = {"up": "A", "down": "B", "right": "C", "left": "D", "end": "F", "home": "H"}
_MODIFIERS = {"shift": 2, "alt": 3, "ctrl": 5, "ctrl+shift": 6}

# Settings of the developer's own shell that would change what a program sends.
_NOT_INHERITED = re.compile(r"TEXTUAL.*|COLORTERM|NO_COLOR|COLUMNS|LINES|TERM.*|ESCDELAY|LC_.*|PYTEST.*|TTY_.*")

SILENCE = 0.3
"""Seconds without output after which a screen counts as settled."""

# A wait for what comes ends as it comes; this is for a machine that is slow and busy.
PATIENCE = 60.0
# The program's threads are looked at for so long before it counts as quiet.
_LOOKED_AT_FOR = 0.1


def key_bytes(name: str) -> bytes:
    """The bytes xterm sends for a key named as Textual names it: `f2`, `ctrl+down`, `alt+m`, `ф`."""
    if name in _PLAIN_KEYS:
        return _PLAIN_KEYS[name].encode()
    modifier, _, key = name.rpartition("+")
    if key in _CURSOR_KEYS:
        return f"\x1b[{f'1;{_MODIFIERS[modifier]}' if modifier else ''}{_CURSOR_KEYS[key]}".encode()
    if modifier == "ctrl":
        return bytes([ord(key) & 0x1F])
    if modifier == "alt":
        return b"\x1b" + key_bytes(key)
    if len(name) == 1:
        return name.encode()
    raise ValueError(f"no bytes known for the key {name!r}")


class PtyDesk:
    """One program in one pseudo-terminal of `rows` x `cols` cells.

    `env` is laid over the inherited environment (None removes a name). `answers=False` is a terminal that
    replies to no query. `bits_per_second` throttles the reading to a line of that speed (10 bits a byte).
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        rows: int = 24,
        cols: int = 80,
        env: Mapping[str, str | None] | None = None,
        cwd: Path | None = None,
        answers: bool = True,
        bits_per_second: int | None = None,
    ) -> None:
        self.answers = answers
        """Whether the terminal replies to queries."""
        self._bytes_per_second = bits_per_second / 10 if bits_per_second else None
        self._changed = threading.Condition()
        self._output = bytearray()
        self._last_output = time.monotonic()
        self._emulator = Emulator(cols, rows, self._reply)
        self._master, slave = pty.openpty()
        self._set_size(rows, cols)
        # The slave stays open here, so that its settings can be read after the program's end.
        self._slave = slave
        self.attributes_before = termios.tcgetattr(slave)
        self._process = subprocess.Popen(
            list(argv),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=cwd,
            env=_environment(env or {}),
            start_new_session=True,
            preexec_fn=_take_terminal,
        )
        self.started_at = time.monotonic()
        self._stop, self._stopper = os.pipe()
        self._reader = threading.Thread(target=self._read, name="pty-reader", daemon=True)
        self._reader.start()

    def __enter__(self) -> PtyDesk:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # What a person does

    def type(self, text: str) -> None:
        """Type text, all of it at once."""
        self.send(text.encode())

    def press(self, *names: str) -> None:
        """Press keys by their names (see `key_bytes`)."""
        self.send(b"".join(map(key_bytes, names)))

    def paste(self, text: str) -> None:
        """Paste as a terminal with bracketed paste does."""
        self.send(b"\x1b[200~" + text.encode() + b"\x1b[201~")

    def send(self, data: bytes) -> None:
        """Send raw bytes to the program."""
        while data:
            data = data[os.write(self._master, data) :]

    def disturb(self, data: bytes) -> None:
        """Write to the terminal past the program: noise, `wall`, a shell."""
        with self._changed:
            self._emulator.feed(data)

    def resize(self, rows: int, cols: int) -> None:
        """Change the size of the window; the program gets SIGWINCH."""
        with self._changed:
            self._emulator.resize(cols, rows)
            self._set_size(rows, cols)

    # What a person sees

    def screen_text(self) -> str:
        """The screen as text, one line a row, without blanks at the ends of rows."""
        with self._changed:
            return "\n".join(self._emulator.lines())

    def lines(self) -> list[str]:
        """The rows of the screen as text."""
        with self._changed:
            return self._emulator.lines()

    def cells(self) -> list[list[Cell]]:
        """Every visible cell with its colours and marks, row by row."""
        with self._changed:
            return self._emulator.cells()

    @property
    def cursor(self) -> tuple[int, int, bool]:
        """Column and row of the terminal's cursor from 0, and whether it is shown."""
        with self._changed:
            return self._emulator.cursor

    @property
    def modes(self) -> set[int]:
        """The private modes that are on (2004, 1049, 1000 and the like)."""
        with self._changed:
            return set(self._emulator.screen.private)

    @property
    def modes_asked(self) -> list[int]:
        """The private modes the program asked about."""
        with self._changed:
            return list(self._emulator.modes_asked)

    @property
    def unknown(self) -> list[str]:
        """Private sequences that a terminal may not know and print in part."""
        with self._changed:
            return list(self._emulator.unknown)

    @property
    def bells(self) -> int:
        """How many times the bell has rung."""
        with self._changed:
            return self._emulator.screen.bells

    @property
    def title(self) -> str:
        """The title of the window."""
        with self._changed:
            return str(self._emulator.screen.title)

    # Waiting

    def wait(
        self, predicate: Callable[[str], object], timeout: float = PATIENCE, what: str = "the screen to change"
    ) -> float:
        """Wait until `predicate(screen text)` is true; returns the monotonic instant of the last output."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while not predicate("\n".join(self._emulator.lines())):
                left = deadline - time.monotonic()
                if left <= 0 or self._over():
                    raise AssertionError(self._picture(f"waited {timeout:.0f} s for {what}"))
                self._changed.wait(min(left, SILENCE))
            return self._last_output

    def wait_bytes(self, predicate: Callable[[str], object], what: str) -> int:
        """Wait as `wait` does; returns the number of bytes received when it came true."""
        at: list[int] = []
        self.wait(lambda screen: bool(predicate(screen)) and not at.append(len(self._output)), what=what)
        return at[0]

    def wait_text(self, text: str, timeout: float = PATIENCE) -> float:
        """Wait until `text` stands on the screen in one row."""
        return self.wait(lambda screen: text in screen, timeout, f"the text {text!r}")

    def wait_gone(self, text: str, timeout: float = PATIENCE) -> float:
        """Wait until `text` stands nowhere on the screen."""
        return self.wait(lambda screen: text not in screen, timeout, f"the text {text!r} to go")

    def wait_cells(self, cells: list[list[Cell]], timeout: float = PATIENCE) -> None:
        """Wait until every cell looks as in `cells`."""
        self.wait(lambda _screen: self._emulator.cells() == cells, timeout, "the same picture")

    def wait_cursor(self, column: int, row: int, timeout: float = PATIENCE) -> None:
        """Wait until the terminal's cursor is shown at `column` and `row`, from 0."""
        at = (column, row, True)
        self.wait(lambda _screen: self._emulator.cursor == at, timeout, f"the cursor at {at}")

    def wait_quiet(self, silence: float = SILENCE, timeout: float = PATIENCE) -> None:
        """Wait until nothing has come for `silence` seconds, and the program is not merely short of a processor.

        One look is not enough for that: between two things to do it sleeps for a moment.
        """
        deadline = time.monotonic() + timeout
        with self._changed:
            start = busy = time.monotonic()
            while True:
                now = time.monotonic()
                quiet = now - max(self._last_output, start)
                if quiet >= silence - _LOOKED_AT_FOR:
                    busy = now if self._working() else busy
                    if quiet >= silence and now - busy >= _LOOKED_AT_FOR:
                        return
                if now > deadline:
                    raise AssertionError(self._picture(f"still talking after {timeout:.0f} s"))
                self._changed.wait(max(silence - _LOOKED_AT_FOR - quiet, 0.02))

    # Bytes

    @property
    def received(self) -> int:
        """The number of bytes received so far; for a predicate of `wait`, which holds the lock already."""
        return len(self._output)

    def mark(self) -> int:
        """The number of bytes received so far: a place to count from."""
        with self._changed:
            return len(self._output)

    @property
    def last_output(self) -> float:
        """The monotonic instant of the last output."""
        with self._changed:
            return self._last_output

    def bytes_since(self, mark: int) -> bytes:
        """The bytes received after `mark`."""
        with self._changed:
            return bytes(self._output[mark:])

    def cost(self, act: Callable[[], None], until: Callable[[str], object] | None = None) -> int:
        """Bytes that `act` makes the program send, once `until` holds and the line is quiet."""
        mark = self.mark()
        act()
        if until:
            self.wait(until)
        self.wait_quiet()
        return len(self.bytes_since(mark))

    # The process

    @property
    def pid(self) -> int:
        """The process id of the program."""
        return self._process.pid

    def cpu_seconds(self) -> float:
        """CPU time of the program's threads so far, in seconds, by the kernel's clock of scheduled nanoseconds."""
        spent = 0
        for thread in Path(f"/proc/{self.pid}/task").iterdir():
            with contextlib.suppress(OSError):  # it ends just now
                spent += int((thread / "schedstat").read_text().split()[0])
        return spent / 1e9

    def signal(self, number: int) -> None:
        """Send a signal to the program."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """kill -9, and wait for the end."""
        self._process.kill()
        self._process.wait()

    def wait_exit(self, timeout: float = PATIENCE) -> int:
        """Wait for the program's own end and all it wrote; returns its exit status (negative: the signal)."""
        try:
            status = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            with self._changed:
                raise AssertionError(self._picture(f"did not end in {timeout:.0f} s")) from None
        self.wait_quiet(0.1)
        return status

    def attributes(self) -> list[object]:
        """The terminal's line settings (termios) as they are now."""
        return list(termios.tcgetattr(self._slave))

    def close(self) -> None:
        """End the program (SIGTERM, after 3 s SIGKILL) and give everything back."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(3)
            except subprocess.TimeoutExpired:
                self.kill()
        if self._reader.is_alive():
            os.write(self._stopper, b"x")
            self._reader.join()
        for descriptor in (self._master, self._slave, self._stop, self._stopper):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    # Inside

    def _set_size(self, rows: int, cols: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    def _reply(self, text: str) -> None:
        if self.answers:
            self.send(text.encode())

    def _read(self) -> None:
        allowance, last = 0.0, time.monotonic()
        while True:
            limit = 65536
            if self._bytes_per_second:
                now = time.monotonic()
                burst = max(16.0, self._bytes_per_second / 50)
                allowance, last = min(burst, allowance + (now - last) * self._bytes_per_second), now
                limit = int(allowance)
                if limit < 1:
                    if select.select([self._stop], [], [], 1 / self._bytes_per_second)[0]:
                        break
                    continue
            ready, _, _ = select.select([self._master, self._stop], [], [])
            if self._stop in ready:
                break
            try:
                data = os.read(self._master, limit)
            except OSError:
                break
            allowance -= len(data)
            with self._changed:
                self._output += data
                self._last_output = time.monotonic()
                self._emulator.feed(data)
                self._changed.notify_all()

    def _working(self) -> bool:
        """Whether a thread of the program runs or waits for a processor (proc(5), state R)."""
        try:
            threads = list(Path(f"/proc/{self.pid}/task").iterdir())
        except OSError:
            return False
        for thread in threads:
            with contextlib.suppress(OSError):  # it ends just now
                if (thread / "stat").read_text().rpartition(")")[2].split()[0] == "R":
                    return True
        return False

    def _over(self) -> bool:
        """The program has ended and its last words have been read."""
        return self._process.poll() is not None and time.monotonic() - self._last_output > SILENCE

    def _picture(self, what: str) -> str:
        status = self._process.poll()
        state = "running" if status is None else f"ended with {status}"
        rule = "-" * self._emulator.screen.columns
        return "\n".join([f"{what}; the program is {state}", rule, *self._emulator.lines(), rule])


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _environment(changes: Mapping[str, str | None]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not _NOT_INHERITED.fullmatch(name)}
    wanted = {"TERM": "xterm-256color", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", **changes}
    return {name: value for name, value in {**inherited, **wanted}.items() if value is not None}


TERMINATED = -signal.SIGTERM
"""Exit status of a program that SIGTERM ended without a word of its own."""
