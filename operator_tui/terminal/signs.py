"""Signs for a terminal whose font has those of CP866 alone: the Linux console, and hardware on a serial line.

One sign becomes one sign, so that nothing moves. Letters are never replaced.
"""

from __future__ import annotations

PLAIN_SIGNS = str.maketrans(
    {
        "«": '"',
        "»": '"',
        "„": '"',
        "“": '"',
        "”": '"',
        "’": "'",
        "…": ".",
        "—": "-",
        "–": "-",
        "−": "-",
        "•": "·",
        "×": "x",
        "←": "<",
        "→": ">",
        "↑": "^",
        "↓": "v",
        "₽": "р",
        # The ends of a scroll bar in eighths of a cell.
        **dict.fromkeys("▁▂▃", "▄"),
        **dict.fromkeys("▅▆▇", "█"),
        **dict.fromkeys("▉▊▋", "█"),
        **dict.fromkeys("▍▎▏", "▌"),
    }
)
