"""Words for what the operator does between calls, what comes next, and what everybody must know. Pure."""

from __future__ import annotations

from operator_tui.appeals.presence import State
from operator_tui.desk.state import DeskState, Light
from operator_tui.i18n import tr
from screens.words import duration, number_word, phone_words, state_word


def quiet_words(state: DeskState, kind: str) -> str:
    """What the desk does while nobody is on the line, without its time: for a screen that does not count."""
    if state.presence.state is State.WRAP_UP:
        return tr("Постобработка")
    if state.presence.state is State.BREAK:
        return f"{tr('Перерыв')}: {kind}".removesuffix(": ")
    return tr("Линия свободна") if state.lights.phone is Light.ON else tr("Линия выключена")


def quiet_line(state: DeskState, now_ms: int, kind: str) -> str:
    """The softphone's block while nobody is on the line: wrap-up and break with their time; ``kind`` is the break's."""
    words, presence = quiet_words(state, kind), state.presence
    if presence.state not in (State.WRAP_UP, State.BREAK):
        return words
    words += f" {duration(_seconds(now_ms - presence.since_ms))}"
    if state.limit_ms is not None:
        words += " " + tr("из {limit}").format(limit=duration(_seconds(state.limit_ms - presence.since_ms)))
        if now_ms > state.limit_ms:
            words += " " + tr("ДОЛЬШЕ НА {time}").format(time=duration(_seconds(now_ms - state.limit_ms)))
    return words


def taken_by_itself(number: str, queue: str, language: str, left_ms: int) -> str:
    """The ringing call that will be answered without a key: from which queue it comes and in which language."""
    where = ", ".join(filter(None, (queue, language)))
    words = tr("{number} ВХОДЯЩИЙ: {where} · сам ответит через {seconds} с")
    return words.format(number=number or tr("номер скрыт"), where=where, seconds=_seconds(left_ms + 999))


def ring_words(state: DeskState) -> str:
    """Who rings here, in a few words; empty while nobody does."""
    ringing = next((call for call in state.calls if call.rings_here), None)
    return f"{phone_words(ringing.number) or tr('номер скрыт')}  {tr('ВХОДЯЩИЙ ВЫЗОВ')}" if ringing is not None else ""


def call_words(state: DeskState) -> str:
    """Who is on the line and how, in a few words and without its time; empty while nobody is."""
    return "" if state.call is None else f"{number_word(state.call)}  {state_word(state.call)}"


def behind_call(state: DeskState, following: str) -> str:
    """What stands behind the call: what comes after it, if that was chosen."""
    return " · " + tr("затем {what}").format(what=following) if state.next_state else ""


def standing_marks(state: DeskState, now_ms: int) -> str:
    """What stays in the header: overtime, an alarm, unfinished cards (^Y opens them), reports that wait."""
    words = []
    if state.overtime_ms is not None and now_ms > state.overtime_ms:
        words.append(tr("СВЕРХУРОЧНО"))
    if state.alarm:
        words.append(tr("ТРЕВОГА"))
    if state.unfinished:
        words.append(tr("Черновиков: {count}").format(count=state.unfinished))
    if state.reports:
        words.append(tr("Донесений: {count}").format(count=state.reports))
    return "".join(f" {word}" for word in words)


def _seconds(ms: int) -> int:
    return max(0, ms // 1000)
