"""Words for what the screen shows: keys, lights, calls, dates. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from operator_tui.appeals.card import FIELD_TITLES, STATUS_TITLES, Card, Status, full_name
from operator_tui.appeals.catalogue import Catalogue
from operator_tui.appeals.correction import correction_of
from operator_tui.appeals.deadlines import local_date
from operator_tui.appeals.hlc import stamp_ms
from operator_tui.appeals.lifecycle import Act
from operator_tui.appeals.nearest import nearest_days, nearest_ms
from operator_tui.appeals.organisations import is_stub
from operator_tui.appeals.owed import OWED_TITLES, owed_of
from operator_tui.appeals.papers import REPLY_TITLES, ReplyKind
from operator_tui.appeals.people import short_name
from operator_tui.appeals.promises import ANSWERED, promise_of
from operator_tui.desk.line_words import is_poor
from operator_tui.desk.state import Light, Lights
from operator_tui.i18n import mark, tr
from operator_tui.journal.happened import Happened
from operator_tui.phone.line import Call, CallState, Direction, EndedBy, Quality, QueueState
from screens.call_words import call_fact

_PHONE = {
    Light.STARTING: mark("…"),
    Light.ON: mark("на связи"),
    Light.AWAY: mark("НЕТ СВЯЗИ"),
    Light.TROUBLE: mark("ОТКАЗ"),
    Light.OFF: mark("выключен"),
}
_SERVER = {**_PHONE, Light.AWAY: mark("НЕДОСТУПЕН"), Light.TROUBLE: mark("ОТКАЗ")}
_STATES = {
    CallState.DIALING: mark("НАБОР"),
    CallState.RINGING: mark("ВХОДЯЩИЙ ВЫЗОВ"),
    CallState.EARLY: mark("ВЫЗОВ"),
    CallState.TALKING: mark("РАЗГОВОР"),
    CallState.HELD: mark("НА УДЕРЖАНИИ"),
    CallState.REMOTE_HELD: mark("СОБЕСЕДНИК УДЕРЖИВАЕТ"),
    CallState.ENDED: mark("ЗАВЕРШЁН"),
}


_ACTS = {
    Act.CLOSE: mark("Закрыть обращение"),
    Act.WITHDRAW: mark("Отозвать из рассмотрения"),
    Act.FORWARD: mark("Перевести"),
    Act.TAKE: mark("Взять"),
    Act.RESUME: mark("В работу"),
    Act.APPROVE: mark("Утвердить"),
    Act.RETURN: mark("Вернуть с замечанием"),
    Act.REOPEN: mark("Открыть снова"),
    Act.REASSIGN: mark("Передать другому"),
    Act.VOID: mark("Аннулировать"),
    Act.DEFER: mark("Отсроченный ответ"),
    Act.PROMISE: mark("Изменить обещание"),
    Act.TELL: mark("Сообщено заявителю"),
    Act.SEND: mark("Передать в другую организацию"),
    Act.ASK_CORRECTION: mark("Просить исправить"),
}


def act_word(act: str) -> str:
    """A move of the life-cycle in a word; one this release does not know as it came."""
    return tr(_ACTS[Act(act)]) if act in set(Act) else act


def key_name(key: str) -> str:
    """``f5`` -> ``F5``, ``ctrl+s`` -> ``^S``: as operators read it."""
    if key.startswith("ctrl+"):
        return "^" + {"underscore": "_"}.get(key[5:], key[5:].upper())
    return {"enter": "Enter", "escape": "Esc", "insert": "Ins", "space": tr("Пробел")}.get(key, key.upper())


def light_words(part: str, light: Light) -> str:
    """A part's light as a word; trouble is in capitals, so that it is seen without colour."""
    return (_PHONE if part == "phone" else _SERVER)[light]


def registry_word(lights: Lights) -> str:
    """The age of the registry, or what is wrong with it."""
    match lights.registry:
        case Light.ON:
            return tr("на {day}").format(day=lights.registry_day)
        case Light.STARTING:
            return tr("открывается")
        case _:
            return tr("НЕТ")


def queue_words(queue: QueueState, now_ms: int) -> str:
    """Who waits on the hot line and for how long at most; empty while nobody does or nobody tells."""
    if not queue.waiting:
        return ""
    waited = max(0, now_ms - (queue.longest_since_ms or now_ms)) // 1000
    return tr("Очередь: {count}, ждут {time}").format(count=queue.waiting, time=duration(waited))


def phone_words(number: str) -> str:
    """A number in groups, as it is read out: ``+7 8652 00-12-34`` where it is a Russian one, else as it came."""
    digits = number.removeprefix("+7")
    if number.startswith("+7") and len(digits) == 10 and digits.isdigit():
        return f"+7 {digits[:4]} {digits[4:6]}-{digits[6:8]}-{digits[8:]}"
    return number


