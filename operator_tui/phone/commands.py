"""The telephone's commands. Keys by the key card of design/desk.md; titles are the customer's words."""

from __future__ import annotations

from collections.abc import Callable

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.commands import Command, Situation, register
from operator_tui.i18n import mark

_CONNECTED = ("talking", "held")
_WORKING = ("free", "ringing", "dialing", "talking", "held", "lost")


def _only(*states: str, otherwise: Code = Code.CALL_STATE) -> Callable[[Situation], Refusal | None]:
    """Available in those states of ``Situation.phone``."""

    def available(situation: Situation) -> Refusal | None:
        if situation.phone in states:
            return None
        if situation.phone == "off" and otherwise is not Code.WORK_BEGUN:
            return Refusal(Code.WORK_NOT_BEGUN)
        return Refusal(otherwise)

    return available


def _may_change_state(situation: Situation) -> Refusal | None:
    if situation.presence in ("free", "wrap_up", "break"):
        return None
    return Refusal(Code.WORK_NOT_BEGUN if situation.phone == "off" else Code.CALL_ACTIVE)


register(
    Command(
        "phone.answer",
        mark("Ответить"),
        mark("Ответить на входящий вызов; откроется карточка обращения."),
        keys=("f2",),
        footer=True,
        rank=10,
        available=_only("ringing", otherwise=Code.NO_CALL_WAITING),
    ),
    Command(
        "phone.hold",
        mark("Удержать"),
        mark("Поставить разговор на удержание или вернуться к нему."),
        keys=("f3",),
        footer=True,
        rank=72,
        available=_only(*_CONNECTED, otherwise=Code.NO_TALK),
    ),
    Command(
        "phone.hang_up",
        mark("Завершить разговор"),
        mark("Положить трубку; входящий вызов, на который не ответили, будет отклонён."),
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
        rank=75,
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
        mark("После звонка: готов к следующему вызову; в свободное время: перерыв и обратно."),
        keys=("f12",),
        footer=True,
        rank=78,
        short=mark("Готов"),
        available=_may_change_state,
    ),
)
