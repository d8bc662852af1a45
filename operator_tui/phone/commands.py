"""The telephone's commands. Keys by the key card of design/desk.md; titles are the customer's words."""

from __future__ import annotations

from collections.abc import Callable

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.rights import Right
from operator_tui.commands import Command, Situation, register
from operator_tui.i18n import mark

_CONNECTED = ("talking", "held")


def _only(*states: str, otherwise: Code = Code.CALL_STATE) -> Callable[[Situation], Refusal | None]:
    """Available in those states of ``Situation.phone``."""

    def available(situation: Situation) -> Refusal | None:
        if situation.phone in states:
            return None
        if otherwise is Code.WORK_BEGUN:
            return Refusal(otherwise)
        if situation.phone == "ringing":
            return Refusal(Code.CALL_RINGS)
        # What wants a free line says why there is none.
        away = Code.PBX_AWAY if otherwise is Code.CALL_ACTIVE else otherwise
        return Refusal({"off": Code.WORK_NOT_BEGUN, "lost": away}.get(situation.phone, otherwise))

    return available


def _may_answer(situation: Situation) -> Refusal | None:
    return None if situation.waiting else _only("ringing", otherwise=Code.NO_CALL_WAITING)(situation)


def _may_call_back(situation: Situation) -> Refusal | None:
    if not situation.number:
        return Refusal(Code.NO_NUMBER)
    return _only("free", *_CONNECTED, otherwise=Code.CALL_ACTIVE)(situation)


def _with_second(situation: Situation) -> Refusal | None:
    return None if situation.other else Refusal(Code.NO_SECOND_CALL)


def _with_colleague(situation: Situation) -> Refusal | None:
    if not situation.other or situation.colleague:
        return _with_second(situation)
    return Refusal(Code.NO_COLLEAGUE)


def _may_change_state(situation: Situation) -> Refusal | None:
    if situation.presence in ("free", "wrap_up", "break", "talking"):  # in a talk it says what comes after it
        return None
    if situation.phone == "off":
        return Refusal(Code.WORK_NOT_BEGUN)
    return Refusal(Code.BREAK_RINGS if situation.presence == "ringing" else Code.PHONE_AWAY)


def _may_have_more(situation: Situation) -> Refusal | None:
    return None if situation.presence == "wrap_up" else Refusal(Code.NO_WRAP_UP)


def _may_consult(situation: Situation) -> Refusal | None:
    """Of two who are on the line already nobody could tell which is to be given to the third."""
    if situation.other:
        return Refusal(Code.TWO_ON_LINE)
    return _only(*_CONNECTED, otherwise=Code.NO_TALK)(situation)


def _may_threaten(situation: Situation) -> Refusal | None:
    return None if situation.talked else _only(*_CONNECTED, otherwise=Code.NO_TALK)(situation)


def _at_work(situation: Situation) -> Refusal | None:
    return Refusal(Code.WORK_NOT_BEGUN) if situation.phone == "off" else None


def _state_word(situation: Situation) -> str:
    return {"free": mark("Перерыв"), "talking": mark("Затем")}.get(situation.presence, mark("Готов"))


