"""Random frames look the same whether they reach a terminal as they are or through the shadow screen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import get_character_cell_size

from operator_tui.terminal.pen import NARROW, Pen, way
from operator_tui.terminal.shadow import Shadow
from operator_tui.terminal.styles import PLAIN, applied, change, on_blank
from tests.peers.emulator import Cell, Emulator

COLUMNS, ROWS = 24, 6

marks = st.sampled_from(["1", "3", "4", "7", "9", "22", "23", "24", "27", "29", "1;4", "7;1"])
colours = st.sampled_from(
    ["31", "39", "97", "42", "49", "104", "38;5;208", "48;5;17", "38;2;1;2;3", "48;2;9;8;7", "31;42", "0", ""]
)
texts = st.text(alphabet="абвЖ aZ  №─│Ққ世界", min_size=1, max_size=12) | st.integers(1, 20).map(" ".__mul__)
accents = st.sampled_from(["е\u0301", "ыы\u0301", "a\u0301b"])
moves = st.builds(
    "\x1b[{};{}H".format, st.integers(min_value=1, max_value=ROWS), st.integers(min_value=1, max_value=COLUMNS)
)
others = st.sampled_from(["\x07", "\x1b]0;Стол\x07", "\x1b[?2026h", "\x1b[?2026l", "\x1b]8;id=1;http://x\x1b\\"])
# Every terminal erases with the background alone, but pyte with all marks: so it erases in a plain style.
erasures = st.builds(
    "\x1b[0;{}m\x1b[{}".format, st.sampled_from(["44", "49", "48;5;9"]), st.sampled_from(["K", "1K", "2K", "2J", "J"])
)
pieces = st.one_of(texts, accents, moves, st.builds("\x1b[{}m".format, st.one_of(marks, colours)), others, erasures)
frames = st.lists(st.builds("".join, st.lists(pieces, max_size=12)), min_size=1, max_size=6)


class Pair:
    """One terminal that gets all frames as they are, and one behind the shadow screen."""

    def __init__(self, *, erases_in_colour: bool = True, erases_cells: bool = True) -> None:
        self.plain, self.thin = Emulator(COLUMNS, ROWS), Emulator(COLUMNS, ROWS)
        self.shadow = Shadow(Pen(COLUMNS, erases_in_colour=erases_in_colour, erases_cells=erases_cells), ROWS)
        self.plain.feed(b"\x1b[?7l")
        self.thin.feed(b"\x1b[?7l")
        self.frame("\x1b[H\x1b[2J")

    def frame(self, frame: str) -> int:
        self.plain.feed(frame.encode())
        return self.send(frame)

    def send(self, frame: str, cursor: tuple[int, int] | None = None) -> int:
        sent = (self.shadow.paint(frame) + self.shadow.render(cursor)).encode()
        self.thin.feed(sent)
        return len(sent)

    def differing(self) -> list[tuple[int, int, Cell, Cell]]:
        plain, thin = self.plain.cells(), self.thin.cells()
        return [
            (x, y, plain[y][x], thin[y][x])
            for y in range(len(plain))
            for x in range(len(plain[0]))
            if plain[y][x] != thin[y][x]
        ]


@given(frames, st.booleans(), st.booleans())
def test_random_frames_look_the_same(frames: list[str], erases_in_colour: bool, erases_cells: bool) -> None:
    pair = Pair(erases_in_colour=erases_in_colour, erases_cells=erases_cells)
    for frame in frames:
        pair.frame(frame)
        assert not pair.differing()


@given(frames)
def test_what_is_shown_already_costs_nothing(frames: list[str]) -> None:
    pair = Pair()
    for frame in frames:
        pair.frame(frame)
    pair.shadow._dirty.update(range(ROWS))
    assert pair.shadow.render(None) == ""


@given(frames, st.sampled_from([b"wall: shutdown\r\n", b"\x1b[3;3H\x1b[7m\xd0\xd0\x80 noise", b"\x1b[L\x1b[2@"]))
def test_noise_is_repaired_by_a_full_repaint(frames: list[str], noise: bytes) -> None:
    pair = Pair()
    for frame in frames:
        pair.frame(frame)
    pair.thin.feed(noise)
    pair.shadow.forget()
    pair.thin.feed(pair.shadow.render(None).encode())
    assert not pair.differing()


@pytest.mark.parametrize("foreign", ["\x1b[2L", "\x1b[3@", "\x1b[2;4r", "\x1b[5A", "\x1bM", "\t", "\x1b[3X"])
@given(frames=frames)
def test_a_sequence_nobody_knows_goes_through_and_leaves_no_trace(frames: list[str], foreign: str) -> None:
    pair = Pair()
    for frame in frames:
        pair.frame(frame)
    assert foreign in pair.shadow.paint(foreign)
    pair.send(foreign)
    pair.frame("\x1b[1;1HСтол")
    assert not pair.differing()


@given(before=frames, after=frames, size=st.sampled_from([(30, 4), (10, 8), (24, 6)]))
def test_a_resize_starts_again(before: list[str], after: list[str], size: tuple[int, int]) -> None:
    pair = Pair()
    for frame in before:
        pair.frame(frame)
    columns, rows = size
    for terminal in (pair.plain, pair.thin):
        terminal.resize(columns, rows)
    pair.shadow.resize(columns, rows)
    pair.frame("\x1b[0m\x1b[H\x1b[2J")
    for frame in after:
        pair.frame(frame)
    assert not pair.differing()


@given(frames)
def test_leaving_the_alternate_screen_brings_the_old_one_back(frames: list[str]) -> None:
    pair = Pair()
    for terminal in (pair.plain, pair.thin):
        terminal.feed("\x1b[0m\x1b[H\x1b[2Jоболочка$ ".encode())
    pair.frame("\x1b[?1049h")
    for frame in frames:
        pair.frame(frame)
    pair.frame("\x1b[?1049l")
    assert not pair.differing()
    assert pair.thin.lines()[0] == "оболочка$"


@given(frames, st.tuples(st.integers(0, COLUMNS - 1), st.integers(0, ROWS - 1)))
def test_the_cursor_ends_where_it_is_wanted(frames: list[str], cursor: tuple[int, int]) -> None:
    pair = Pair()
    for frame in frames:
        pair.send(frame, cursor)
        assert pair.thin.cursor == (*cursor, True)
    pair.send("", None)
    assert not pair.thin.cursor[2]
    assert pair.send("", None) == 0


def test_text_longer_than_the_row_stays_in_it() -> None:
    pair = Pair()
    pair.frame("\x1b[3;20Hдлинное слово")
    pair.frame("\x1b[4;1H" + "абв" * 20)
    assert not pair.differing()


def test_a_letter_costs_its_own_bytes() -> None:
    pair = Pair()
    pair.send("\x1b[2;3H\x1b[97;44mИвано\x1b[0m", (7, 1))
    assert pair.send("\x1b[2;3H\x1b[97;44mИванов\x1b[0m", (8, 1)) == len("в".encode())
    assert pair.send("\x1b[2;3H\x1b[97;44mИванов\x1b[0m", (7, 1)) == len("\b")


def test_equal_rows_are_not_sent_and_blank_ends_are_erased() -> None:
    pair = Pair()
    row = "\x1b[2;1H" + "x" * COLUMNS
    assert pair.frame(row) > COLUMNS
    assert pair.frame(row) == 0
    assert pair.frame("\x1b[2;1H" + " " * COLUMNS) == len("\x1b[2H\x1b[K")


def test_a_long_gap_is_erased_in_its_place() -> None:
    pair = Pair()
    pair.frame("\x1b[2;1HФамилия Имя│")
    assert pair.frame("\x1b[2;1H" + " " * 11) == len("\r\x1b[11X")
    assert not pair.differing()


def test_a_background_is_not_erased_where_the_terminal_erases_in_black() -> None:
    pair = Pair(erases_in_colour=False)
    assert pair.frame("\x1b[2;1H\x1b[44m" + " " * COLUMNS) > COLUMNS
    assert not pair.differing()


def test_bells_and_titles_go_out_at_once_and_links_do_not() -> None:
    shadow = Shadow(Pen(10), 2)
    assert shadow.paint("\x1b]22;text\x07") == ""
    assert shadow.paint("\x07\x1b]0;Звонок\x07\x1b]8;;http://x\x1b\\нет\x1b]8;;\x1b\\") == "\x07\x1b]0;Звонок\x07"


def test_a_large_frame_is_wrapped_once_when_the_application_synchronizes() -> None:
    large = "".join(f"\x1b[{y};1H\x1b[3{y % 8}mстрока {y}" + "аб" * 30 for y in range(1, 11))
    shadow = Shadow(Pen(80), 10)
    shadow.paint("\x1b[?2026h")
    shadow.paint(large)
    shadow.paint("\x1b[?2026l")
    sent = shadow.render((1, 1))
    assert sent.startswith("\x1b[?2026h")
    assert sent.endswith("\x1b[?2026l")
    shadow.paint("\x1b[?2026h\x1b[1;1Hц\x1b[?2026l")
    assert "2026" not in shadow.render((1, 1))


@given(
    st.tuples(st.integers(0, 131), st.integers(0, 49)) | st.none(), st.tuples(st.integers(0, 131), st.integers(0, 49))
)
def test_every_way_ends_where_it_should_and_is_no_longer_than_an_address(
    start: tuple[int, int] | None, end: tuple[int, int]
) -> None:
    emulator = Emulator(132, 50)
    if start:
        emulator.feed(f"\x1b[{start[1] + 1};{start[0] + 1}H".encode())
    if start == end:
        return
    emulator.feed(way(start, end).encode())
    assert emulator.cursor[:2] == end
    assert len(way(start, end)) <= len(f"\x1b[{end[1] + 1};{end[0] + 1}H")


any_parameters = st.lists(st.one_of(marks, colours, st.sampled_from(["2", "21", "58;5;3", "4:3", "25", "28", "999"])))


@given(any_parameters, any_parameters)
def test_a_change_of_style_arrives_at_the_style(first: list[str], second: list[str]) -> None:
    old = new = PLAIN
    for parameters in first:
        old = applied(old, parameters)
    for parameters in second:
        new = applied(new, parameters)
    for start in (old, None):
        reached = start or applied(PLAIN, "1;5;31;44")
        sequence = change(start, new)
        if sequence:
            reached = applied(reached, sequence.removeprefix("\x1b[").removesuffix("m"))
        assert reached == new
        assert len(sequence) <= len("\x1b[m") + sum(len(part) + 1 for part in (*new.marks, new.ink, new.paper) if part)


@given(any_parameters)
def test_what_a_blank_shows_is_settled_at_once(parameters: list[str]) -> None:
    style = PLAIN
    for parameter in parameters:
        style = applied(style, parameter)
    assert on_blank(on_blank(style)) == on_blank(style)


def test_every_narrow_character_has_one_cell() -> None:
    assert {get_character_cell_size(character) for character in NARROW} == {1}
