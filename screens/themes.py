"""The colour themes. Colours only through these roles; meaning never by colour alone (DESIGN rule 7)."""

from __future__ import annotations

from textual.theme import Theme

# 256-colour cube values, so that the driver can say each with a short code.
DESK = Theme(
    name="desk",
    primary="#5fafff",
    secondary="#87d7ff",
    warning="#ffd75f",
    error="#ff8787",
    success="#87d787",
    accent="#5fafff",
    foreground="#e4e4e4",
    background="#1c1c1c",
    surface="#1c1c1c",
    panel="#303030",
    dark=True,
    variables={
        "heading": "#87d7ff",
        "dim": "#a8a8a8",
        "bar": "#303030",
        "field": "#262626",
        "cursor-text": "#1c1c1c",
        "cursor-back": "#87d7ff",
    },
)
# WCAG 2.2: text at least 7:1, borders and focus at least 3:1; a test computes it.
CONTRAST = Theme(
    name="contrast",
    primary="#ffff00",
    secondary="#00ffff",
    warning="#ffff00",
    error="#ffaf87",
    success="#afffaf",
    accent="#ffff00",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#000000",
    dark=True,
    variables={
        "heading": "#ffff00",
        "dim": "#d0d0d0",
        "bar": "#000087",
        "field": "#000000",
        "cursor-text": "#000000",
        "cursor-back": "#ffff00",
    },
)


# Variables that Textual's own style sheets ask of a theme in terminal colours (its ansi-dark has the same).
_TEXTUAL_OWN = {
    "ansi-background": "ansi_black",
    "ansi-foreground": "ansi_white",
    "border-blurred": "ansi_black",
    "block-cursor-foreground": "ansi_black",
    "block-cursor-background": "ansi_white",
    "input-cursor-background": "ansi_white",
    "input-cursor-foreground": "ansi_black",
    "input-selection-background": "ansi_white",
    "input-selection-foreground": "ansi_black",
    "screen-selection-background": "ansi_white",
    "screen-selection-foreground": "ansi_black",
}


def _ansi(name: str, *, heading: str, warning: str, error: str, success: str, bar: str) -> Theme:
    return Theme(
        name=name,
        ansi=True,
        primary=heading,
        secondary=heading,
        warning=warning,
        error=error,
        success=success,
        accent=heading,
        foreground="ansi_default",
        background="ansi_default",
        surface="ansi_default",
        panel="ansi_default",
        boost="ansi_default",
        dark=True,
        variables={
            "heading": heading,
            "dim": "ansi_default",
            "bar": bar,
            "field": "ansi_default",
            "cursor-text": "ansi_black",
            "cursor-back": "ansi_white",
            **_TEXTUAL_OWN,
        },
    )


# 16 colours and only signs of the Linux console's fonts.
VT = _ansi("vt", heading="ansi_cyan", warning="ansi_yellow", error="ansi_red", success="ansi_green", bar="ansi_default")
# No colour at all: bold and reverse carry what colour would.
MONO = _ansi(
    "mono",
    heading="ansi_default",
    warning="ansi_default",
    error="ansi_default",
    success="ansi_default",
    bar="ansi_default",
)

THEMES = (DESK, CONTRAST, VT, MONO)
