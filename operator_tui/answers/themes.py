"""Search over all themes by key words, in one line; the type follows from the theme chosen (K-5.1.4.4)."""

from __future__ import annotations

from collections.abc import Iterable

from operator_tui.answers.ranking import Ranking
from operator_tui.appeals.catalogue import AppealType, Theme

_TITLE, _KEYWORDS, _TYPE = 3.0, 2.0, 1.0


class ThemeSearch:
    """The themes of one catalogue, ready to be searched."""

    def __init__(self, themes: Iterable[Theme]) -> None:
        self._themes = list(themes)
        self._ranking = Ranking(
            (
                (_TITLE, theme.title),
                (_KEYWORDS, " ".join(theme.keywords)),
                (_TYPE, theme.type.value),
            )
            for theme in self._themes
        )
        self._codes = {theme.code.casefold(): theme for theme in self._themes}

    def search(self, text: str, type: AppealType | None = None) -> list[Theme]:
        """Themes by relevance, only of ``type`` when it is given. A code finds its theme; an empty text finds all."""
        if not text.strip():
            found = self._themes
        elif (theme := self._codes.get(text.strip().casefold())) is not None:
            found = [theme]
        else:
            found = [self._themes[place] for place, _ in self._ranking.search(text)]
        return [theme for theme in found if type is None or theme.type == type]
