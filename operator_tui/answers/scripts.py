"""Approved typical answers, parsed from the Markdown in which they are written (assets/reference/scripts.md).

A script is a heading ``## ID title`` and lines ``темы:``, ``спросить:``, ``сказать:`` (phrases as ``- ``),
``дальше:``, ``основание:`` (``[и]`` found in a source, ``[п]`` from memory), ``годен до:``. ``## ID kk title`` is the
Kazakh version of the same script: its phrases alone; all else it takes from the Russian one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date

import msgspec

_HEADING = re.compile(r"## ([RS]-\d+)(?: (kk))? (.+)")
_LABELS = {"темы", "спросить", "сказать", "дальше", "основание", "годен до"}
_THEME = re.compile(r"[ЖКЗПБ]-\d+(?:\.\d+)*")
_MARKS = re.compile(r"\s*\[[ип](?:,[^\]]*)?\]")
_PLACEHOLDER = re.compile(r"\{([\w]+)\}")
BLANK = "______"  # what an operator sees where the program knows no value


class Script(msgspec.Struct, frozen=True):
    """One approved answer.

    ``themes`` are the codes it answers (empty: it serves every talk); ``ask`` what to find out first; ``say`` plain
    phrases, one thought each, with {placeholders}; ``next`` when to hand over; ``basis`` the law or source;
    ``basis_found`` whether all of it was found in a source and none written from memory; ``valid_until`` the date of
    review or None; ``language`` ru or kk.
    """

    id: str
    title: str
    themes: tuple[str, ...] = ()
    ask: tuple[str, ...] = ()
    say: tuple[str, ...] = ()
    next: str = ""
    basis: str = ""
    basis_found: bool = False
    valid_until: date | None = None
    language: str = "ru"

    @property
    def conversation(self) -> bool:
        """Whether it is about the talk itself (greeting, hold, farewell), not about a theme."""
        return self.id.startswith("R-")

    @property
    def placeholders(self) -> tuple[str, ...]:
        """Names of the values that its phrases want."""
        return tuple(dict.fromkeys(_PLACEHOLDER.findall("\n".join(self.say))))

    def expired(self, today: date) -> bool:
        """Whether its text is past its date and must be reviewed before it is read out."""
        return self.valid_until is not None and self.valid_until < today


def fill(script: Script, values: Mapping[str, str]) -> tuple[str, ...]:
    """The phrases with their values; a value that is missing or empty stays a blank to be said by the operator."""
    return tuple(_PLACEHOLDER.sub(lambda found: values.get(found[1]) or BLANK, phrase) for phrase in script.say)


def parse_scripts(text: str) -> list[Script]:
    """All scripts in their order, the Kazakh versions last. ValueError with the line for a text that is no script."""
    scripts: list[Script] = []
    russian: dict[str, Script] = {}
    for number, heading, body in _blocks(text):
        found = _HEADING.fullmatch(heading)
        if not found:
            raise ValueError(f"line {number}: not a script's heading: {heading}")
        identity, language, title = found[1], found[2] or "ru", found[3].strip()
        if language == "ru":
            if identity in russian:
                raise ValueError(f"line {number}: script {identity} is there twice")
            script = russian[identity] = _russian(identity, title, body, number)
        else:
            if identity not in russian:
                raise ValueError(f"line {number}: no Russian script {identity}")
            say = tuple(line[2:].strip() for line in body if line.startswith("- "))
            script = msgspec.structs.replace(russian[identity], title=title, say=say, language=language)
        if not script.say:
            raise ValueError(f"line {number}: script {identity} has nothing to say")
        scripts.append(script)
    return scripts


def script_of(row: Mapping[str, str]) -> Script:
    """The script of a row of the reference list ``answers``."""
    return Script(
        id=row["id"],
        title=row["title"],
        themes=tuple(row.get("themes", "").split()),
        ask=_parts(row.get("ask", "")),
        say=_parts(row["say"]),
        next=row.get("next", ""),
        basis=row.get("basis", ""),
        basis_found=row.get("found") == "1",
        valid_until=date.fromisoformat(row["until"]) if row.get("until") else None,
        language=row["language"],
    )


def row_of(script: Script) -> dict[str, str]:
    """The same the other way."""
    return {
        "id": script.id,
        "language": script.language,
        "title": script.title,
        "themes": " ".join(script.themes),
        "ask": "|".join(script.ask),
        "say": "|".join(script.say),
        "next": script.next,
        "basis": script.basis,
        "found": "1" if script.basis_found else "0",
        "until": script.valid_until.isoformat() if script.valid_until else "",
    }


def _parts(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (part.strip() for part in text.split("|"))))


def _blocks(text: str) -> Iterator[tuple[int, str, list[str]]]:
    """(line number, heading, lines) of each script; titles of parts and remarks between them are left out."""
    heading, start, body = "", 0, list[str]()
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith(("#", "---")):
            if heading:
                yield start, heading, body
            heading, start, body = (line, number, []) if line.startswith("## ") else ("", 0, [])
        elif heading and line.strip():
            body.append(line.rstrip())
    if heading:
        yield start, heading, body


def _russian(identity: str, title: str, body: list[str], number: int) -> Script:
    parts: dict[str, str] = {}
    say: list[str] = []
    for line in body:
        label, colon, rest = line.partition(":")
        if line.startswith("- "):
            say.append(line[2:].strip())
        elif colon and (label := label.partition(" (")[0]) in _LABELS:  # «спросить (исходящий звонок)»
            parts[label] = rest.strip()
        else:
            raise ValueError(f"line {number}: script {identity}: not understood: {line}")
    basis = parts.get("основание", "")
    until = parts.get("годен до", "")
    return Script(
        id=identity,
        title=title,
        themes=tuple(_THEME.findall(parts.get("темы", ""))),
        ask=tuple(filter(None, (question.strip() for question in parts.get("спросить", "").split(";")))),
        say=tuple(say),
        next=parts.get("дальше", ""),
        basis=_MARKS.sub("", basis),
        basis_found="[и" in basis and "[п" not in basis,
        valid_until=date.fromisoformat(until) if until else None,
    )