def duration(seconds: int) -> str:
    """``m:ss``."""
    return f"{seconds // 60}:{seconds % 60:02d}"


_PAUSED = mark("ЗАПИСЬ ПРИОСТАНОВЛЕНА")
_RECORDING = {"on": mark("ЗАПИСЬ"), "pbx": mark("ЗАПИСЬ НА АТС")}
_INNER_DIGITS = 5  # an extension has no more; a number of the town has
_GOOD_MOS = 4.0  # from there on users are satisfied (ITU-T G.107, annex B)
_LONG_HOLD_S = (60, 30)  # after so long the one who waits is to be told something


def call_text(call: Call, now_ms: int, others: Sequence[Call] = (), heard: Quality | None = None) -> str:
    """The call in one line: number on top, then the state and its time (K-5.1.1.2); behind it who else is there.

    What has to be acted on comes first: another one who rings here, then a microphone that is off, then a poor line
    (by ``heard``, the last report of it).
    """
    ringing = [other for other in others if other.rings_here]
    since = call.held_ms if call.state is CallState.HELD and call.held_ms else (call.answered_ms or call.started_ms)
    direction = "→ " if call.direction is Direction.OUTGOING else ""
    waits = [other for other in others if other.held]
    # A number has no name beside it where another's line is wanted, unless it is a colleague's.
    named = call.name and call.name != call.number and not ringing and (not waits or len(call.number) <= _INNER_DIGITS)
    name = f" {call.name}" if named else ""
    seconds = max(0, (now_ms - since) // 1000)
    text = f"{direction}{number_word(call)}{name}  {state_word(call)} {duration(seconds)}"
    if call.state is CallState.HELD and (long := next((limit for limit in _LONG_HOLD_S if seconds >= limit), 0)):
        text += " " + tr("ЖДЁТ ДОЛЬШЕ {seconds} с").format(seconds=long)
    words = [f"{number_word(other)} {state_word(other)}" for other in ringing]
    if call.muted:
        words.append(tr("МИКРОФОН ВЫКЛ.") if waits else tr("МИКРОФОН ВЫКЛЮЧЕН"))
    of_this = heard if heard is not None and heard.call == call.id and call.state is not CallState.HELD else None
    if of_this is not None and is_poor(of_this):
        words.append(tr("СЛЫШНО ПЛОХО, потери {loss} %").format(loss=round(of_this.loss)))
    words += [_behind(other, now_ms) for other in others if not other.rings_here]
    if call.recording and (call.answered_ms is not None or call.recording != "pbx"):
        words.append(tr(_RECORDING.get(call.recording, _PAUSED)))
    if call.queued_ms is not None:
        waited = max(0, (call.answered_ms or now_ms) - call.queued_ms) // 1000
        words.append(tr("в очереди {time}").format(time=duration(waited)))
    if of_this is not None and not is_poor(of_this):
        words.append(tr("слышно хорошо") if of_this.mos >= _GOOD_MOS else tr("слышно терпимо"))
    return " · ".join((text, *words))


def _behind(call: Call, now_ms: int) -> str:
    """One who is there beside the call in front; for how long he has been waiting is never cut."""
    if not call.held:
        return f"{number_word(call)} {state_word(call)}"
    since = call.held_ms or call.answered_ms or call.started_ms
    return f"{state_word(call)} {duration(max(0, now_ms - since) // 1000)} {number_word(call)}"


def number_word(call: Call) -> str:
    """Whose call it is, by the number."""
    return phone_words(call.number) or tr("номер скрыт")


def state_word(call: Call) -> str:
    """Where the call is; one that we have dialled rings at the other end."""
    dialled = call.direction is Direction.OUTGOING and call.state is CallState.RINGING
    return tr(_STATES[CallState.EARLY if dialled else call.state])


def local_time(instant_ms: int, zone: str, pattern: str = "%d.%m %H:%M") -> str:
    """An instant in the office's zone."""
    return datetime.fromtimestamp(instant_ms / 1000, tz=UTC).astimezone(ZoneInfo(zone)).strftime(pattern)


def call_line(call: Call, day: str = "") -> str:
    """A call that is over in one line: the ``day`` where it is to be told, which way, with whom, what came of it."""
    way = tr("исходящий") if call.direction is Direction.OUTGOING else tr("входящий")
    if call.answered_ms is not None:
        seconds = ((call.ended_ms or call.answered_ms) - call.answered_ms) // 1000
        result = tr("разговор {time}").format(time=f"{seconds // 60}:{seconds % 60:02d}")
        if call.transferred_to:
            result += ", " + tr("переведён на {number}").format(number=call.transferred_to)
    elif call.direction is Direction.OUTGOING:
        result = tr("не соединили")
    else:
        result = tr("отклонён") if call.ended_by is EndedBy.HERE else tr("не ответили")
    return " · ".join(filter(None, (day, way, call.number or tr("номер скрыт"), call.name, result)))


def day(iso: str) -> str:
    """``2026-11-21`` -> ``21.11.2026``; anything else as it is."""
    try:
        return date.fromisoformat(iso).strftime("%d.%m.%Y")
    except ValueError:
        return iso


def review_cells(card: Card, catalogue: Catalogue, names: Mapping[int, str], zone: str) -> tuple[str, ...]:
    """A row of the review: number, who closed it (by name where it is known), result, term (the nearest, by which the
    queue goes, or the one that is asked for), what it is about."""
    theme = catalogue.themes.get(str(card.value("theme")))
    until = card.value("new_date") if card.review == "extension" else _nearest_day(card, catalogue, zone)
    return (
        str(card.value("number")),
        person_word(card.value("closed_by"), names),
        str(card.value("result")),
        day(str(until))[:5] if until else "",
        f"{theme.title if theme else ''} · {card.value('comment')}".replace("\n", " "),
    )


def _nearest_day(card: Card, catalogue: Catalogue, zone: str) -> str:
    """The local date (ISO) by which something is due; where nothing waits any more, the term there was."""
    due_ms = nearest_ms(card, catalogue, zone)
    return card.deadline if due_ms is None else local_date(due_ms, zone).isoformat()


def person_word(user: Any, names: Mapping[int, str]) -> str:
    """``Крюкова Е. П.`` where the name is known, else ``№ 7``."""
    return short_name(names[user]) if user in names else f"№ {user}"


_IN_FULL = (
    "text", "language", "comment", "measures", "organisation", "sum", "letter", "expert_act", "remark", "reason",
)  # fmt: skip


def appeal_text(card: Card, catalogue: Catalogue, zone: str) -> str:
    """An appeal in full, one line for each thing that is known."""
    theme = catalogue.themes.get(str(card.value("theme")))
    result = catalogue.results.get(str(card.value("result")))
    lines = [
        f"{card.value('number')} · {local_time(stamp_ms(card.created), zone)} · {tr(STATUS_TITLES[card.status])}",
        " · ".join(filter(None, (full_name(card.fields), phone_words(str(card.value("phone")))))),
        f"{tr('Номер в реестре фонда')}: {card.value('register')}" if card.value("register") else "",
        _caller_cell(card, catalogue) if is_stub(card) else "",
        f"{theme.type.value}: {theme.title}" if theme else "",
        f"{tr('Результат обращения')}: {result.title}" if result else "",
    ]
    if card.review == "extension":
        dates = {"old": day(card.deadline), "new": day(str(card.value("new_date")))}
        lines.append(tr("Просят продлить срок с {old} до {new}").format(**dates))
    elif card.deadline:
        lines.append(f"{tr('Срок')}: {day(card.deadline)}")
    if (asked := correction_of(card)) is not None:
        words = tr("Просят исправить поле «{field}»: было «{old}», стало «{new}». Причина: {reason}")
        title = tr(FIELD_TITLES.get(asked.field, asked.field))
        lines.append(words.format(field=title, old=asked.old, new=asked.new, reason=asked.reason))
    if owed := owed_of(card):
        lines.append(f"{tr('Сообщить заявителю')}: {', '.join(tr(OWED_TITLES[one]) for one in owed)}")
    if card.value("insured_name"):
        kin = f" ({card.value('representative')})" if card.value("representative") else ""
        lines.append(f"{tr('Застрахованное лицо')}: {card.value('insured_name')}{kin}")
    lines += [f"{tr(FIELD_TITLES[field])}: {card.value(field)}" for field in _IN_FULL if card.value(field)]
    return "\n".join(line for line in lines if line)


# Days before the term when an appeal asks for attention, with the sign in front of its row.
_URGENT = ((0, "!"), (1, "1"), (3, "3"))


def days_word(card: Card, catalogue: Catalogue, now_ms: int, zone: str) -> str:
    """Days to the nearest of what is due for an open appeal: ``12 дн``, ``-2 дн``, on the last day ``сег.``; empty
    where nothing waits."""
    left = nearest_days(card, catalogue, now_ms, zone)
    if left is None:
        return ""
    return tr("{days} дн").format(days=left) if left else tr("сег.")


def urgency(card: Card, catalogue: Catalogue, now_ms: int, zone: str) -> str:
    """``!`` on the last day and after it, ``1`` and ``3`` when that many days are left, else a blank.

    Of what is due the nearest counts, by which the lists go too. Who has closed an appeal has done his part: while it
    is looked at, only a term that has passed asks for attention.
    """
    left = nearest_days(card, catalogue, now_ms, zone)
    if left is None or (card.status is Status.IN_REVIEW and left >= 0):
        return " "
    return next((sign for days, sign in _URGENT if left <= days), " ")


def calls_in_week(cards: Iterable[Card], now_ms: int) -> int:
    """Which call of these seven days this is, by the earlier appeals: 3 is the third."""
    return 1 + sum(1 for card in cards if now_ms - stamp_ms(card.created) <= 7 * 86_400_000)


def happened_cells(entry: Happened, zone: str, names: Mapping[int, str] | None = None) -> tuple[str, str, str]:
    """A row of an appeal's time line: when, who (by name where ``names`` knows him), what."""
    call = call_fact(entry.kind, entry.values, phone_words(str(entry.values.get("number") or "")))
    what = call or (act_word(entry.act) if entry.act else tr(_KINDS.get(entry.kind, entry.kind)))
    if entry.status in set(Status):
        what += f" → {tr(STATUS_TITLES[Status(entry.status)])}"
    shown = {**entry.values, **entry.rival}
    said = [f"{tr(FIELD_TITLES[key])}: {value}" for key, value in shown.items() if key in _TOLD and value]
    said += _papers(shown)
    if entry.pending:
        what += f" ({tr('не отправлено')})"
    if entry.refused is not None:
        what += f" ({tr('не принято')})"
    who = person_word(entry.by, names or {})
    return (local_time(entry.at_ms, zone), who, " · ".join([what, *said]).replace("\n", " "))


def _papers(values: Mapping[str, Any]) -> list[str]:
    """Files, answers and tries that were added, in words."""
    words = []
    for file in values.get("files") or ():
        words.append(tr("файл {name} № {number}").format(name=file.get("name"), number=file.get("number")))
    for reply in values.get("replies") or ():
        title = tr(REPLY_TITLES[ReplyKind(reply["kind"])]) if reply.get("kind") in set(ReplyKind) else ""
        words.append(tr("ответ {title} исх. № {number}").format(title=title, number=reply.get("number")))
    for one in values.get("detached") or ():
        words.append(tr("откреплён {name}, ЕНП {enp}").format(name=one.get("name"), enp=one.get("enp")))
    for attempt in values.get("attempts") or ():
        reached = attempt.get("outcome") == ANSWERED
        words.append(tr("дозвонились") if reached else tr("не дозвонились"))
    return words


_KINDS = {
    "card.new": mark("Зарегистрировано"),
    "card.set": mark("Изменено"),
    "card.move": mark("Перемещено"),
    "card.now": mark("Сведения другой организации"),
}
_TOLD = (
    "surname", "insured_name", "enp", "phone", "result", "comment", "measures", "organisation", "sum", "letter",
    "new_date", "remark", "reason",
)  # fmt: skip


def _caller_cell(card: Card, catalogue: Catalogue) -> str:
    """Who called; of an appeal that another organisation works on, which."""
    if is_stub(card):
        code = card.stream.partition("/")[2].removeprefix("smo-")
        short = catalogue.reference.all("organisations").get(code, {}).get("short", card.stream)
        return tr("Передано: {name}").format(name=short)
    return full_name(card.fields) or phone_words(str(card.value("phone"))) or tr("без имени")


def _promise_cell(card: Card, zone: str) -> str:
    """What a promise that was noted without a theme is about."""
    promise = promise_of(card)
    if promise is None:
        return ""
    when = tr("до {when}").format(when=local_time(promise.due_ms, zone)) if promise.due_ms else ""
    return " ".join(filter(None, (tr("перезвонить"), when, promise.ask)))


def appeal_cells(card: Card, catalogue: Catalogue, zone: str, now_ms: int = 0) -> tuple[str, ...]:
    """A row of the journal: number, registered, caller, theme, status, days left (without ``now_ms`` the date)."""
    theme = catalogue.themes.get(str(card.value("theme")))
    return (
        str(card.value("number")),
        local_time(stamp_ms(card.created), zone),
        _caller_cell(card, catalogue),
        (theme.title if theme else str(card.value("type"))) or _promise_cell(card, zone),
        tr(STATUS_TITLES[card.status]),
        days_word(card, catalogue, now_ms, zone) if now_ms else (day(card.deadline)[:5] if card.deadline else ""),
    )
