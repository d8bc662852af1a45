"""How the thin driver enters, leaves, repairs itself and reads keys, on a real terminal."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from tests.peers.pty import PtyDesk
from tests.wire.scenes import DEMO, started

# On while the desk runs: alternate screen, cursor, bracketed paste, mouse presses and wheel in their long form.
# 7 (wrapping) is on from the start of a terminal, and off while the desk runs.
USUAL_MODES = {1049, 25, 2004, 1000, 1006}
MODES_OF_A_SHELL = {25, 7}


def ends_with_footer(rows: int) -> Callable[[str], bool]:
    return lambda screen: "f10 Выход" in screen.split("\n")[rows - 1]


def left_as_found(desk: PtyDesk) -> None:
    assert desk.modes - MODES_OF_A_SHELL == set()
    assert desk.cursor[2]
    assert desk.attributes() == desk.attributes_before
    assert "Поиск" not in desk.screen_text()
    desk.disturb("обычный".encode())
    x, y, _ = desk.cursor
    assert desk.cells()[y][x - 1].foreground == "default"
    assert desk.cells()[y][x - 1].background == "default"
    assert not desk.cells()[y][x - 1].marks


@pytest.mark.parametrize("profile", ["lan", "slow", "serial"])
def test_the_end_leaves_the_terminal_as_it_was_found(profile: str) -> None:
    with started(DEMO, env={"OPERATOR_TUI_TERMINAL_PROFILE": profile}) as desk:
        assert desk.modes == USUAL_MODES - ({1000, 1006} if profile != "lan" else set())
        desk.press("f10")
        assert desk.wait_exit() == 0
        left_as_found(desk)


def test_a_crash_leaves_the_terminal_as_it_was_found() -> None:
    with started(DEMO) as desk:
        desk.press("f9")
        assert desk.wait_exit() == 1
        assert "нарочно" in desk.screen_text()
        assert desk.modes - MODES_OF_A_SHELL == set()
        assert desk.cursor[2]
        assert desk.attributes() == desk.attributes_before


def test_only_useful_modes_and_questions_are_sent() -> None:
    with started(DEMO) as desk:
        sent = desk.bytes_since(0)
        assert desk.modes_asked == [2026]
        for unwanted in (b"?1003h", b"?1004h", b"?1015h", b"?1016h", b"?2048", b"\x1b]"):
            assert unwanted not in sent


def test_noise_on_the_line_is_gone_after_ctrl_l() -> None:
    with started(DEMO) as desk:
        before = desk.cells()
        desk.disturb(b"\x1b[5;5HBroadcast message from root\r\n\x1b[4h\x1b[2;9r\x1b[7mxx\x1b[2L")
        assert desk.cells() != before
        desk.press("ctrl+l")
        desk.wait_cells(before)
        desk.type("Иванов")
        desk.wait_text("Иванов")


def test_a_stop_and_a_continuation_repaint() -> None:
    with started(DEMO) as desk:
        before = desk.cells()
        for stop in (signal.SIGSTOP, signal.SIGTSTP):
            desk.signal(stop)
            desk.wait_quiet()
            desk.disturb(b"\x1b[?1049h\x1b[2J\x1b[Hshell$ ls")
            desk.signal(signal.SIGCONT)
            desk.wait_cells(before)
            desk.press("home")
        assert desk.modes == USUAL_MODES
        desk.type("да")
        desk.wait_text("да")
        desk.press("f10")
        assert desk.wait_exit() == 0
        left_as_found(desk)


def test_while_it_is_suspended_the_terminal_is_the_shells() -> None:
    with started(DEMO) as desk:
        desk.signal(signal.SIGTSTP)
        desk.wait(lambda screen: "Поиск" not in screen, what="the shell's screen")
        desk.wait_quiet()
        assert desk.modes - MODES_OF_A_SHELL == set()
        assert desk.attributes() == desk.attributes_before
        desk.signal(signal.SIGCONT)
        desk.wait_text("Поиск")


def test_a_new_size_is_painted_whole_and_the_old_one_again() -> None:
    with started(DEMO) as desk:
        before = desk.cells()
        for rows, cols in ((30, 100), (20, 70), (24, 80)):
            desk.resize(rows, cols)
            desk.wait(ends_with_footer(rows), what="the footer in the last row")
            desk.wait_quiet()
        assert desk.cells() == before


def test_a_size_that_comes_back_at_once_is_painted_again() -> None:
    with started(DEMO) as desk:
        before = desk.cells()
        desk.resize(10, 40)
        desk.resize(24, 80)
        desk.wait_cells(before)


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        (b"\x01", "ctrl+a"),
        (b"\x1b[27;5;1092~", "ctrl+a"),
        (b"\x1b[1092;5u", "ctrl+a"),
        (b"\x1b\xd1\x8c", "alt+m"),
        (b"\x1bm", "alt+m"),
    ],
)
def test_chords_work_in_the_russian_layout(sent: bytes, meant: str) -> None:
    with started(DEMO) as desk:
        desk.press("f3")
        desk.wait_quiet()
        desk.send(sent)
        desk.wait_text(f"Нажато: {meant}")


def test_bytes_without_sense_do_not_end_the_desk() -> None:
    with started(DEMO) as desk:
        for noise in (b"\xff\xfe", b"\x1b[99999999999;5u", b"\x1b[1092::97;5u", b"\xd0"):
            desk.send(noise)
            desk.wait_quiet()
        desk.press("home")
        desk.type("цел")
        desk.wait_text("цел")
        desk.press("f10")
        assert desk.wait_exit() == 0


def test_a_paste_of_several_lines_says_what_it_left_out() -> None:
    with started(DEMO) as desk:
        desk.paste("Иванова Мария\n12.03.1961\n")
        desk.wait_text("лишние строки: 1")
        assert desk.lines()[1].startswith("Иванова Мария")


@pytest.mark.parametrize("profile", ["slow", "serial"])
def test_a_terminal_that_answers_nothing_still_gets_its_screen(profile: str) -> None:
    with started(DEMO, env={"OPERATOR_TUI_TERMINAL_PROFILE": profile}, answers=False) as desk:
        desk.type("Иванов")
        desk.wait_text("Иванов")
        desk.press("f2")
        desk.wait_text("ЖУРНАЛ")
        mark = desk.mark()
        desk.press("down")
        desk.wait_quiet()
        assert b"\x1b[6n" not in desk.bytes_since(mark), "a terminal that does not answer is not asked again"


def test_the_cursor_is_shown_in_fields_and_lists_and_painted_nowhere() -> None:
    with started(DEMO) as desk:
        assert desk.cursor == (0, 1, True)
        desk.type("Ив")
        desk.wait_text("\nИв".strip())
        desk.wait_quiet()
        assert desk.cursor == (2, 1, True)
        assert desk.cells()[1][2].background == desk.cells()[1][30].background
        desk.press("f3")
        desk.wait_cursor(57, 1)
        desk.press("down")
        desk.wait_cursor(57, 2)
