"""The colour themes: contrast computed by WCAG 2.2, and no theme that says anything by colour alone."""

from __future__ import annotations

import pytest
from textual.color import Color
from textual.theme import Theme

from screens.themes import CONTRAST, DESK, THEMES

TEXT_RATIO = 7.0  # WCAG 2.2, 1.4.6 (AAA)
SIGN_RATIO = 3.0  # WCAG 2.2, 1.4.11
READABLE_RATIO = 4.5  # WCAG 2.2, 1.4.3 (AA)
TEXTS = ("foreground", "warning", "error", "success")


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""

    def linear(part: int) -> float:
        value = part / 255
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    red, green, blue = Color.parse(colour).rgb
    return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)


def ratio(one: str, other: str) -> float:
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def pairs(theme: Theme) -> list[tuple[str, str, str]]:
    """``(role, text colour, its background)`` for all text the style sheet writes."""
    background = str(theme.background)
    roles = [(role, str(getattr(theme, role)), background) for role in TEXTS]
    variables = theme.variables
    return [
        *roles,
        ("heading", variables["heading"], background),
        ("dim", variables["dim"], background),
        ("text in a field", str(theme.foreground), variables["field"]),
        ("text on a bar", str(theme.foreground), variables["bar"]),
        ("key on a bar", variables["heading"], variables["bar"]),
        ("chosen row", variables["cursor-text"], variables["cursor-back"]),
    ]


@pytest.mark.parametrize(("role", "text", "background"), pairs(CONTRAST))
def test_the_contrast_theme_is_readable_at_seven_to_one(role: str, text: str, background: str) -> None:
    assert ratio(text, background) >= TEXT_RATIO, role


@pytest.mark.parametrize(("role", "text", "background"), pairs(DESK))
def test_the_everyday_theme_is_readable(role: str, text: str, background: str) -> None:
    assert ratio(text, background) >= READABLE_RATIO, role


@pytest.mark.function("1414-12")
def test_the_chosen_row_stands_out_from_the_others() -> None:
    for theme in (CONTRAST, DESK):
        assert ratio(theme.variables["cursor-back"], str(theme.background)) >= SIGN_RATIO, theme.name


def test_every_theme_fills_the_same_roles() -> None:
    roles = {frozenset(set(theme.variables) & set(DESK.variables)) for theme in THEMES}
    assert roles == {frozenset(DESK.variables)}


def test_the_ratio_is_that_of_the_standard() -> None:
    assert ratio("#000000", "#ffffff") == pytest.approx(21.0)
    assert ratio("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)
