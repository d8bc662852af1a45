"""What everybody has to know at once: the administrator's alarm for every desk, and reports to the administrator. Pure.

Both go to all desks of the organisation beside its cards; reports are shown to administrators alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, TypeVar

import msgspec

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.words import mark

LONGEST = 500  # characters of what was typed
_KEPT_REPORTS = 100
_Shape = TypeVar("_Shape", "Alarm", "Report")


class Danger(StrEnum):
    """What is the matter; ``NONE`` takes the alarm back."""

    NONE = "none"
    PBX = "pbx"
    SERVER = "server"
    OVERLOAD = "overload"
    EVACUATION = "evacuation"


DANGER_TITLES = {
    Danger.NONE: mark("Отбой тревоги"),
    Danger.PBX: mark("Нет телефонии"),
    Danger.SERVER: mark("Нет сервера"),
    Danger.OVERLOAD: mark("Перегрузка"),
    Danger.EVACUATION: mark("ЭВАКУАЦИЯ"),
}
# What an operator is to do.
WHAT_TO_DO = {
    Danger.PBX: mark("звоните с запасного телефона, номера пишите в карты"),
    Danger.SERVER: mark("работайте как обычно, всё сохранится здесь и уйдёт само"),
    Danger.OVERLOAD: mark("говорите короче, обещайте перезвонить; перерывы позже"),
    Danger.EVACUATION: mark("попрощайтесь и выходите, введённое останется черновиком"),
}


class Alarm(msgspec.Struct, frozen=True):
    """``text`` is the administrator's own word besides; ``since_ms`` UTC milliseconds."""

    kind: Danger = Danger.NONE
    text: str = ""
    since_ms: int = 0

    def __bool__(self) -> bool:
        return self.kind is not Danger.NONE


class Told(StrEnum):
    """What an administrator is told of."""

    HELP = "help"  # F8: an operator asks him to join
    THREAT = "threat"
    INCIDENT = "incident"
    NO_CARD = "no_card"  # a caller was answered and nobody wrote a card


TOLD_TITLES = {
    Told.HELP: mark("просит помощи"),
    Told.THREAT: mark("УГРОЗА"),
    Told.INCIDENT: mark("нештатная ситуация"),
    Told.NO_CARD: mark("звонок без карты"),
}


class Report(msgspec.Struct, frozen=True, omit_defaults=True):
    """One report; ``id`` is its author's, so that it counts once; ``by`` the user, ``extension`` his telephone,
    ``card`` the appeal's id, ``number`` the caller's."""

    id: str
    kind: Told
    text: str = ""
    call: str = ""
    number: str = ""
    card: str = ""
    extension: str = ""
    ms: int = 0
    by: int = 0


def parse_alarm(x: Mapping[str, Any]) -> Alarm:
    """Refusal(FIELD_INVALID) for what is none."""
    return _parsed({"kind": x.get("kind"), "text": x.get("text", ""), "since_ms": x.get("since_ms", 0)}, Alarm)


def parse_report(x: Mapping[str, Any], by: int = 0) -> Report:
    """Refusal(FIELD_INVALID) for what is none; ``by`` is who sent it, whatever it says itself."""
    return _parsed({**x, "by": by}, Report)


def with_report(known: Iterable[Report], one: Report) -> list[Report]:
    """The newest last, each once, the oldest gone when there are too many."""
    return [*(report for report in known if report.id != one.id), one][-_KEPT_REPORTS:]


def _parsed(x: Mapping[str, Any], shape: type[_Shape]) -> _Shape:
    try:
        made = msgspec.convert(x, shape)
    except msgspec.ValidationError:
        raise Refusal(Code.FIELD_INVALID, field="kind") from None
    if len(made.text) > LONGEST:
        raise Refusal(Code.FIELD_INVALID, field="text")
    return made
