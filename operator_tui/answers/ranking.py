"""Search in a few hundred short texts, as one types: shared by scripts and themes. In memory, no database.

A word counts by its exact form and, at half the weight, by its first five letters (which unites «прикрепить» and
«прикрепление» without a stemmer); rare words count more, yet a common one still counts: ln(1 + N/df) is never zero,
unlike bm25 of FTS5 (design/registry.md section 5). Words that no text has are repaired: keyboard layout, one slip
of the finger, then sound.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence

from operator_tui.letters import (
    AFTER,
    KAZAKH_LETTERS,
    KAZAKH_TO_RUSSIAN,
    RUSSIAN_ALPHABET,
    fold,
    has_latin,
    one_edit,
    phonetic_key,
    to_russian_layout,
)

_ROOT_LETTERS = 5
_ROOT_WEIGHT = 0.5
_PREFIX_WEIGHT = 0.4  # a word still being typed
_SHORTEST_REPAIRED = 4
_WORD = re.compile(r"[^\W_]+")
_MOST_TYPED = 300
_STOP_WORDS = """
а в во и к ко на не ни но о об от по с со у за из до для как что чтобы где кто ли же бы или если это мне меня мой моя я
вы вас он она они его ее их при про над под без можно нужно надо есть нет
"""
_STOP = frozenset(_STOP_WORDS.split())


class Ranking:
    """Texts of weighted fields, searched by words. Documents are named by their place in the list."""

    def __init__(self, documents: Iterable[Sequence[tuple[float, str]]]) -> None:
        """``documents``: for each the fields as (weight, text), e.g. title 3.0 and body 1.0."""
        self._exact: dict[str, dict[int, float]] = {}
        self._roots: dict[str, dict[int, float]] = {}
        self._lengths: list[int] = []
        for place, fields in enumerate(documents):
            length = 0
            for weight, text in fields:
                for word in words_of(text):
                    length += 1
                    _raise(self._exact, word, place, weight)
                    _raise(self._roots, _root(word), place, weight)
            self._lengths.append(length)
        self._sorted = sorted(self._exact)
        self._by_sound: dict[str, str] = {}
        for word in sorted(self._exact, key=lambda word: len(self._exact[word])):
            self._by_sound[phonetic_key(word)] = word  # the commonest of those that sound alike wins
        self._sounds = sorted(self._by_sound)

    def search(self, text: str) -> list[tuple[int, float]]:
        """(document, score) of all that have any of the words, best first; empty for a text without words."""
        words = self._understood(text[:_MOST_TYPED])
        scores: dict[int, float] = {}
        for place, word in enumerate(words):
            for document, score in self._word(word, last=place == len(words) - 1).items():
                scores[document] = scores.get(document, 0.0) + score
        return sorted(scores.items(), key=lambda found: (-found[1], self._lengths[found[0]], found[0]))

    def _understood(self, text: str) -> list[str]:
        typed: list[str] = []
        for token in text.split():
            if has_latin(token) and (meant := self._by_layout(token)):
                typed += meant
            else:
                typed += words_of(token)
        return [self._repaired(word) for word in [word for word in typed if word not in _STOP] or typed]

    def _by_layout(self, token: str) -> list[str]:
        """The words the same keys give in the Russian layout, unless the Latin word itself is known."""
        if all(map(self._known, words_of(token))):
            return []
        return words_of(to_russian_layout(token))

    def _known(self, word: str) -> bool:
        place = bisect_left(self._sorted, word)
        return place < len(self._sorted) and self._sorted[place].startswith(word)

    def _repaired(self, word: str) -> str:
        if len(word) < _SHORTEST_REPAIRED or self._known(word) or _root(word) in self._roots:
            return word
        neighbours = [other for other in one_edit(word, alphabet=_ALPHABET) if other in self._exact]
        if neighbours:
            return max(neighbours, key=lambda other: (len(self._exact[other]), other))
        sound = phonetic_key(word)
        for length in range(len(sound), _ROOT_LETTERS - 1, -1):
            place = bisect_left(self._sounds, sound[:length])
            if place < len(self._sounds) and self._sounds[place].startswith(sound[:length]):
                return self._by_sound[self._sounds[place]]
        return word

    def _word(self, word: str, *, last: bool) -> dict[int, float]:
        """Score of one word in each document: its best field counts."""
        best: dict[int, float] = {}
        self._count(best, self._exact.get(word, {}), 1.0)
        root = _root(word)
        self._count(best, self._roots.get(root, {}), _ROOT_WEIGHT)
        if last and len(word) >= 2:
            begun: dict[int, float] = {}
            start = bisect_left(self._sorted, word)
            for other in self._sorted[start : bisect_left(self._sorted, word + AFTER)]:
                for document, weight in self._exact[other].items():
                    begun[document] = max(begun.get(document, 0.0), weight)
            self._count(best, begun, _PREFIX_WEIGHT)
        return best

    def _count(self, best: dict[int, float], found: Mapping[int, float], share: float) -> None:
        if not found:
            return
        rarity = math.log(1 + len(self._lengths) / len(found))
        for document, weight in found.items():
            best[document] = max(best.get(document, 0.0), weight * share * rarity)


_ALPHABET = RUSSIAN_ALPHABET + KAZAKH_LETTERS


def words_of(text: str) -> list[str]:
    """The folded words of a text; a hyphen parts words."""
    return _WORD.findall(fold(text))


def _root(word: str) -> str:
    return word.translate(KAZAKH_TO_RUSSIAN)[:_ROOT_LETTERS]


def _raise(postings: dict[str, dict[int, float]], term: str, place: int, weight: float) -> None:
    found = postings.setdefault(term, {})
    found[place] = max(found.get(place, 0.0), weight)
