"""The telephone's commands: keys of the key card, and a reason for each that is off."""

from __future__ import annotations

from dataclasses import replace

import pytest

from operator_tui.appeals.errors import Code
from operator_tui.commands import Situation, clashes, collect
from operator_tui.sentences import sentence


@pytest.mark.parametrize(
    ("command", "key", "title"),
    [
        ("phone.answer", "f2", "Ответить"),
        ("phone.hold", "f3", "Удержать"),
        ("phone.hang_up", "f4", "Завершить разговор"),
        ("phone.transfer", "f7", "Перевести"),
        ("phone.begin_work", "ctrl+b", "Начало работы"),
        ("phone.end_work", "ctrl+e", "Завершить"),
        ("phone.dial", "alt+d", "Позвонить"),
        ("phone.call_back", "alt+b", "Перезвонить"),
        ("phone.mute", "alt+m", "Микрофон"),
        ("phone.dtmf", "alt+i", "Тоновый набор"),
        ("phone.consult", "alt+c", "Посоветоваться"),
        ("phone.help", "shift+f8", "Помощь администратора"),
        ("phone.check", "ctrl+d", "Проверка микрофона"),
        ("phone.waiting", "ctrl+y", "Что ждёт"),
        ("phone.join", "alt+j", "Соединить"),
        ("phone.swap", "alt+s", "Другой вызов"),
        ("phone.more", "shift+f12", "Ещё 30 секунд"),
        ("phone.threat", "shift+f6", "Угроза"),
        ("phone.incident", "shift+f9", "Нештатная ситуация"),
        ("phone.elsewhere", "shift+f7", "Продолжить на телефоне"),
        ("phone.bind", "shift+f2", "Вызов к обращению"),
        ("phone.louder", "shift+f5", "Громче"),
        ("phone.quieter", "shift+f4", "Тише"),
        ("phone.devices", "shift+f10", "Устройства звука"),
        ("phone.alarm", "alt+t", "Тревога"),
        ("phone.reports", "alt+h", "Донесения"),
    ],
)
def test_key_and_title(command: str, key: str, title: str) -> None:
    found = collect()[command]
    assert found.keys == (key,)
    assert found.title == title


ON = {
    "off": {"begin_work"},
    "lost": {"end_work"},
    "free": {"end_work", "dial", "check"},
    "ringing": {"answer", "hang_up"},
    "dialing": {"hang_up"},
}
_IN_TALK = {"hold", "hang_up", "transfer", "dial", "mute", "dtmf", "consult", "help", "record_pause"}
ON["talking"] = ON["held"] = _IN_TALK | {"threat", "elsewhere", "bind"}
ALWAYS = {"directory", "waiting", "incident", "alarm", "reports", "devices"}


@pytest.mark.parametrize("phone", ON)
def test_a_command_is_on_or_says_why_not(phone: str) -> None:
    commands = {id.removeprefix("phone."): c for id, c in collect().items() if id.startswith("phone.")}
    refusals = {name: c.available(Situation(phone=phone)) for name, c in commands.items()}
    loudness = {"louder", "quieter"} if phone != "off" else set()
    assert {name for name, refusal in refusals.items() if refusal is None} == ON[phone] | ALWAYS | loudness
    for refusal in refusals.values():
        assert refusal is None or sentence(refusal).endswith(".")
    if phone == "off":
        assert refusals["answer"].code is Code.WORK_NOT_BEGUN


def test_a_second_call_has_its_own_keys() -> None:
    found = collect()
    waiting, other = Situation(phone="talking", waiting=True), Situation(phone="talking", other=True)
    assert found["phone.answer"].available(waiting) is None
    assert found["phone.swap"].available(waiting).code is Code.NO_SECOND_CALL
    assert found["phone.swap"].available(other) is None
    assert found["phone.join"].available(other).code is Code.NO_COLLEAGUE, "two citizens are never joined"
    assert found["phone.join"].available(replace(other, colleague=True)) is None


def test_the_key_of_the_states_follows_what_the_operator_does() -> None:
    ready, more = collect()["phone.ready"], collect()["phone.more"]
    for presence, word in (("free", "Перерыв"), ("talking", "Затем"), ("wrap_up", "Готов"), ("break", "Готов")):
        situation = Situation(phone="talking" if presence == "talking" else "free", presence=presence)
        assert ready.available(situation) is None
        assert ready.word(situation) == word
        assert (more.available(situation) is None) is (presence == "wrap_up")
    assert ready.available(Situation(phone="ringing", presence="ringing")).code is Code.BREAK_RINGS


def test_a_call_back_needs_a_number() -> None:
    back = collect()["phone.call_back"]
    assert back.available(Situation(phone="free")).code is Code.NO_NUMBER
    assert back.available(Situation(phone="free", number=True)) is None


def test_no_key_is_taken_twice() -> None:
    assert not clashes(collect().values())
