"""Words of the rules that a screen shows: marked here for a translator, translated where they are shown."""

from __future__ import annotations


def mark(message: str) -> str:
    """Marks a text for translation where it is defined (`make messages`); ``i18n.tr`` translates it."""
    return message
