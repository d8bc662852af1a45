"""Who gets a call of the hot line (K-2.4, K-2.5): the administration's queues, and whom of level 1 each asks. Pure.

A queue is a row of the list ``queues``; who speaks what and knows which themes stands in the list ``directory``. What
comes out is written for the PBX by central/routing.py.
"""

from __future__ import annotations

import re

import msgspec

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.people import Role
from operator_tui.appeals.reference import Reference, Row
from operator_tui.appeals.words import mark

LEVEL_1 = frozenset({Role.OPERATOR_1, Role.INSURER_1})
# What a caller may choose, by its digit in the greeting.
LANGUAGES = {"1": "ru", "2": "kk"}
# Where nothing is said of a person or a caller: the language of the greeting.
USUAL = "ru"
# The order in which equals are asked, by the PBX's names: in turns, who has been idle longest, who has had the fewest
# calls, by chance, all at once.
ORDERS = ("rrmemory", "leastrecent", "fewestcalls", "random", "ringall")
LANGUAGE_WORDS = {"ru": mark("русский"), "kk": mark("казахский"), "en": mark("английский")}
# Which calls the PBX takes: by its hours and the working calendar, always, never.
NIGHT_MODES = ("clock", "day", "night")
_CODE = re.compile(r"[a-z][a-z0-9-]{0,31}")
_EXTENSION = re.compile(r"\d{2,10}")

# Whom a queue asks first: penalties of the PBX, the lowest first.
FITS, OTHER_THEME, OTHER_LANGUAGE = 1, 2, 3


# Where the talks of a person of the directory are recorded: at his desk (the usual), or at the PBX, where his office's
# line is too slow to send them.
RECORDED = ("desk", "pbx")


class CallQueue(msgspec.Struct, frozen=True):
    """One queue. ``language`` and ``theme`` (a group of level 2) empty: anybody's; ``key`` the digit by which a caller
    chooses its theme, ``number`` the one he dials to come straight into it; ``widen_s`` after how many seconds of
    waiting those are asked too who do not know the theme (and after twice as many who do not speak the language), 0:
    never; callers of a queue with a greater ``weight`` are served first by those who are in several."""

    code: str
    title: str
    language: str = ""
    theme: str = ""
    key: str = ""
    number: str = ""
    order: str = ORDERS[0]
    weight: int = 0
    widen_s: int = 0

    @property
    def picks(self) -> bool:
        """Whether not everybody of level 1 fits."""
        return bool(self.language or self.theme)


class Member(msgspec.Struct, frozen=True):
    """Who is asked; ``penalty`` is FITS, OTHER_THEME or OTHER_LANGUAGE."""

    extension: str
    penalty: int


def queues_of(reference: Reference) -> tuple[CallQueue, ...]:
    """The queues that are open, in the order of the list; rows that no PBX could take are left out."""
    return tuple(
        CallQueue(
            row["code"],
            row["title"],
            row.get("language", ""),
            row.get("theme", ""),
            row.get("key", ""),
            row.get("number", ""),
            row.get("order") or ORDERS[0],
            int(row.get("weight") or 0),
            int(row.get("widen_s") or 0),
        )
        for row in reference.open("queues").values()
        if _CODE.fullmatch(row["code"])
    )


def members_of(queue: CallQueue, reference: Reference) -> tuple[Member, ...]:
    """Level 1 of the directory as this queue asks it, by extension. Everybody is in it, so that a rule that widens
    finds him."""
    found = [
        Member(row["extension"], _penalty(queue, row))
        for row in reference.open("directory").values()
        if row["role"] in LEVEL_1 and _EXTENSION.fullmatch(row["extension"])
    ]
    return tuple(sorted(found, key=lambda member: (len(member.extension), member.extension)))


def languages_of(row: Row) -> tuple[str, ...]:
    """What a person of the directory speaks; the usual language where nothing is said."""
    return tuple(row.get("languages", "").split()) or (USUAL,)


def recorded_at_pbx(reference: Reference) -> tuple[str, ...]:
    """The extensions whose talks the PBX records."""
    rows = reference.open("directory").values()
    found = (row["extension"] for row in rows if row.get("record") == "pbx")
    return tuple(sorted(extension for extension in found if _EXTENSION.fullmatch(extension)))


def _penalty(queue: CallQueue, row: Row) -> int:
    if queue.language and queue.language not in languages_of(row):
        return OTHER_LANGUAGE
    if queue.theme and queue.theme not in row.get("themes", "").split():
        return OTHER_THEME
    return FITS


def bars(queue: CallQueue) -> tuple[tuple[int, int], ...]:
    """From which second of waiting up to which penalty people are asked, in order; empty where everybody is at once."""
    if not queue.picks:
        return ()
    first = ((0, FITS),)
    if not queue.widen_s:
        return first
    return (*first, (queue.widen_s, OTHER_THEME), (2 * queue.widen_s, OTHER_LANGUAGE))


def chosen(queues: tuple[CallQueue, ...], language: str, key: str) -> CallQueue | None:
    """The queue of a caller by what he chose (``key`` empty: nothing): his language goes before his theme; None only
    where there is no queue."""

    def fit(queue: CallQueue) -> tuple[bool, bool, bool, bool]:
        return (
            queue.language in ("", language),
            queue.key in ("", key),
            queue.language == language,
            queue.key == key,
        )

    offered = [queue for queue in queues if not queue.number] or list(queues)
    return max(offered, key=fit, default=None)


def demand_queues(after: Reference, code: str, key: str, number: str) -> None:
    """Refusal(FIELD_INVALID, field) with one of these titles where the list can not be a PBX's;
    Refusal(QUEUE_NEEDED) without a queue for whoever chooses nothing."""
    rows = after.open("queues").values()
    if any(not _CODE.fullmatch(row["code"]) for row in rows):
        raise Refusal(Code.FIELD_INVALID, field=code)
    queues = queues_of(after)
    ways = [(queue.language, queue.key) for queue in queues if not queue.number]
    if len(set(ways)) < len(ways) or any(queue.key not in ("", *"123456789") for queue in queues):
        raise Refusal(Code.FIELD_INVALID, field=key)
    numbers = [queue.number for queue in queues if queue.number]
    if len(set(numbers)) < len(numbers):
        raise Refusal(Code.FIELD_INVALID, field=number)
    if not any(not queue.key and not queue.number and queue.language in ("", USUAL) for queue in queues):
        raise Refusal(Code.QUEUE_NEEDED)
