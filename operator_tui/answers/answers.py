"""The typical answers of one release: recommended for a theme, found by key words, in two languages."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import msgspec

from operator_tui.answers.ranking import Ranking
from operator_tui.answers.scripts import Script, parse_scripts, script_of
from operator_tui.appeals.catalogue import Catalogue
from operator_tui.appeals.reference import OFF

_TITLE, _KEYWORDS, _BODY = 3.0, 1.5, 1.0


class Finding(msgspec.Struct, frozen=True):
    """What ``Answers.check`` found. ``contradiction``: the data can not be released so; else only a reminder."""

    text: str
    contradiction: bool


class Answers:
    """All scripts, bound to the themes of a catalogue."""

    def __init__(self, scripts: Iterable[Script], catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._versions: dict[tuple[str, str], Script] = {(script.id, script.language): script for script in scripts}
        self._listed = list(self._versions.values())
        self._ranking = Ranking(self._fields(script) for script in self._listed)

    def _fields(self, script: Script) -> tuple[tuple[float, str], ...]:
        themes = [self._catalogue.themes[code] for code in script.themes if code in self._catalogue.themes]
        keywords = " ".join(" ".join((theme.title, *theme.keywords)) for theme in themes)
        if script.language != "ru":  # themes are in Russian: they lead to the Russian version
            return ((_TITLE, script.title), (_BODY, " ".join(script.say)))
        return (
            (_TITLE, script.title),
            (_KEYWORDS, keywords),
            (_BODY, " ".join((*script.say, *script.ask, script.next))),
        )

    def script(self, identity: str, language: str = "ru") -> Script | None:
        """The script of that id, in Russian when there is no version in the language."""
        return self._versions.get((identity, language)) or self._versions.get((identity, "ru"))

    def for_theme(self, code: str, language: str = "ru") -> list[Script]:
        """Scripts for a theme: the recommended first (as the theme names them), then other scripts that answer it,
        then those of the talk itself (K-5.1.5.1, K-5.1.5.2). Refusal(UNKNOWN_THEME) when there is no such theme.
        """
        theme = self._catalogue.theme(code)
        russian = [script for script in self._listed if script.language == "ru"]
        order = [
            *theme.scripts,
            *(script.id for script in russian if code in script.themes),
            *(script.id for script in russian if script.conversation),
        ]
        found = (self.script(identity, language) for identity in dict.fromkeys(order))
        return [script for script in found if script is not None]

    def recommended(self, code: str, language: str = "ru") -> list[Script]:
        """Only what is recommended for the theme."""
        return [script for script in self.for_theme(code, language) if not script.conversation]

    def all(self, language: str = "ru") -> list[Script]:
        """Every script in the order of the book."""
        identities = dict.fromkeys(script.id for script in self._listed)
        return [script for identity in identities if (script := self.script(identity, language))]

    def search(self, text: str, language: str | None = None) -> list[Script]:
        """Scripts by key words, best first (K-5.1.5.3), each once.

        With ``language`` every script found is given in that language where it exists; without, in the language whose
        words were typed. A script's id finds it; an empty text finds all.
        """
        if not text.strip():
            return self.all(language or "ru")
        if exact := self.script(text.strip().upper(), language or "ru"):
            return [exact]
        found: dict[str, Script] = {}
        for place, _ in self._ranking.search(text):
            script = self._listed[place]
            shown = self.script(script.id, language) if language else script
            if shown:
                found.setdefault(script.id, shown)
        return list(found.values())

    def check(self, today: date) -> list[Finding]:
        """Contradictions between themes and scripts, and texts past their date."""
        known = {script.id for script in self._listed}
        themes = self._catalogue.themes
        return [
            *(
                Finding(f"Тематика {theme.code}: нет сценария {identity}.", contradiction=True)
                for theme in themes.values()
                for identity in theme.scripts
                if identity not in known
            ),
            *(
                Finding(f"Сценарий {script.id}: нет тематики {code}.", contradiction=True)
                for script in self._listed
                if script.language == "ru"
                for code in script.themes
                if code not in themes
            ),
            *(
                Finding(f"Сценарий {script.id}: срок истёк {script.valid_until:%d.%m.%Y}, сверьте текст.", False)
                for script in self._listed
                if script.language == "ru" and script.expired(today)
            ),
        ]


def answers_of(catalogue: Catalogue) -> Answers:
    """The answers of this release with those in their places that the centre has changed since."""
    from operator_tui.reference import packaged_scripts

    scripts = {f"{script.id}:{script.language}": script for script in parse_scripts(packaged_scripts())}
    for key, row in catalogue.reference.all("answers").items():
        scripts[key] = script_of(row)
        if row.get(OFF):
            del scripts[key]
    return Answers(scripts.values(), catalogue)


def packaged_answers() -> Answers:
    """The answers of this release. ValueError when their text is broken (a test holds that it is not)."""
    from operator_tui.reference import packaged_catalogue, packaged_scripts

    return Answers(parse_scripts(packaged_scripts()), packaged_catalogue())
