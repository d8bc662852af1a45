"""The thin driver shows what the stock driver shows, cell by cell, over the whole scene."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from tests.wire.scenes import DEMO, DESK, Seen, side_by_side, sixteen, walk

SIZES = [pytest.param(24, 80, id="80x24"), pytest.param(40, 120, id="120x40")]


def differing(stock: Seen, thin: Seen) -> list[str]:
    """Cells that look different. The one under the terminal's cursor is left out: stock paints its cursor there."""
    column, row, shown = thin.cursor
    return [
        f"{thin.name}: column {x} row {y}: {plain} != {other}"
        for y, (plain_row, other_row) in enumerate(zip(stock.cells, thin.cells, strict=True))
        for x, (plain, other) in enumerate(zip(plain_row, other_row, strict=True))
        if plain != other and not (shown and (x, y) == (column, row))
    ]


def unlike(step: Seen) -> list[str]:
    """Cells of one walk with a tee that look different from what the stock driver would have painted."""
    return [
        f"{step.name}: column {x} row {y}: {plain} != {other}"
        for y, (plain_row, other_row) in enumerate(zip(step.stock_cells, step.cells, strict=True))
        for x, (plain, other) in enumerate(zip(plain_row, other_row, strict=True))
        if plain != other
    ]


def stock_and_thin(**how: Any) -> list[tuple[Seen, ...]]:
    """The demo by both drivers."""
    return side_by_side(partial(walk, DEMO, driver="stock", **how), partial(walk, DEMO, **how))


def compare(stock: tuple[Seen, ...], thin: tuple[Seen, ...]) -> None:
    assert [step.name for step in stock] == [step.name for step in thin]
    for plain, other in zip(stock, thin, strict=True):
        assert not differing(plain, other)
    assert sum(step.size for step in thin) < sum(step.size for step in stock) / 3


@pytest.mark.parametrize(("rows", "cols"), SIZES)
def test_every_step_looks_the_same(rows: int, cols: int) -> None:
    compare(*stock_and_thin(rows=rows, cols=cols))


def test_every_step_looks_the_same_in_16_colours() -> None:
    compare(*stock_and_thin(env=tuple(sixteen(DEMO).items())))


def test_the_paced_driver_ends_on_the_same_picture() -> None:
    paced = (("OPERATOR_TUI_TERMINAL_PROFILE", "slow"),)
    for plain, other in zip(*stock_and_thin(env=paced), strict=True):
        assert not differing(plain, other)


@pytest.mark.parametrize(
    ("rows", "cols", "colours"),
    [pytest.param(24, 80, 256, id="80x24"), pytest.param(40, 120, 256, id="120x40"), pytest.param(24, 80, 16, id="16")],
)
def test_the_real_desk_shows_what_the_stock_driver_would_show(rows: int, cols: int, colours: int) -> None:
    env = tuple(sixteen(DESK).items()) if colours == 16 else ()
    seen = walk(DESK, driver="tee", rows=rows, cols=cols, env=env)
    for step in seen:
        assert not unlike(step)
    assert sum(step.size for step in seen) < sum(step.stock_size for step in seen) / 3