register(
    Command(
        "phone.answer",
        mark("Ответить"),
        mark("Ответить на входящий вызов; откроется карточка обращения."),
        keys=("f2",),
        footer=True,
        rank=10,
        available=_may_answer,
    ),
    Command(
        "phone.hold",
        mark("Удержать"),
        mark("Поставить разговор на удержание или вернуться к нему."),
        keys=("f3",),
        footer=True,
        rank=36,
        available=_only(*_CONNECTED, otherwise=Code.NO_TALK),
    ),
    Command(
        "phone.hang_up",
        mark("Завершить разговор"),
        mark("Положить трубку; входящий вызов, на который не ответили, — отклонить с причиной."),
        keys=("f4",),
        short=mark("Отбой"),
        footer=True,
        rank=30,
        available=_only("ringing", "dialing", *_CONNECTED, otherwise=Code.NO_TALK),
    ),
    Command(
        "phone.transfer",
        mark("Перевести"),
        mark("Перевести вызов на другого специалиста по внутреннему номеру."),
        keys=("f7",),
        footer=True,
        rank=37,
        available=_only(*_CONNECTED, otherwise=Code.NO_TALK),
    ),
    Command(
        "phone.dial",
        mark("Позвонить"),
        mark("Набрать номер: внутренний или городской; разговор, который идёт, будет удержан."),
        keys=("alt+d",),
        rank=230,
        available=_only("free", *_CONNECTED, otherwise=Code.CALL_ACTIVE),
    ),
    Command(
        "phone.call_back",
        mark("Перезвонить"),
        mark("Позвонить на номер, который стоит в карточке."),
        keys=("alt+b",),
        rank=231,
        available=_may_call_back,
    ),
    Command(
        "phone.mute",
        mark("Микрофон"),
        mark("Выключить микрофон или включить его снова; собеседник на линии."),
        keys=("alt+m",),
        rank=232,
        available=_only(*_CONNECTED, otherwise=Code.NO_TALK),
    ),
    Command(
        "phone.dtmf",
        mark("Тоновый набор"),
        mark("Передать цифры, * и # собеседнику или автоответчику."),
        keys=("alt+i",),
        rank=233,
        available=_only(*_CONNECTED, otherwise=Code.NO_TALK),
    ),
    Command(
        "phone.consult",
        mark("Посоветоваться"),
        mark("Удержать обратившегося и позвонить коллеге; затем «Соединить» или «Отбой», чтобы вернуться."),
        keys=("alt+c",),
        rank=234,
        available=_may_consult,
    ),
    Command(
        "phone.help",
        mark("Помощь администратора"),
        mark("Удержать обратившегося и позвонить администратору смены; «Соединить» передаст ему вызов и обращение."),
        keys=("shift+f8",),
        short=mark("Админ."),
        rank=75,
        available=_only(*_CONNECTED, otherwise=Code.NO_TALK),
    ),
    Command(
        "phone.join",
        mark("Соединить"),
        mark("Соединить обратившегося с коллегой, с которым вы говорите."),
        keys=("alt+j",),
        rank=31,
        footer=True,
        available=_with_colleague,
    ),
    Command(
        "phone.swap",
        mark("Другой вызов"),
        mark("Удержать этого собеседника и говорить с другим; карточка сменится вместе с вызовом."),
        keys=("alt+s",),
        rank=32,
        footer=True,
        short=mark("Другой"),
        available=_with_second,
    ),
    Command(
        "phone.directory",
        mark("Справочник"),
        mark("Телефонный справочник: найти коллегу, узнать, свободен ли он; Enter переводит вызов или звонит."),
        keys=("alt+r",),
        rank=229,
    ),
    Command(
        "phone.record_pause",
        mark("Запись"),
        mark("Приостановить запись разговора с указанием причины или продолжить её."),
        keys=("alt+v",),
        rank=235,
        available=_only(*_CONNECTED, otherwise=Code.NO_TALK),
    ),
    Command(
        "phone.begin_work",
        mark("Начало работы"),
        mark("Включить программный телефон: проверить микрофон и начать приём вызовов."),
        keys=("ctrl+b",),
        rank=200,
        available=_only("off", otherwise=Code.WORK_BEGUN),
    ),
    Command(
        "phone.check",
        mark("Проверка микрофона"),
        mark("Записать две секунды, показать громкость и дать услышать себя."),
        keys=("ctrl+d",),
        scope="journal",
        rank=201,
        available=_only("free", otherwise=Code.CALL_ACTIVE),
    ),
    Command(
        "phone.waiting",
        mark("Что ждёт"),
        mark("Показать, что ждёт вас: вернувшееся, звонки без карты, черновики, сроки и обещания на сегодня."),
        keys=("ctrl+y",),
        scope="journal",
        rank=202,
    ),
    Command(
        "phone.end_work",
        mark("Завершить"),
        mark("Завершить работу программного телефона; рабочее место остаётся открытым."),
        keys=("ctrl+e",),
        rank=210,
        available=_only("free", "lost", otherwise=Code.CALL_ACTIVE),
    ),
    Command(
        "phone.ready",
        mark("Готов / перерыв"),
        mark("После звонка: готов к вызову; в свободное время: перерыв и обратно; в разговоре: что будет после него."),
        keys=("f12",),
        footer=True,
        rank=71,
        short_now=_state_word,
        available=_may_change_state,
    ),
    Command(
        "phone.more",
        mark("Ещё 30 секунд"),
        mark("Продлить постобработку с указанием причины."),
        keys=("shift+f12",),
        short=mark("+30 с"),
        footer=True,
        rank=79,
        available=_may_have_more,
    ),
    Command(
        "phone.threat",
        mark("Угроза"),
        mark("Угроза или оскорбление: запись сохраняется, администратор узнаёт; что говорить и номер психолога."),
        keys=("shift+f6",),
        rank=236,
        available=_may_threaten,
    ),
    Command(
        "phone.louder",
        mark("Громче"),
        mark("Собеседник громче в наушниках, на четверть."),
        keys=("shift+f5",),
        rank=242,
        available=_at_work,
    ),
    Command(
        "phone.quieter",
        mark("Тише"),
        mark("Собеседник тише в наушниках, на четверть."),
        keys=("shift+f4",),
        rank=243,
        available=_at_work,
    ),
    Command(
        "phone.devices",
        mark("Устройства звука"),
        mark("Выбрать микрофон, наушники и на чём звонить; и во время разговора."),
        keys=("shift+f10",),
        rank=244,
    ),
    Command(
        "phone.bind",
        mark("Вызов к обращению"),
        mark("Этот вызов — о том же: прикрепить его к открытому обращению."),
        keys=("shift+f2",),
        rank=241,
        available=_only(*_CONNECTED, otherwise=Code.NO_TALK),
    ),
    Command(
        "phone.incident",
        mark("Нештатная ситуация"),
        mark("Сообщить администратору смены о нештатной ситуации."),
        keys=("shift+f9",),
        rank=237,
    ),
    Command(
        "phone.elsewhere",
        mark("Продолжить на телефоне"),
        mark("Продолжить разговор на другом своём телефоне; карточка остаётся здесь."),
        keys=("shift+f7",),
        rank=238,
        available=_only(*_CONNECTED, otherwise=Code.NO_TALK),
    ),
    Command(
        "phone.alarm",
        mark("Тревога"),
        mark("Показать всем рабочим местам, что делать: нет телефонии, нет сервера, перегрузка, эвакуация; отбой."),
        keys=("alt+t",),
        scope="journal",
        rank=239,
        right=Right.APPROVE,
    ),
    Command(
        "phone.reports",
        mark("Донесения"),
        mark("Кто просит помощи, угрозы, нештатные ситуации, звонки без карты."),
        keys=("alt+h",),
        scope="journal",
        rank=240,
        right=Right.APPROVE,
    ),
)
