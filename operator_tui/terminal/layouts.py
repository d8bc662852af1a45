"""Keyboard layouts: the key that was meant, when the layout of the moment is Russian or Kazakh.

A chord is named by the physical key (DESIGN rule 6): Ctrl and the key of `ф` is `ctrl+a`. Terminals that send legacy
control bytes do this themselves; those with modifyOtherKeys or CSI u send the letter of the layout. Sources: the `ru`
and `kz` symbols of xkeyboard-config.
"""

from __future__ import annotations

_RUSSIAN = "йцукенгшщзфывапролджэячсмитьбюх"
_LATIN = "qwertyuiopasdfghjkl;'zxcvbnm,.["

# The digit row of the Kazakh layout types letters and signs; the digits are on no key of it without Shift.
_KAZAKH_DIGITS = {
    '"': "1", "ә": "2", "і": "3", "ң": "4", "ғ": "5", ",": "6", ".": "7", "ү": "8", "ұ": "9", "қ": "0",
    "ө": "-", "һ": "=", "Һ": "+",
}  # fmt: skip

# How Textual names the keys that are no letters or digits.
_NAMES = {
    ";": "semicolon",
    "'": "apostrophe",
    ",": "comma",
    ".": "full_stop",
    "[": "left_square_bracket",
    "]": "right_square_bracket",
    "`": "grave_accent",
    "-": "minus",
    "=": "equals_sign",
    "+": "plus",
}

_PHYSICAL = dict(zip(_RUSSIAN, _LATIN, strict=True)) | {"ъ": "]", "ё": "`"}
_CHORDS = frozenset({"ctrl", "alt"})


def latin(letter: str) -> str | None:
    """The QWERTY character on the key of a Russian or Kazakh letter, in the letter's case; None for any other."""
    if (found := _PHYSICAL.get(letter)) or (found := _KAZAKH_DIGITS.get(letter) if letter.isalpha() else None):
        return found
    lower = letter.lower()
    if lower == letter or (found := latin(lower)) is None:
        return None
    return found.upper()


def chord(key: str) -> str | None:
    """The chord meant by Textual's key name: `ctrl+ф` is `ctrl+a`, `alt+Х` is `alt+left_square_bracket`.

    None where nothing has to be changed: no Ctrl or Alt in it, or no Cyrillic letter.
    """
    *modifiers, letter = key.split("+")
    if not _CHORDS.intersection(modifiers) or len(letter) != 1:
        return None
    found = latin(letter.lower())
    if found is None:
        return None
    if letter != letter.lower() and "shift" not in modifiers and "alt" in modifiers:
        found = found.upper()
    return "+".join([*modifiers, _NAMES.get(found, found)])


def digit(character: str) -> str | None:
    """The digit on the key that typed `character` under the Kazakh layout; None when it is on no digit's key.

    For choice lists only: in a text field the letter itself is meant.
    """
    found = _KAZAKH_DIGITS.get(character) or _KAZAKH_DIGITS.get(character.lower())
    return found if found and found.isdigit() else None


def aliases(key: str) -> tuple[str, ...]:
    """Textual's names of `key` itself and of what the same physical key types in the Russian and Kazakh layouts.

    For bindings on single characters outside text fields: `2` is also `ә`, `plus` also `Һ`, `a` also `ф`.
    """
    wanted = {name: character for character, name in _NAMES.items()}.get(key, key)
    typed = [kazakh for kazakh, meant in _KAZAKH_DIGITS.items() if meant == wanted]
    typed += [russian for russian, meant in _PHYSICAL.items() if meant == wanted and wanted.isalpha()]
    quoted = {'"': "quotation_mark", **_NAMES}
    return (key, *(quoted.get(character, character) for character in typed))
