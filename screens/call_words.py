"""What each fact of a call says in the time line of an appeal, in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from operator_tui.appeals.operations import Kind
from operator_tui.i18n import mark, tr
from operator_tui.journal.happened import TALK

_TITLES = {
    Kind.CALL_OFFERED: mark("Звонок поступил"),
    Kind.CALL_RINGING: mark("Звонок на рабочем месте"),
    Kind.CALL_ANSWERED: mark("Разговор начат"),
    Kind.CALL_HELD: mark("Удержание"),
    Kind.CALL_RESUMED: mark("Разговор продолжен"),
    Kind.CALL_TRANSFERRED: mark("Звонок переведён"),
    Kind.CALL_MOVED: mark("Разговор перенесён на другой телефон"),
    Kind.CALL_ENDED: mark("Звонок завершён"),
    Kind.CALL_ABANDONED: mark("Не дождались ответа"),
    Kind.CALL_RECORDED: mark("Разговор записан"),
    Kind.CALL_RECORD_PAUSED: mark("Запись приостановлена"),
    Kind.CALL_RECORD_RESUMED: mark("Запись продолжена"),
    Kind.CALL_THREAT: mark("Отмечена угроза"),
}
_ENDED_BY = {
    "caller": mark("положил трубку собеседник"),
    "operator": mark("положил трубку оператор"),
    "network": mark("связь прервалась"),
    "transfer": mark("переведён"),
}


def call_fact(kind: str, x: Mapping[str, Any], number: str = "") -> str:
    """One fact of a call by what its operation holds (desk/calls.py makes them): its name, how long and by whom; empty
    for what is none. Of the centre's word about a talk the same. ``number``: that of ``x``, as it is read."""
    title = next((words for known, words in _TITLES.items() if known == kind), "")
    if kind == TALK:
        return _talk(x)
    if not title:
        return ""
    said = [tr("Исходящий звонок") if x.get("out") else tr(title), number]
    if kind in (Kind.CALL_TRANSFERRED, Kind.CALL_MOVED) and x.get("to"):
        said.append(tr("на {number}").format(number=x["to"]))
    if wait := _length(x.get("wait_ms")):
        said.append(tr("ожидание {length}").format(length=wait))
    if kind == Kind.CALL_ENDED:
        talk = _length(x.get("talk_ms"))
        said.append(tr("разговор {length}").format(length=talk) if talk else tr("без разговора"))
        if (by := _ENDED_BY.get(str(x.get("by")))) is not None:
            said.append(tr(by))
    return ", ".join(filter(None, said))


def _talk(x: Mapping[str, Any]) -> str:
    """A talk in one line: which way, how long, who ended it, whether there is a recording."""
    said = [
        tr("Разговор по исходящему звонку") if x.get("out") else tr("Разговор по входящему звонку"),
        _length(x.get("ms")) if x.get("ms") else "",
        tr(ended) if (ended := _ENDED_BY.get(str(x.get("ended")))) is not None else "",
        tr("есть запись") if x.get("recorded") else tr("без записи"),
    ]
    return ", ".join(filter(None, said))


def _length(ms: object) -> str:
    """``3 мин 20 с``; empty where none is told."""
    if not isinstance(ms, int) or ms < 0:
        return ""
    minutes, seconds = divmod(ms // 1000, 60)
    if not minutes:
        return tr("{seconds} с").format(seconds=seconds)
    return tr("{minutes} мин {seconds} с").format(minutes=minutes, seconds=seconds)
