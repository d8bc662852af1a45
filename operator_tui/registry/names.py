"""People's names: the key under which they are stored and found, and readings of a word typed in Latin letters.

Index and query fold alike (design/registry.md 4.2), so what is typed meets what was loaded.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from operator_tui.letters import fold, has_latin, to_russian_layout

# What exports write where a person has no patronymic (domain facts 2.4).
_PLACEHOLDERS = frozenset({"", "-", "нет", "отсутствует", "без отчества", "б/о"})
_HYPHEN = re.compile(r"\s*-+\s*")
_NOT_IN_NAMES = re.compile(r"[^\w\s./()-]|_")

# Latin letters to Russian ones, longest first: the spellings of passports, cards and habit.
_TRANSLITERATION: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("shch", ("щ",)), ("sch", ("щ", "сч")), ("zh", ("ж",)), ("kh", ("х",)), ("ts", ("ц", "тс")), ("tz", ("ц",)),
    ("ch", ("ч",)), ("sh", ("ш",)), ("yo", ("е",)), ("jo", ("е",)), ("yu", ("ю",)), ("iu", ("ю", "иу")),
    ("ju", ("ю",)), ("ya", ("я",)), ("ia", ("я", "иа")), ("ja", ("я",)), ("ye", ("е", "ье")), ("iy", ("ий",)),
    ("yy", ("ый",)), ("a", ("а",)), ("b", ("б",)), ("v", ("в",)), ("w", ("в",)), ("g", ("г",)), ("d", ("д",)),
    ("e", ("е", "э")), ("z", ("з",)), ("i", ("и", "й")), ("j", ("й", "дж")), ("y", ("й", "ы", "и")), ("k", ("к",)),
    ("l", ("л", "ль")), ("m", ("м",)), ("n", ("н", "нь")), ("o", ("о",)), ("p", ("п",)), ("r", ("р",)),
    ("s", ("с",)), ("t", ("т",)), ("u", ("у",)), ("f", ("ф",)), ("h", ("х", "г")), ("c", ("ц", "к")),
    ("x", ("кс",)), ("q", ("к",)), ("'", ("ь", "")), ("-", ("-",)),
)  # fmt: skip
_BEAM = 24
_READINGS = 6


def word_key(word: str) -> str:
    """The search key of one name as typed: folded, no blanks round hyphens, the parts of one name by hyphens.

    ``Петрова - Водкина`` and ``петрова–водкина`` are one key, and so are ``Али оглы`` and ``Али-Оглы``.
    """
    folded = fold(word)
    cleaned = _NOT_IN_NAMES.sub("", folded)
    key = "-".join(filter(None, _HYPHEN.sub("-", cleaned.strip()).replace(".", " ").replace("-", " ").split()))
    # What stood on both sides of a sign or a blank is one word now: its letters are looked at together.
    return key if key == folded else fold(key)


def name_key(stored: str) -> str:
    """The search key of a name as a registry stores it: like ``word_key``, but «НЕТ» and dashes mean no name."""
    if fold(stored).strip() in _PLACEHOLDERS:
        return ""
    key = word_key(stored)
    return "" if key in _PLACEHOLDERS else key


def display_name(stored: str) -> str:
    """The name as it is shown: blanks and hyphens tidied, placeholders empty, the registry's spelling kept."""
    if not name_key(stored):
        return ""
    tidy = _HYPHEN.sub("-", " ".join(re.sub("[‐‑‒–—―−﹣]", "-", stored).split()))
    return tidy.title() if tidy.isupper() and len(tidy) > 1 else tidy


def layout_reading(typed: str) -> str:
    """The key of the word that the same keys give in the Russian layout (``Bdfyjd`` -> ``иванов``)."""
    return word_key(to_russian_layout(typed))


def transliterations(typed: str, alive: Callable[[str], bool]) -> list[str]:
    """Russian readings of a Latin spelling, most plausible first, at most 6.

    ``alive`` says whether any name begins so; readings that die on the way are dropped, which keeps the search small.
    """
    word = fold(typed)
    if not has_latin(word):
        return []
    beam: list[tuple[int, int, str]] = [(0, 0, "")]  # (cost, letters consumed, reading)
    done: list[tuple[int, str]] = []
    while beam:
        following: dict[tuple[int, str], int] = {}
        for cost, at, reading in beam:
            if at >= len(word):
                done.append((cost, reading))
                continue
            for length, choices in _spellings(word, at):
                for rank, letters in enumerate(choices):
                    longer = reading + letters
                    if alive(longer):
                        key = (at + length, longer)
                        following[key] = min(following.get(key, cost + rank), cost + rank)
        beam = sorted((cost, at, reading) for (at, reading), cost in following.items())[:_BEAM]
    return [reading for _, reading in sorted(set(done))][:_READINGS]


def _spellings(word: str, at: int) -> list[tuple[int, tuple[str, ...]]]:
    """What may stand at this place: the longest spelling, and for ambiguous pairs the single letter too."""
    found: list[tuple[int, tuple[str, ...]]] = []
    for latin, russian in _TRANSLITERATION:
        if word.startswith(latin, at):
            found.append((len(latin), russian))
            if len(latin) == 1 or latin not in {"ts", "ia", "iu", "ye", "iy", "sch", "yo", "jo"}:
                break
    return found or [(1, ("",))]
