"""The administration's rules as files of the PBX: its queues, whom each asks and when, the choice in the greeting, and
which days are not worked. Version zero of them is what deploy/asterisk ships.

Only what has been tested by a pattern goes into a file: a line of a dial plan is a program.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

from central.log import log
from operator_tui.appeals.calendar import WorkingCalendar
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.reference import Reference
from operator_tui.appeals.routing import (
    LANGUAGES,
    USUAL,
    CallQueue,
    bars,
    chosen,
    members_of,
    queues_of,
    recorded_at_pbx,
)

QUEUES, RULES, ROUTES = "oms-queues.conf", "oms-queuerules.conf", "oms-routes.conf"
_HEAD = """; Made of the lists «Очереди вызовов», «Телефонный справочник» and «Нерабочее время» by
; `operator-tui central routing`: what is changed here by hand is gone with the next change of them.
"""
_DAYS = 400  # for which days that are not worked are written down, from the first of the month on
_CHOICE_S = 4  # to press a digit in, after what was said of it
_EVERYBODY = 99  # a penalty that nobody has
_RELOAD = ("queue reload all", "dialplan reload")
_CLI_S = 20.0


def files_of(
    reference: Reference, organisation: str, calendar: WorkingCalendar | None = None, today: date | None = None
) -> dict[str, str]:
    """The files by name. ``organisation`` (``tf``) is whose hours they are; without a calendar no days are written."""
    queues = queues_of(reference)
    days = _days_off(calendar, today) if calendar is not None and today is not None else ()
    mode = reference.open("night").get(organisation, {}).get("mode", "clock")
    return {
        QUEUES: _HEAD + "".join(_queue(queue, reference) for queue in queues),
        RULES: _HEAD + "".join(_rule(queue) for queue in queues if len(bars(queue)) > 1),
        ROUTES: _HEAD + _hours(mode, days) + _choice(queues) + _ways(queues) + _numbers(queues) + _recorded(reference),
    }


def write(files: dict[str, str], folder: Path) -> list[str]:
    """Write those that differ, each whole or not at all; their names. Refusal(FILE_UNREADABLE) for the folder."""
    written = []
    try:
        for name, text in files.items():
            path = folder / name
            if path.exists() and path.read_text(encoding="utf-8") == text:
                continue
            fresh = folder / f".{name}"
            with fresh.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            fresh.chmod(0o644)  # no secret stands in them, and Asterisk is another user
            fresh.replace(path)
            written.append(name)
    except OSError as error:
        raise Refusal(Code.FILE_UNREADABLE, file=str(folder), reason=error.strerror or "") from None
    return written


def reload(command: Iterable[str] = ("asterisk", "-rx")) -> bool:
    """Let the PBX of this machine take them; False when it does not answer. The next call goes by them, those that
    wait stay in their places."""
    for act in _RELOAD:
        try:
            done = subprocess.run([*command, act], capture_output=True, timeout=_CLI_S, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return False
        if done.returncode:
            return False
    log("routing reloaded")
    return True


def _queue(queue: CallQueue, reference: Reference) -> str:
    # Nobody who may ever be asked is there: the caller leaves a message instead of waiting for nothing.
    stays = "unavailable,invalid" if not queue.picks or queue.widen_s else "unavailable,invalid,penalty"
    members = "".join(
        f"member => PJSIP/{one.extension},{one.penalty},{one.extension},PJSIP/{one.extension}\n"
        for one in members_of(queue, reference)
    )
    rule = f"defaultrule = {queue.code}\n" if len(bars(queue)) > 1 else ""
    head = f"strategy = {queue.order}\nweight = {queue.weight}\njoinempty = {stays}\n"
    return f"\n[{queue.code}](oms)\n{head}{rule}{members}"


def _rule(queue: CallQueue) -> str:
    later = "".join(f"penaltychange => {seconds},{bar}\n" for seconds, bar in bars(queue)[1:])
    return f"\n[{queue.code}]\n{later}"


def _hours(mode: str, days: Iterable[date]) -> str:
    off = "".join(f"exten => {day:%Y%m%d},1,Return(night)\n" for day in days)
    return f"\n[oms-mode]\nexten => s,1,Return({mode})\n\n[oms-days]\n{off}"


def _days_off(calendar: WorkingCalendar, today: date) -> list[date]:
    first = today.replace(day=1)
    return [day for n in range(_DAYS) if not calendar.is_working(day := first + timedelta(days=n))]


def _choice(queues: tuple[CallQueue, ...]) -> str:
    """What is asked in the greeting: only what makes a difference."""
    offered = [queue for queue in queues if not queue.number]
    languages = {queue.language for queue in offered} - {"", USUAL}
    themes = any(queue.key for queue in offered)
    lines = [f"Set(OMS_LANGUAGE={USUAL})", "Set(OMS_KEY=)"]
    if languages:
        lines.append(f"Read(OMS_DIGIT,oms/language,1,,1,{_CHOICE_S})")
        lines += [
            f'ExecIf($["${{OMS_DIGIT}}" = "{digit}"]?Set(OMS_LANGUAGE={language}))'
            for digit, language in LANGUAGES.items()
            if language in languages
        ]
        # Prompts in that language where there are any; else the usual ones.
        lines.append(
            "ExecIf($[${STAT(e,${OMS_SOUNDS}/${OMS_LANGUAGE}/oms/recorded.wav)}]?"
            "Set(CHANNEL(language)=${OMS_LANGUAGE}))"
        )
    if themes:
        lines.append(f"Read(OMS_KEY,oms/theme,1,,1,{_CHOICE_S})")
    lines += [
        # A digit that stands for nothing is as good as none.
        "ExecIf($[${DIALPLAN_EXISTS(oms-ways,${OMS_LANGUAGE}${OMS_KEY},1)} = 0]?Set(OMS_KEY=))",
        "Gosub(oms-ways,${OMS_LANGUAGE}${OMS_KEY},1)",
        "Return()",
    ]
    return "\n[oms-choice]\n" + _extension("s", lines)


def _ways(queues: tuple[CallQueue, ...]) -> str:
    keys = sorted({queue.key for queue in queues if not queue.number})
    made = ""
    for language in LANGUAGES.values():
        for key in ("", *(one for one in keys if one)):
            queue = chosen(queues, language, key)
            if queue is not None:
                made += _extension(f"{language}{key}", [*_into(queue), "Return()"])
    return "\n[oms-ways]\n" + made


def _numbers(queues: tuple[CallQueue, ...]) -> str:
    """Numbers of their own: whoever dials one has chosen."""
    made = ""
    for queue in queues:
        if queue.number:
            lines = [
                f"Set(OMS_LANGUAGE={queue.language or USUAL})",
                "Set(OMS_CHOSEN=1)",
                *_into(queue),
                "Goto(hot-line,s,1)",
            ]
            made += _extension(queue.number, lines)
    return "\n[oms-numbers]\n" + made


def _recorded(reference: Reference) -> str:
    """Whose talks the PBX records."""
    return "\n[oms-recorded]\n" + "".join(f"exten => {one},1,Return()\n" for one in recorded_at_pbx(reference))


def _into(queue: CallQueue) -> list[str]:
    bar = bars(queue)
    return [f"Set(__QUEUE={queue.code})", f"Set(QUEUE_MAX_PENALTY={bar[0][1] if bar else _EVERYBODY})"]


def _extension(name: str, lines: list[str]) -> str:
    first, *rest = lines
    return f"exten => {name},1,{first}\n" + "".join(f" same => n,{line}\n" for line in rest)
