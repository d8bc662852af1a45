"""One whole call on real parts, driven by keys alone."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import psycopg
import pytest

from operator_tui.registry.people import Person
from tests.peers.asterisk import GREETING_HERTZ, Asterisk
from tests.peers.pipewire import SoundCard
from tests.peers.pty import PATIENCE, PtyDesk
from tests.peers.sipp import SippCalls
from tests.timing import tell_if_slow
from tests.whole.conftest import Central, Until, Workplace, rests_since

EXTENSION = "2001"
OPERATOR_HERTZ, CALLER_HERTZ = 440, 1000
# Another tone, so that what is heard after the kill is not what was under way before it.
OPERATOR_AFTER_HERTZ = 640
ATTACH_S = 2.0
# Of one start, in its own processor seconds, which are the program's on any machine: 2.0.
ATTACH_TO_PAINTED = 3.0

pytestmark = pytest.mark.needs("asterisk", "sipp", "pipewire", "postgresql")


def set_up(place: Workplace, pbx: Asterisk, card: SoundCard, server: Central) -> PtyDesk:
    """The workstation of extension 2001, its desk ready for calls."""
    line = pbx.line(EXTENSION, **card.devices)
    names = ("line", "server", "extension", "net_interface", "sip_port", "rtp_ports", "codecs", *card.devices)
    place.configure(
        phone={name: getattr(line, name) for name in names},
        central={"url": server.url, "enrolment": server.enrolment_code(EXTENSION), "poll_s": 0.3},
        registry={"demo_people": 2000},
    )
    place.keep_secret("sip", pbx.secret(EXTENSION))
    desk = place.desk()
    desk.wait_text("Телефон: на связи")
    desk.wait_text("Реестр: на")
    desk.wait_text("Сервер: на связи")
    return desk


def answer(desk: PtyDesk) -> None:
    """The call that rings is taken."""
    desk.wait_text("ВХОДЯЩИЙ ВЫЗОВ")
    desk.press("f2")
    desk.wait_text("РАЗГОВОР")


def close_for(desk: PtyDesk, person: Person) -> None:
    """The caller is bound, a theme found by letters, its answer shown, the appeal closed."""
    desk.wait_text("Enter — прикрепить")
    desk.press("enter")
    desk.wait_text(person.enp)
    desk.type("потер")
    desk.wait_text("Полис потерян")
    desk.press("enter")
    desk.wait_text("S-03")
    desk.press("f9")
    desk.wait_text("«На рассмотрении»")


def cards(server: Central) -> list[dict[str, Any]]:
    dsn = server.database.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(dsn) as connection:
        columns = "id, status, body"
        return [{"id": row[0], "status": row[1], **row[2]} for row in connection.execute(f"SELECT {columns} FROM card")]


@pytest.mark.function(
    "K-2.1", "K-2.2", "K-2.3", "K-2.4", "K-2.6", "K-2.8", "K-5.0.2", "K-5.1.1.2", "K-5.1.1.3", "K-5.1.3.8",
    "K-5.1.5.1", "K-6.1.4", "K-4.7",
)  # fmt: skip
async def test_one_whole_call(
    workplace: Workplace,
    asterisk: Asterisk,
    sipp_call: SippCalls,
    sound_card: SoundCard,
    central: Central,
    until: Until,
) -> None:
    desk = await asyncio.to_thread(set_up, workplace, asterisk, sound_card, central)
    person = workplace.somebody()
    await asterisk.until("queue show oms-1", "Not in use")

    caller = sipp_call(person.phone, person.full_name, tone=CALLER_HERTZ)
    await asyncio.to_thread(until, lambda: caller.sound.hears(GREETING_HERTZ), "the greeting")
    await asyncio.to_thread(answer, desk)
    sound_card.speak(OPERATOR_HERTZ)
    await asyncio.to_thread(until, lambda: caller.sound.hears(OPERATOR_HERTZ), "the operator's tone at the caller")
    await sound_card.until_heard(CALLER_HERTZ)

    await asyncio.to_thread(close_for, desk, person)
    caller.hang_up()
    await asyncio.to_thread(desk.wait_text, "Линия свободна")

    (card,) = await asyncio.to_thread(until, lambda: cards(central), "the appeal at the centre")
    fields = card["fields"]
    assert card["status"] == "review"
    assert fields["phone"] == person.phone
    assert fields["enp"] == person.enp
    assert fields["theme"] == "К-01.3"
    assert fields["answers"] == ["S-03"]


async def test_the_server_dies_in_the_middle_and_nothing_differs_but_the_light(
    workplace: Workplace,
    asterisk: Asterisk,
    sipp_call: SippCalls,
    sound_card: SoundCard,
    central: Central,
    until: Until,
) -> None:
    desk = await asyncio.to_thread(set_up, workplace, asterisk, sound_card, central)
    person = workplace.somebody()
    await asterisk.until("queue show oms-1", "Not in use")
    caller = sipp_call(person.phone, tone=CALLER_HERTZ)
    await asyncio.to_thread(answer, desk)

    central.kill()
    await asyncio.to_thread(desk.wait_text, "Сервер: НЕДОСТУПЕН")
    await asyncio.to_thread(close_for, desk, person)
    assert "Не отправлено: 0" not in desk.screen_text()
    caller.hang_up()
    await asyncio.to_thread(desk.wait_text, "Линия свободна")

    central.start()
    await asyncio.to_thread(desk.wait_text, "Сервер: на связи", 2 * PATIENCE)  # a pause is up to a minute itself
    await asyncio.to_thread(desk.wait_text, "Не отправлено: 0")
    assert [card["status"] for card in cards(central)] == ["review"], "there once"


async def test_kill_9_of_the_desk_leaves_the_call_its_sound_and_the_draft(
    workplace: Workplace,
    asterisk: Asterisk,
    sipp_call: SippCalls,
    sound_card: SoundCard,
    central: Central,
    until: Until,
) -> None:
    desk = await asyncio.to_thread(set_up, workplace, asterisk, sound_card, central)
    person = workplace.somebody()
    await asterisk.until("queue show oms-1", "Not in use")
    caller = sipp_call(person.phone, tone=CALLER_HERTZ)
    await asyncio.to_thread(answer, desk)
    await asyncio.to_thread(desk.wait_text, "Enter — прикрепить")
    desk.press("f6", "tab")
    await asyncio.to_thread(desk.wait_quiet)  # what is typed ahead waits a second, a busy machine may need longer
    journal = workplace.profile.journal_file.with_name("journal.db-wal")
    began_ns = time.time_ns()
    desk.type("Крестовоздвиженский")
    await asyncio.to_thread(desk.wait_text, "Крестовоздвиженский")
    await asyncio.to_thread(until, lambda: rests_since(began_ns, journal), "the draft on disk")

    desk.kill()
    sound_card.speak(OPERATOR_AFTER_HERTZ)
    heard = lambda: caller.sound.hears(OPERATOR_AFTER_HERTZ)  # noqa: E731
    await asyncio.to_thread(until, heard, "the operator at the caller, with no desk at all")
    await sound_card.until_heard(CALLER_HERTZ)
    assert not caller.over

    # What a desk also has to open comes later: the server, frozen, can not come before.
    central.freeze()
    began = time.monotonic()
    again = workplace.desk()
    await asyncio.to_thread(again.wait, str.strip)
    painted = again.cpu_seconds()
    await asyncio.to_thread(again.wait_text, "РАЗГОВОР")
    took = await asyncio.to_thread(again.wait_text, "Крестовоздвиженский") - began
    assert again.cpu_seconds() <= ATTACH_TO_PAINTED * painted, "call and card are not computed for longer"
    tell_if_slow("a new desk with its call and its card", took, ATTACH_S)
    assert "Сервер: на связи" not in again.screen_text()
    central.freeze(False)
    await asyncio.to_thread(again.wait, lambda screen: "разговаривает" in screen or "свободен" in screen)
    assert "разговаривает" in again.screen_text(), "a desk that comes into a talk does not say it is free"
    assert caller.sound.hears(OPERATOR_AFTER_HERTZ), "the call went on while the desk came back"
    await sound_card.until_heard(CALLER_HERTZ)
    again.press("f4")
    await asyncio.to_thread(again.wait_text, "Постобработка")
    await asyncio.to_thread(until, lambda: caller.over, "the caller's end of the call")
