"""An address as a picture in the terminal: two rows of modules in one row of letters (ISO/IEC 18004 by segno)."""

from __future__ import annotations

from itertools import zip_longest

_HALVES = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}


def qr_rows(address: str) -> list[str]:
    """Rows of half blocks, light modules drawn: to be shown in light letters on a dark ground, so that a camera sees
    dark modules on a light one. About 20 rows for an address of 60 letters."""
    import segno

    light = [[not module for module in row] for row in segno.make_qr(address, error="l").matrix_iter(border=2)]
    pairs = zip_longest(light[::2], light[1::2], fillvalue=[False] * len(light[0]))
    return ["".join(_HALVES[above, below] for above, below in zip(*pair, strict=True)) for pair in pairs]
