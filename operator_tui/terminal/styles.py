"""Select Graphic Rendition (ECMA-48 8.3.117): parameters to styles, and the shortest way between two styles."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple


class Style(NamedTuple):
    """How a cell is drawn, in the words of SGR itself.

    `marks` are the attribute parameters in force, sorted (`1` bold, `4` underline, `58;5;9` underline colour);
    `ink` and `paper` are the colour parameters (`31`, `38;5;208`, `48;2;1;2;3`), empty for the default colour.
    """

    marks: tuple[str, ...] = ()
    ink: str = ""
    paper: str = ""


PLAIN = Style()

_OFF = {
    "1": "22", "2": "22", "3": "23", "4": "24", "21": "24", "5": "25", "6": "25", "7": "27", "8": "28", "9": "29",
    "51": "54", "52": "54", "53": "55", "58": "59",
}  # fmt: skip
_OFF_CODES = frozenset(_OFF.values())
# Marks that can be seen on a blank: lines through or round it.
_SEEN_ON_BLANK = frozenset({"4", "9", "21", "51", "52", "53"})


def _name(mark: str) -> str:
    return mark.partition(";")[0].partition(":")[0]


@lru_cache(maxsize=4096)
def applied(style: Style, parameters: str) -> Style:
    """The style after `CSI parameters m` is applied to `style`; parameters nobody defined change nothing."""
    marks = set(style.marks)
    ink, paper = style.ink, style.paper
    codes = iter(parameters.split(";"))
    for code in codes:
        name = code.partition(":")[0].lstrip("0") or "0"
        if name in ("38", "48", "58"):
            colour = code if ":" in code else _long_colour(name, codes)
            if name == "38":
                ink = colour
            elif name == "48":
                paper = colour
            else:
                marks = {mark for mark in marks if _name(mark) != "58"} | {colour}
        elif name == "0":
            marks, ink, paper = set(), "", ""
        elif name in _OFF:
            marks = {mark for mark in marks if not (name == "4" == _name(mark))} | {code if ":" in code else name}
        elif name in _OFF_CODES:
            marks = {mark for mark in marks if _OFF[_name(mark)] != name}
        elif name.isdigit():
            number = int(name)
            if 30 <= number <= 37 or 90 <= number <= 97:
                ink = name
            elif number == 39:
                ink = ""
            elif 40 <= number <= 47 or 100 <= number <= 107:
                paper = name
            elif number == 49:
                paper = ""
    return Style(tuple(sorted(marks)), ink, paper)


def _long_colour(name: str, codes: Iterator[str]) -> str:
    """The rest of `38;5;n` or `38;2;r;g;b`, taken from the parameters that follow."""

    kind = next(codes, "5")
    values = [next(codes, "0") for _ in range(3 if kind == "2" else 1)]
    return ";".join([name, kind, *values])


@lru_cache(maxsize=4096)
def on_blank(style: Style) -> Style:
    """What of a style can be seen on a blank: its background, and lines. Equal results look equal."""
    if any(_name(mark) in _SEEN_ON_BLANK for mark in style.marks):
        return style
    if "7" not in style.marks:
        return Style((), "", style.paper)
    # Bold and dim change the ink on some terminals, and reversed ink is what a blank shows.
    if not style.ink or {"1", "2", "8"}.intersection(style.marks):
        return style
    return Style((), "", _as_paper(style.ink))


def _as_paper(ink: str) -> str:
    if ink.startswith("38"):
        return f"48{ink[2:]}"
    return f"4{ink[1:]}" if ink.startswith("3") else f"10{ink[1:]}"


@lru_cache(maxsize=8192)
def change(old: Style | None, new: Style) -> str:
    """The shortest SGR sequence from `old` to `new`; None is an unknown style."""
    if old == new:
        return ""
    colours = [colour for colour in (new.ink, new.paper) if colour]
    afresh = ";".join(["", *new.marks, *colours])
    if old is None:
        return f"\x1b[{afresh}m"
    step = ";".join(_steps(old, new))
    return f"\x1b[{step if len(step) <= len(afresh) else afresh}m"


def _steps(old: Style, new: Style) -> list[str]:
    dropped = sorted({_OFF[_name(mark)] for mark in old.marks if mark not in new.marks})
    added = [mark for mark in new.marks if mark not in old.marks or _OFF[_name(mark)] in dropped]
    ink = [new.ink or "39"] if new.ink != old.ink else []
    paper = [new.paper or "49"] if new.paper != old.paper else []
    return [*dropped, *added, *ink, *paper]
