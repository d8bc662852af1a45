"""Terminal profiles: what the desk may ask of the terminal and of the line to it.

The environment has to be ready before Textual is imported: it reads its constants once, at import.
"""

from __future__ import annotations

import os
import sys
import termios
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, replace
from typing import Literal

Colours = Literal[16, 256]

# Terminals that show 16 colours at most, whatever line they hang on.
_SIXTEEN_COLOURS = ("linux", "vt", "ansi", "dumb", "cons", "xterm-16color", "putty-16color")
# Hardware terminals: they hang on a serial line.
_HARDWARE = ("vt", "ansi", "wyse", "dumb")
# Terminals older than the VT220, or unknown: they cannot erase a part of a row (ECH).
_WITHOUT_ECH = ("vt5", "vt1", "ansi", "wyse", "dumb")
# Terminals that fill erased cells with the current background ("bce" of terminfo). Multiplexers do not all.
_ERASE_IN_COLOUR = ("xterm", "putty", "linux", "konsole", "kitty", "alacritty", "foot", "rxvt")
_SERIAL_SPEEDS = {
    termios.B300, termios.B600, termios.B1200, termios.B2400, termios.B4800, termios.B9600, termios.B19200
}  # fmt: skip


@dataclass(frozen=True)
class TerminalProfile:
    """One kind of line and terminal.

    ``paced`` keeps one frame in flight; ``bits_per_second`` is what pacing expects of the line;
    ``escape_delay_ms`` is how long a lone Esc waits for the rest of a key; ``timer_step_s`` is how often a running
    timer may be repainted; ``frames_per_second`` is how soon after a change the screen is painted: a key waits for the
    next frame, most of what passes between key and paint; ``erases_in_colour`` says that erasing fills with the
    current background and ``erases_cells`` that a part of a row can be erased;
    ``synchronized`` asks the terminal for mode 2026, so that large frames do not tear; ``plain_signs`` says that its
    font has the signs of CP866 alone.
    """

    name: Literal["lan", "slow", "serial"]
    colours: Colours = 256
    mouse: bool = True
    paced: bool = False
    bits_per_second: int = 10_000_000
    escape_delay_ms: int = 100
    timer_step_s: int = 1
    frames_per_second: int = 60
    erases_in_colour: bool = False
    erases_cells: bool = True
    synchronized: bool = False
    plain_signs: bool = False


LAN = TerminalProfile("lan", frames_per_second=120, synchronized=True)
SLOW = TerminalProfile("slow", mouse=False, paced=True, bits_per_second=64_000, escape_delay_ms=400, timer_step_s=5)
SERIAL = TerminalProfile(
    "serial",
    colours=16,
    mouse=False,
    paced=True,
    bits_per_second=9_600,
    escape_delay_ms=400,
    timer_step_s=60,
)
_BY_NAME = {profile.name: profile for profile in (LAN, SLOW, SERIAL)}


def choose(setting: str = "auto", environment: Mapping[str, str] | None = None) -> TerminalProfile:
    """The profile for a setting (auto, lan, slow, serial), TERM and, for auto, the speed of the line."""
    environment = os.environ if environment is None else environment
    term = environment.get("TERM", "")
    if setting == "auto":
        profile = SERIAL if term.startswith(_HARDWARE) or _on_serial_line() else LAN
    else:
        profile = _BY_NAME[setting]  # type: ignore[index]  # the settings file admits these names alone
    inside_multiplexer = "TMUX" in environment or "STY" in environment
    return replace(
        profile,
        colours=16 if term.startswith(_SIXTEEN_COLOURS) else profile.colours,
        erases_in_colour=term.startswith(_ERASE_IN_COLOUR) and not inside_multiplexer,
        plain_signs=term.startswith((*_HARDWARE, "linux", "cons")),
        erases_cells=not term.startswith(_WITHOUT_ECH),
    )


def prepare_environment(profile: TerminalProfile, environment: MutableMapping[str, str] | None = None) -> None:
    """Set what Textual reads at its import. A value that the person has set stays.

    The kitty keyboard protocol is switched off: under a Russian layout it turns Ctrl+A into Ctrl+Ф.
    """
    environment = os.environ if environment is None else environment
    wanted = {
        "TEXTUAL_DISABLE_KITTY_KEY": "1",
        "TEXTUAL_ANIMATIONS": "none",
        "TEXTUAL_COLOR_SYSTEM": "standard" if profile.colours == 16 else "256",
        "TEXTUAL_SMOOTH_SCROLL": "0",
        "TEXTUAL_FPS": str(profile.frames_per_second),
        "ESCDELAY": str(profile.escape_delay_ms),
    }
    for name, value in wanted.items():
        environment.setdefault(name, value)


def _on_serial_line() -> bool:
    try:
        speed = termios.tcgetattr(sys.__stdin__.fileno())[5] if sys.__stdin__ else 0
    except (OSError, ValueError, termios.error):
        return False
    return speed in _SERIAL_SPEEDS
