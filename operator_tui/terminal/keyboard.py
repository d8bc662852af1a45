"""Bytes of the keyboard to keys: what Textual's parser leaves out, and what would end it.

Textual knows the long form of keys (modifyOtherKeys of xterm, CSI u) only together with the kitty protocol, which the
desk keeps off; a terminal that is set to send it would type `[1092;5u` into a field. Noise on a line gives bytes that
are no UTF-8 and numbers that are no characters; they are dropped.
"""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from collections.abc import Iterable, Iterator

from textual._xterm_parser import XTermParser
from textual.events import Key
from textual.keys import Keys, _character_to_key
from textual.message import Message

# https://invisible-island.net/xterm/modified-keys.html and the kitty keyboard protocol: the key's code, then for CSI u
# the shifted code and the code on a standard layout, then one more than the sum of the modifiers.
_LONG_FORM = re.compile(
    r"\x1b\[(?:27;(?P<xterm_modifiers>\d+);(?P<xterm_code>\d+)~"
    r"|(?P<code>\d+)(?::\d*)?(?::(?P<standard>\d*))?(?:;(?P<modifiers>\d*)(?::\d*)?)?(?:;[\d:]*)?u)"
)
# Alt and a key, as a terminal sends it that does not know the long form. Textual reads some of them as another
# program's settings do: Alt+F and Alt+B as a word's way right and left, Alt with a digit as a sign of a Mac.
_WITH_ALT = re.compile(r"\x1b([a-z0-9=-])")
_MODIFIERS = ((4, "ctrl"), (2, "alt"), (8, "super"))
_SHIFT = 1
_NAMED = {9: "tab", 13: "enter", 27: "escape", 32: "space", 127: "backspace"}


def long_form(sequence: str) -> Key | None:
    """The key of a long form; None for any other sequence. ValueError or OverflowError: no such character."""
    match = _LONG_FORM.fullmatch(sequence)
    if match is None:
        return None
    code = int(match["standard"] or match["code"] or match["xterm_code"])
    held = max(int(match["modifiers"] or match["xterm_modifiers"] or "1") - 1, 0)
    character = chr(code)
    modifiers = [name for bit, name in _MODIFIERS if held & bit]
    if code in _NAMED:
        name = _NAMED[code]
        if held & _SHIFT:
            modifiers.append("shift")
        return Key("+".join([*modifiers, name]), " " if name == "space" and not modifiers else None)
    if not modifiers:
        typed = character.upper() if held & _SHIFT else character
        return Key(_character_to_key(typed), typed)
    if held & _SHIFT:
        modifiers.append("shift")
    return Key("+".join([*modifiers, _character_to_key(character)]), None)


class KeyParser(XTermParser):
    """Textual's parser with the long form of keys, and Alt with any letter or digit as that key."""

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[Key]:
        try:
            key = long_form(sequence)
        except (ValueError, OverflowError):
            key = Key(Keys.Ignore, sequence)
        if key is not None:
            yield key
        elif match := _WITH_ALT.fullmatch(sequence):
            yield from super()._sequence_to_key_events(match[1], alt=True)
        else:
            yield from super()._sequence_to_key_events(sequence, alt)


class KeyReader:
    """Messages from the bytes of a terminal; nothing that a line can send raises."""

    def __init__(self, *, debug: bool = False) -> None:
        self._debug = debug
        self._parser = KeyParser(debug)
        self._decode = getincrementaldecoder("utf-8")("ignore").decode

    def feed(self, data: bytes) -> Iterator[Message]:
        """The messages of `data`; a sequence without sense is dropped alone."""
        text = self._decode(data)
        for piece in re.split("(?=\x1b)", text):
            if not piece:
                continue
            try:
                yield from self._parser.feed(piece)
            except (ValueError, OverflowError):
                self._parser = KeyParser(self._debug)

    def tick(self) -> Iterator[Message]:
        """What is due because nothing more came: a lone Esc."""
        yield from self._parser.tick()
