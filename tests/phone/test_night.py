"""The night voice mail on a real Asterisk: a caller leaves a message, and it becomes an appeal of the duty group."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from central import routing
from central.files import FOLDER_VARIABLE, Files
from central.keys import ServerKeys, bind
from central.spool import messages
from central.store import tables as t
from central.store.database import Database
from central.voicemail import Collector, Office
from operator_tui.appeals.calendar import Country, OfficeHours, WorkingCalendar
from operator_tui.appeals.clock import SystemClock
from operator_tui.phone.sound_file import speech_of
from operator_tui.reference import packaged_catalogue
from operator_tui.secrets.sealed import box_in, opened_with_key
from tests.peers.asterisk import BEEP_HERTZ, GREETING_HERTZ, NIGHT_HERTZ, Asterisk
from tests.peers.sipp import SippCalls
from tests.peers.tones import strength
from tests.phone.conftest import until
from tests.phone.test_routing import ruled

pytestmark = [pytest.mark.needs("asterisk", "sipp")]

NUMBER, CALLER_HERTZ = "+78652000077", 1000


async def hears(sipp_call: SippCalls, hertz: float) -> None:
    caller = sipp_call(NUMBER, "Звонит", CALLER_HERTZ)
    await until(lambda: caller.sound.hears(hertz))
    caller.hang_up()


async def hears_of_hours(asterisk: Asterisk, sipp_call: SippCalls) -> None:
    """The switch of the administrator's desk, the days of his calendar, and the clock of the PBX, one after another."""
    today = datetime.now(UTC).date()
    usual = {"code": "oms-1", "title": "Линия", "order": "rrmemory"}
    for mode, hertz in (("night", NIGHT_HERTZ), ("clock", GREETING_HERTZ)):
        row = {"organisation": "tf", "group": "policy", "mode": mode}
        routing.write(routing.files_of(ruled(usual).changed([("night", {"tf": row}, "k7q2mx:2")]), "tf"), asterisk.etc)
        assert routing.reload(asterisk.console)
        await hears(sipp_call, hertz)
    # Whichever of the days around now the PBX's zone has.
    off = WorkingCalendar(Country.RUSSIA, {today + timedelta(days=n): False for n in (-1, 0, 1)})
    routing.write(routing.files_of(ruled(usual), "tf", off, today), asterisk.etc)
    assert routing.reload(asterisk.console)
    await hears(sipp_call, NIGHT_HERTZ)
    routing.write(routing.files_of(ruled(usual), "tf"), asterisk.etc)
    plan = asterisk.etc / "extensions.conf"
    another_month = (today + timedelta(days=60)).strftime("%b").lower()
    text = plan.read_text(encoding="utf-8")
    plan.write_text(text.replace("GotoIfTime(*,*,*,*?", f"GotoIfTime(*,*,*,{another_month}?"), encoding="utf-8")
    assert routing.reload(asterisk.console)
    await hears(sipp_call, NIGHT_HERTZ)


@pytest.mark.function("K-2.2")
async def test_a_message_of_the_night_becomes_an_appeal_with_its_sound(
    asterisk: Asterisk, sipp_call: SippCalls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asterisk.cli("database put oms mode night")
    caller = sipp_call(NUMBER, "Ночной", CALLER_HERTZ)
    await until(lambda: caller.sound.hears(NIGHT_HERTZ))
    await until(lambda: caller.sound.hears(BEEP_HERTZ))
    (told,) = await until(lambda: list(asterisk.night.glob("*.txt")) or None)
    assert told.read_text() == f"caller={NUMBER}\n", "who called stands there before he has said a word"
    await until(lambda: told.with_suffix(".wav").exists() and told.with_suffix(".wav").stat().st_size > 40_000)
    assert messages(asterisk.night) == [], "he is still speaking"
    caller.hang_up()
    (message,) = await until(lambda: messages(asterisk.night) or None)
    assert message.caller == NUMBER
    asterisk.cli("database del oms mode")  # by the clock again, which says that it is open
    again = sipp_call(NUMBER, "Дневной", CALLER_HERTZ)
    await until(lambda: again.sound.hears(GREETING_HERTZ))
    again.hang_up()
    for day in (0, 1):  # whichever of them the PBX's zone has now
        asterisk.cli(f"database put oms-holiday {time.strftime('%Y%m%d', time.gmtime(time.time() + day * 43_200))} 1")
    holiday = sipp_call(NUMBER, "Праздничный", CALLER_HERTZ)
    await until(lambda: holiday.sound.hears(NIGHT_HERTZ))
    holiday.hang_up()

    for day in (0, 1):
        asterisk.cli(f"database del oms-holiday {time.strftime('%Y%m%d', time.gmtime(time.time() + day * 43_200))}")
    await hears_of_hours(asterisk, sipp_call)

    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "files"))
    keys, database = ServerKeys.fresh(), Database.sqlite(tmp_path / "central.db", bytes(32))
    try:
        bind(database, keys)
        office = Office("26/tf", "policy", "Europe/Moscow", WorkingCalendar(Country.RUSSIA), OfficeHours())
        collector = Collector(database, asterisk.night, office, packaged_catalogue(), SystemClock())
        assert await asyncio.to_thread(collector.collect) == 1
        with database.read() as connection:
            (card,) = connection.execute(sa.select(t.card.c.body)).scalars()
    finally:
        database.close()
    assert (card["status"], card["worker"], card["fields"]["phone"]) == ("deferred", None, NUMBER)
    sealed = Files("26").open(card["fields"]["files"][0]["sealed"])[0].read_bytes()
    speech = speech_of(opened_with_key(sealed, keys.open_fund(box_in(sealed))[:32]))
    middle = speech.pcm[len(speech.pcm) // 4 : len(speech.pcm) // 2]
    assert strength(middle, speech.rate, CALLER_HERTZ) > 500, "what he said"
