"""What is looked at before a shift: microphone, line, server, age of the registry. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from operator_tui.desk.state import DeskState, Light
from operator_tui.i18n import tr
from operator_tui.phone.line import RegistrationState, SoundState

# A registry older than this misses whoever was insured meanwhile; the centre packs a new one every night.
OLD_DAYS = 7


@dataclass(frozen=True)
class Check:
    """``text`` says how it stands; ``good`` whether anything has to be done."""

    text: str
    good: bool


def checks(state: DeskState, today: date) -> list[Check]:
    """All of them, in their order."""
    return [_microphone(state), _line(state), _server(state), _registry(state, today)]


def _microphone(state: DeskState) -> Check:
    sound = state.sound
    if sound.state is SoundState.OK:
        return Check(tr("микрофон: {name}").format(name=sound.input or tr("есть")), good=True)
    return Check(tr("микрофона или наушников нет: проверьте разъём, затем Ctrl+D"), good=False)


def _line(state: DeskState) -> Check:
    if state.registration.state is RegistrationState.OK:
        return Check(tr("линия: на связи, доб. {number}").format(number=state.registration.extension), good=True)
    if state.registration.state is RegistrationState.REGISTERING:
        return Check(tr("линия: подключается"), good=True)
    if state.registration.state is RegistrationState.OFF:
        return Check(tr("линия: работа не начата"), good=True)
    return Check(tr("линия не подключена: вызовы не придут"), good=False)


def _server(state: DeskState) -> Check:
    if state.lights.server is Light.ON:
        return Check(tr("сервер: на связи"), good=True)
    if state.lights.server is Light.STARTING:
        return Check(tr("сервер: подключается"), good=True)
    return Check(tr("сервера нет: работать можно, карточки уйдут позже"), good=False)


def _registry(state: DeskState, today: date) -> Check:
    day = state.lights.registry_day
    if state.lights.registry is Light.STARTING:
        return Check(tr("реестр: открывается"), good=True)
    if state.lights.registry is not Light.ON or not day:
        return Check(tr("реестра нет: сведения обратившегося вписываются вручную"), good=False)
    age = (today - datetime.strptime(day, "%d.%m.%Y").date()).days  # noqa: DTZ007  # a day, no instant
    words = tr("реестр на {day}, дней: {age}").format(day=day, age=max(0, age))
    if age <= OLD_DAYS:
        return Check(words, good=True)
    return Check(words + tr(" - устарел, сообщите администратору"), good=False)
