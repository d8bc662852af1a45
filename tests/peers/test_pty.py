"""The harness itself: it sees what a program paints, types, resizes, answers, throttles, tells of an end."""

from __future__ import annotations

import signal
import sys
import time

import pytest

from tests.peers.emulator import Emulator
from tests.peers.pty import PtyDesk, key_bytes

ECHO = """
import os, sys, termios, tty
saved = termios.tcgetattr(0)
tty.setraw(0)
sys.stdout.write("\\x1b[?1049h\\x1b[2J\\x1b[HОтветить\\x1b[6n")
sys.stdout.flush()
while (data := os.read(0, 100)) != b"q":
    sys.stdout.write(repr(data)); sys.stdout.flush()
sys.stdout.write("\\x1b[?1049l"); sys.stdout.flush()
termios.tcsetattr(0, termios.TCSANOW, saved)
"""
SIZE = "import os,signal,time\nsignal.signal(28,lambda *_: os.write(1,b'%d' % os.get_terminal_size().columns))\n"


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def test_it_types_reads_and_answers_queries() -> None:
    with PtyDesk(python(ECHO)) as desk:
        desk.wait_text("Ответить")
        desk.wait_text("[1;9R")
        mark = desk.mark()
        desk.press("f2", "ctrl+down")
        desk.type("ф")
        # All of it: a program that was short of a processor reads what waits in one piece, and would get "фq".
        desk.wait_text("xd1\\x84'")
        assert b"OQ" in desk.bytes_since(mark)
        assert 1049 in desk.modes
        desk.type("q")
        assert desk.wait_exit() == 0
        assert desk.attributes() == desk.attributes_before
        assert "Ответить" not in desk.screen_text()


def test_a_terminal_that_answers_nothing() -> None:
    with PtyDesk(python(ECHO), answers=False) as desk:
        desk.wait_text("Ответить")
        desk.wait_quiet()
        assert "R" not in desk.screen_text()


def test_a_window_that_changes() -> None:
    with PtyDesk(python(SIZE + "print('ready', flush=True)\nwhile True: time.sleep(9)")) as desk:
        desk.wait_text("ready")
        desk.resize(30, 111)
        desk.wait_text("111")


def test_the_end_of_a_program_is_told_with_its_screen() -> None:
    with PtyDesk(python("print('последние слова'); raise SystemExit(3)")) as desk:
        with pytest.raises(AssertionError, match=r"ended with 3(?s:.*)последние слова"):
            desk.wait_text("nothing of the kind")
        assert desk.wait_exit() == 3
    with PtyDesk(python("import time\nwhile True: time.sleep(9)")) as desk:
        desk.kill()
        assert desk.wait_exit() == -signal.SIGKILL


def test_a_slow_line_takes_its_time() -> None:
    with PtyDesk(python("print('x' * 480 + 'конец')"), bits_per_second=4800) as desk:
        start = time.monotonic()
        desk.wait_text("конец")
        assert time.monotonic() - start > 0.8


def test_keys_have_the_bytes_of_xterm() -> None:
    expected = {
        "f1": b"\x1bOP",
        "f5": b"\x1b[15~",
        "f12": b"\x1b[24~",
        "up": b"\x1b[A",
        "shift+tab": b"\x1b[Z",
        "ctrl+l": b"\x0c",
        "alt+m": b"\x1bm",
        "ctrl+up": b"\x1b[1;5A",
        "ф": "ф".encode(),
    }
    assert {name: key_bytes(name) for name in expected} == expected
    with pytest.raises(ValueError, match="no bytes known"):
        key_bytes("hyper")


def test_half_of_a_wide_character_takes_the_other_half_with_it() -> None:
    emulator = Emulator(6, 1)
    emulator.feed("世界\x1b[1;2Hа\x1b[1;3Hб".encode())
    assert [cell.text for cell in emulator.cells()[0]] == [" ", "а", "б", " ", " ", " "]


def test_what_pyte_does_not_know_leaves_no_letters_behind() -> None:
    emulator = Emulator(20, 1)
    for part in (b"a\x1b[", b"?2026", b"$pb\x1b[<u\x1b[>25uc"):
        emulator.feed(part)
    assert emulator.lines() == ["abc"]
    assert emulator.modes_asked == [2026]
    assert emulator.unknown == ["\x1b[<u", "\x1b[>25u"]
