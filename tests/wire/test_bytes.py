"""What each act costs on the wire, against the budgets of design/desk.md and the stock driver in the same run."""

from __future__ import annotations

import statistics
import time
from functools import partial

import pytest

from tests.wire.scenes import DEMO, DESK, Scene, Seen, shows, side_by_side, sixteen, started, walk

SCENES = [pytest.param(DEMO, id="demo"), pytest.param(DESK, id="desk")]

# The peer: Textual as it comes, its own driver and its own field with a border.
STOCK_LETTER = 2_040


def in_256_and_16(scene: Scene) -> list[tuple[Seen, ...]]:
    """One walk in each number of colours."""
    in_16 = tuple(sixteen(scene).items())
    return side_by_side(partial(walk, scene, driver="tee"), partial(walk, scene, driver="tee", env=in_16))


def costs(seen: tuple[Seen, ...], kind: str) -> dict[str, int]:
    return {step.name: step.size for step in seen if step.kind == kind}


def typical(scene: Scene, letters: dict[str, int]) -> int:
    """What a letter costs: the most on the demo; on the real desk, where a light may change meanwhile, the median."""
    assert letters
    return max(letters.values()) if scene is DEMO else int(statistics.median(letters.values()))


@pytest.mark.parametrize("scene", SCENES)
def test_a_letter_in_256_colours_costs_at_most_40_bytes(scene: Scene) -> None:
    letters = costs(in_256_and_16(scene)[0], "letter")
    assert typical(scene, letters) <= 40, letters


@pytest.mark.parametrize("scene", SCENES)
def test_a_letter_in_16_colours_costs_at_most_12_bytes(scene: Scene) -> None:
    letters = costs(in_256_and_16(scene)[1], "letter")
    assert typical(scene, letters) <= 12, letters


def test_textual_as_it_comes_sends_two_kilobytes_for_a_letter() -> None:
    with started(DEMO, driver="stock", env={"DEMO_FIELDS": "stock"}) as desk:
        desk.type("И")
        desk.wait_text("И")
        desk.wait_quiet()
        assert desk.cost(lambda: desk.type("в"), lambda screen: "Ив" in screen) > STOCK_LETTER / 2


@pytest.mark.parametrize("scene", SCENES)
def test_a_letter_in_the_search_with_its_hits_costs_at_most_1000_bytes(scene: Scene) -> None:
    letters = costs(in_256_and_16(scene)[0], "search")
    assert letters
    assert max(letters.values()) <= 1_000, letters


def test_the_first_letter_of_a_search_costs_no_more_whatever_it_is() -> None:
    """Ten people where there were none; these letters bring the longest names of the synthetic registry."""
    before = "застрахованного:  "
    with started(DESK) as desk:
        desk.press("insert")
        desk.wait_text("Рег. карта: добавлено вручную")
        desk.press("f5")
        desk.wait_quiet()
        letters = {}
        for letter in "гдлэп":
            letters[letter] = desk.cost(lambda letter=letter: desk.type(letter), shows(before + letter))
            desk.press("backspace")
            desk.wait(lambda screen, letter=letter: before + letter not in screen, what="an empty line")
            desk.wait_quiet()
        assert max(letters.values()) <= 1_000, letters
        assert min(letters.values()) > 500, "ten people were painted"


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize(
    ("kind", "budget", "budget_16"),
    [("cursor", 12, 12), ("row", 300, 260), ("focus", 1_700, 800), ("screen", 6_000, 5_000)],
)
def test_other_acts_stay_in_their_budgets(scene: Scene, kind: str, budget: int, budget_16: int) -> None:
    in_256, in_16 = in_256_and_16(scene)
    for most, seen in ((budget, in_256), (budget_16, in_16)):
        found = costs(seen, kind)
        assert found
        assert max(found.values()) <= most, found


@pytest.mark.parametrize("scene", SCENES)
def test_a_quiet_desk_sends_nothing(scene: Scene) -> None:
    with started(scene) as desk:
        mark = desk.mark()
        start = time.monotonic()
        desk.wait_quiet(silence=5.0, timeout=30.0)
        assert desk.bytes_since(mark) == b""
        assert time.monotonic() - start >= 5.0
