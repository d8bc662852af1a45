"""A slow line: typing echoes at once, and a held key does not go on after it is released."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from tests.peers.pty import PATIENCE, PtyDesk
from tests.timing import tell_if_slow
from tests.wire.scenes import DEMO, shows, sixteen, started

# Generous: the targets of design/desk.md times three or more. What gates is what the line carries in that time, in
# bytes; the time itself is the machine's too, and only told.
ECHO_S = 1.0
SETTLE_S = 2.0
_BITS_A_BYTE = 10

REPEATS = 30
"""Of a held key in a second."""
HELD = 50
ROWS = 13


def hold(desk: PtyDesk, key: str, times: int) -> None:
    """Press a key as its auto-repeat does."""
    stop = threading.Event()
    for _ in range(times):
        desk.press(key)
        stop.wait(1 / REPEATS)


def taken(desk: PtyDesk, told: Path) -> int:
    """The bytes received when the program has taken, and painted for itself, all keys pressed so far.

    It tells beside the line: on a busy machine keys wait for the program, and what comes on their account later than
    they were pressed has not been held up by the line.
    """
    desk.press("f12")
    deadline = time.monotonic() + PATIENCE
    while not told.exists():
        assert time.monotonic() < deadline, "the keys were never taken"
        time.sleep(0.002)
    return desk.mark()


@pytest.mark.parametrize(("profile", "speed"), [("serial", 9_600), ("slow", 64_000)])
def test_a_typed_letter_echoes_at_once(profile: str, speed: int) -> None:
    env = sixteen(DEMO) | {"OPERATOR_TUI_TERMINAL_PROFILE": profile}
    with started(DEMO, env=env, bits_per_second=speed) as desk:
        waits, sizes = [], []
        name = "Смирнова Екатерина"
        for count, letter in enumerate(name, 1):
            start, mark, there = time.monotonic(), desk.mark(), shows(f"\n{name[:count]}")
            desk.type(letter)
            sizes.append(desk.wait_bytes(there, "the echo") - mark)
            waits.append(time.monotonic() - start)
        most = ECHO_S * speed / _BITS_A_BYTE
        assert sorted(sizes)[len(sizes) // 2] <= most / 2, sizes
        assert max(sizes) <= most, sizes
        tell_if_slow("a letter's echo", max(waits), ECHO_S)


@pytest.mark.parametrize(("profile", "speed"), [("serial", 9_600), ("slow", 64_000)])
def test_a_held_key_stops_when_it_is_released(profile: str, speed: int, tmp_path: Path) -> None:
    """The line then holds the rest of one frame, behind which one comes with what is so now: two whole lists at most.

    The key is let go while every frame is a whole list: twice that is within the limit in a window of this height.
    """
    told = tmp_path / "told"
    env = sixteen(DEMO) | {"OPERATOR_TUI_TERMINAL_PROFILE": profile, "DEMO_TOLD": str(told)}
    with started(DEMO, env=env, rows=ROWS, bits_per_second=speed) as desk:
        desk.press("f2")
        desk.wait_text("ЖУРНАЛ")
        desk.wait_quiet(1.0)
        cpu = desk.cpu_seconds()
        hold(desk, "down", HELD)
        released, mark = time.monotonic(), taken(desk, told)
        desk.wait_quiet(0.8)
        assert f" {1000 + HELD} " in desk.screen_text(), "the list has scrolled that far"
        assert len(desk.bytes_since(mark)) <= SETTLE_S * speed / _BITS_A_BYTE
        assert (desk.cpu_seconds() - cpu) / HELD <= 1 / REPEATS, "it keeps up with the key"
        tell_if_slow("the end of a held key", desk.last_output - released, SETTLE_S)


def test_a_lost_answer_does_not_stop_the_screen() -> None:
    env = {"OPERATOR_TUI_TERMINAL_PROFILE": "slow"}
    with started(DEMO, env=env) as desk:
        desk.answers = False
        desk.type("И")
        desk.wait_text("И")
        desk.type("в")
        desk.wait(lambda screen: "\nИв" in screen, what="the letter after the lost answer")
        desk.answers = True
        desk.type("ан")
        desk.wait(lambda screen: "\nИван" in screen, what="the letters after that")
