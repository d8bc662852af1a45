"""Letters as they are typed: folding for search, and what was meant when the keyboard layout was wrong.

Pure and shared by the rooms that search (registry, answers). A Russian layout puts letters on punctuation keys,
so a text must be read in the other layout before its punctuation is dropped.
"""

from __future__ import annotations

import re
import unicodedata

# The keys of a US keyboard and the same keys in the Russian layout (ЙЦУКЕН).
_LATIN_KEYS = "qwertyuiop[]asdfghjkl;'zxcvbnm,.`" + 'QWERTYUIOP{}ASDFGHJKL:"ZXCVBNM<>~'
_RUSSIAN_KEYS = "йцукенгшщзхъфывапролджэячсмитьбюё" + "ЙЦУКЕНГШЩЗХЪФЫВАПРОЛДЖЭЯЧСМИТЬБЮЁ"
_TO_RUSSIAN = str.maketrans(_LATIN_KEYS, _RUSSIAN_KEYS)
_TO_LATIN = str.maketrans(_RUSSIAN_KEYS, _LATIN_KEYS)

# Latin capitals and small letters that look like Cyrillic ones; they slip into Cyrillic words.
_LOOKALIKES = str.maketrans("ABEKMHOPCTYXaeopcyxk", "АВЕКМНОРСТУХаеорсухк")

_DASHES = "‐‑‒–—―−﹣-"
_APOSTROPHES = "'’‘ʼ`´ʹ\"«»“”„"
_SAME = str.maketrans(
    {"ё": "е", **dict.fromkeys(_DASHES, "-"), **dict.fromkeys(_APOSTROPHES, ""), "\u0301": "", "\u00ad": ""}
)

# What another turn of folding leaves alone: nearly everything that is folded.
_TURNS = 2
_SETTLED = re.compile(r"[а-я0-9 ./()-]*|[a-z0-9 ./()-]*")

RUSSIAN_ALPHABET = "абвгдежзийклмнопрстуфхцчшщъыьэюя"
KAZAKH_LETTERS = "әғқңөұүһі"
# What a Kazakh letter becomes on a keyboard that has none.
KAZAKH_TO_RUSSIAN = str.maketrans("әғқңөұүһі", "агкноуухи")

# Sorts after every letter that can follow a prefix, in Python and in SQLite's binary collation alike.
AFTER = "\U0010ffff"


def fold(text: str) -> str:
    """The text as search compares it: NFC, small letters, ё=е, one kind of dash, no apostrophes or quotes.

    Latin look-alikes become Cyrillic in a word that has Cyrillic letters. ``fold(fold(x)) == fold(x)``.
    """
    folded = _fold_once(text)
    # One turn is not enough for signs that fall apart or together on the way («ẚ», a diaeresis behind a soft hyphen).
    for _ in range(_TURNS):
        if _SETTLED.fullmatch(folded):
            break
        folded = _fold_once(folded)
    return folded


def _fold_once(text: str) -> str:
    composed = unicodedata.normalize("NFC", text)
    if not composed.isascii():
        composed = " ".join(map(_unmask, composed.split(" ")))
    folded = composed.casefold().translate(_SAME)
    return unicodedata.normalize("NFC", folded)


def to_russian_layout(text: str) -> str:
    """The same keys in the Russian layout: ``Bdfyjd`` is ``Иванов``, ``<jylfhtyrj`` is ``Бондаренко``."""
    return text.translate(_TO_RUSSIAN)


def to_latin_layout(text: str) -> str:
    """The same keys in the US layout: the inverse of ``to_russian_layout``."""
    return text.translate(_TO_LATIN)


def is_cyrillic(letter: str) -> bool:
    """Whether the character is of the Cyrillic block (Kazakh letters included)."""
    return "\u0400" <= letter <= "\u04ff"


def has_latin(text: str) -> bool:
    """Whether any basic Latin letter is in it."""
    return any("a" <= letter <= "z" for letter in text.casefold())


def _unmask(word: str) -> str:
    if any(map(is_cyrillic, word)) and has_latin(word):
        return word.translate(_LOOKALIKES)
    return word


def one_edit(word: str, upto: int | None = None, alphabet: str = RUSSIAN_ALPHABET) -> set[str]:
    """All words one slip of the finger away: a letter lost, added, wrong, or two neighbours swapped.

    Only slips at position ``upto`` or before are made (positions count from 0; None means all): once a prefix is
    known to be alive nowhere, a later edit can not revive it.
    """
    length = len(word)
    last = length if upto is None else min(length, upto)
    found: set[str] = set()
    for position in range(last + 1):
        head, tail = word[:position], word[position:]
        found.update(head + letter + tail for letter in alphabet)
        if tail:
            rest = tail[1:]
            found.add(head + rest)
            found.update(head + letter + rest for letter in alphabet)
            if rest:
                found.add(head + rest[0] + tail[0] + rest[1:])
    found.discard(word)
    return found


def phonetic_key(word: str) -> str:
    """How a Russian word sounds, roughly: what is heard alike gets one key (Russian Metaphone, P. Kankovsky 2002).

    Unstressed vowels merge, voiced consonants lose their voice before voiceless ones and at the end, doubled
    letters count once, hard and soft signs are silent.
    """
    letters = [letter for letter in fold(word) if letter in RUSSIAN_ALPHABET and letter not in "ъь"]
    text = "".join(letters)
    for written, heard in _MERGED:
        text = text.replace(written, heard)
    key: list[str] = []
    for index, letter in enumerate(text):
        sound = _VOWELS.get(letter, letter)
        following = text[index + 1] if index + 1 < len(text) else ""
        if letter in _VOICED and (not following or following in _VOICELESS):
            sound = _VOICED[letter]
        if not key or key[-1] != sound:
            key.append(sound)
    return "".join(key)


_MERGED = (("тс", "ц"), ("дс", "ц"), ("тц", "ц"), ("дц", "ц"), ("стн", "сн"), ("здн", "зн"))
_VOWELS = {"о": "а", "ы": "а", "я": "а", "е": "и", "э": "и", "й": "и", "ю": "у"}
_VOICED = {"б": "п", "з": "с", "д": "т", "в": "ф", "г": "к", "ж": "ш"}
_VOICELESS = frozenset("пстфкшхцчщ")
