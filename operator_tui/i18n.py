"""Texts in the operator's language, through gettext.

The program's own texts are Russian: a msgid is the Russian text. ``ru`` has a catalogue all the same, for its
plural forms. A catalogue is assets/languages/LANG/LC_MESSAGES/operator_tui.po with the compiled .mo beside it.
"""

from __future__ import annotations

import gettext
from importlib import resources

from operator_tui.appeals.words import mark

__all__ = ["mark", "ntr", "tr", "use"]

DOMAIN = "operator_tui"
LANGUAGES = ("ru", "kk", "en")

_active: gettext.NullTranslations | None = None


def use(language: str) -> None:
    """Choose the language of all texts made from now on; an unknown one falls back to Russian."""
    global _active
    _active = _load(language if language in LANGUAGES else "ru")


def _load(language: str) -> gettext.NullTranslations:
    catalogue = resources.files("assets").joinpath("languages", language, "LC_MESSAGES", f"{DOMAIN}.mo")
    if not catalogue.is_file():
        return gettext.NullTranslations()
    with catalogue.open("rb") as stream:
        return gettext.GNUTranslations(stream)


def _translations() -> gettext.NullTranslations:
    global _active
    if _active is None:
        _active = _load("ru")
    return _active


def tr(message: str) -> str:
    """The text in the operator's language."""
    return _translations().gettext(message)


def ntr(one: str, many: str, number: int) -> str:
    """The text in the plural form of ``number``: msgid and msgid_plural are the Russian forms for 1 and 5."""
    return _translations().ngettext(one, many, number)
