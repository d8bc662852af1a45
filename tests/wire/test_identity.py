"""The thin driver shows what the stock driver shows, cell by cell, over the whole scene."""

from __future__ import annotations

import pytest

from tests.wire.scenes import DEMO, DESK, Scene, Seen, sixteen, walk

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


def compare(stock: tuple[Seen, ...], thin: tuple[Seen, ...]) -> None:
    assert [step.name for step in stock] == [step.name for step in thin]
    for plain, other in zip(stock, thin, strict=True):
        assert not differing(plain, other)
    assert sum(step.size for step in thin) < sum(step.size for step in stock) / 3


@pytest.mark.parametrize("scene", [pytest.param(DEMO, id="demo"), pytest.param(DESK, id="desk")])
@pytest.mark.parametrize(("rows", "cols"), SIZES)
def test_every_step_looks_the_same(scene: Scene, rows: int, cols: int) -> None:
    compare(walk(scene, driver="stock", rows=rows, cols=cols), walk(scene, rows=rows, cols=cols))


@pytest.mark.parametrize("scene", [pytest.param(DEMO, id="demo"), pytest.param(DESK, id="desk")])
def test_every_step_looks_the_same_in_16_colours(scene: Scene) -> None:
    env = tuple(sixteen(scene).items())
    compare(walk(scene, driver="stock", env=env), walk(scene, env=env))


def test_the_paced_driver_ends_on_the_same_picture() -> None:
    paced = (("OPERATOR_TUI_TERMINAL_PROFILE", "slow"),)
    for plain, other in zip(walk(DEMO, driver="stock", env=paced), walk(DEMO, env=paced), strict=True):
        assert not differing(plain, other)
