"""Talks recorded at the PBX, for offices whose line is too slow to send them: bound to the call, fetched at night."""

from __future__ import annotations

import array
import asyncio
import io
import wave
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from litestar.testing import TestClient

from central.app import create_app
from central.files import FOLDER_VARIABLE, Files
from central.importing import Importer
from central.keys import ServerKeys, bind
from central.spool import TAKEN
from central.store.database import Database
from central.talks import talks
from operator_tui.appeals.clock import ManualClock, SystemClock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import Kind
from operator_tui.appeals.people import Role
from operator_tui.desk.calls import facts
from operator_tui.phone.line import Call, CallState, RegistrationState
from operator_tui.phone.tones import tone
from operator_tui.profiles import open_profile
from operator_tui.secrets.address import FileKind, label, unwrap
from operator_tui.secrets.running import public_key
from operator_tui.secrets.sealed import box_of, open_with_key
from operator_tui.signin.files import RECORDINGS_PATH, RecordingsAnswer, Stored
from tests.central.desks import Desk as Place
from tests.central.desks import Office
from tests.peers.asterisk import Asterisk
from tests.peers.phones import Phones
from tests.peers.sipp import SippCalls
from tests.peers.tones import strength
from tests.phone.conftest import Desk, until
from tests.phone.test_pbx import desk, in_state, ringing
from tests.phone.test_routing import apply, ruled

__all__ = ["desk"]

pytestmark = [pytest.mark.needs("asterisk", "sipp", "sound")]

OPERATOR_HERTZ, CALLER_HERTZ, COLLEAGUE_HERTZ = 440, 1000, 700
KEYS = ServerKeys.fresh()


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "files"))
    database, clock = Database.sqlite(tmp_path / "central.db", bytes(32)), ManualClock()
    bind(database, KEYS)
    with TestClient(create_app(database, KEYS, clock=clock)) as client:
        yield Office(database, client, clock)
    database.close()


async def begin(desk: Desk, asterisk: Asterisk, folder: Path) -> None:
    """Work of an operator whose talks the directory says are recorded at the PBX."""
    queue = {"code": "oms-1", "title": "Линия", "order": "rrmemory"}
    apply(asterisk, ruled(queue, directory={"2001": {"record": "pbx"}}))
    spoken = folder / "spoken.wav"
    write_wav(spoken, tone(OPERATOR_HERTZ, 8000, 30.0))
    sound = {"sound": "wav", "input_device": str(spoken), "output_device": str(folder / "heard.wav")}
    config = asterisk.line("2001", record_at_pbx=True, **sound)
    await desk.phone.begin_work(config, asterisk.secret("2001"), record_key=public_key(bytes(range(32))).hex())
    await until(lambda: desk.snapshot.registration.state is RegistrationState.OK)
    await asterisk.until("queue show oms-1", "2001 (PJSIP/2001)", "Not in use")


def write_wav(file: Path, pcm: bytes) -> None:
    with wave.open(str(file), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(pcm)


async def talked(desk: Desk, call: Call) -> Call:
    """The call from its answer to its end, as the desk's journal is told of it."""
    talking = await in_state(desk, call, CallState.TALKING)
    await asyncio.sleep(2.0)  # what is said meanwhile is what is recorded
    await desk.phone.hang_up(call.id)
    await in_state(desk, call, CallState.ENDED)
    return talking


def told(place: Place, call: Call) -> None:
    """The desk sends what it knows of the recording."""
    (about,) = [x for kind, x in facts(None, call) if kind is Kind.CALL_RECORDED]
    assert about["sha256"] == f"pbx/{call.dialog}"
    place.send(place.operation("call.recorded", about))


def recordings(boss: Place, card: str) -> list[Stored]:
    headers = {"Authorization": f"Bearer {boss.identity.token}"}
    answer = boss.client.post(RECORDINGS_PATH, json={"v": 1, "card": card}, headers=headers)
    return msgspec.json.decode(answer.content, type=RecordingsAnswer).recordings


def sides(sealed: Path) -> tuple[bytes, bytes, int]:
    key = unwrap(box_of(sealed), KEYS.fund, label(FileKind.RECORDING, "26/tf"))
    content = b"".join(open_with_key(sealed, key))
    with wave.open(io.BytesIO(content)) as sound:
        assert sound.getnchannels() == 2
        both = array.array("h", sound.readframes(sound.getnframes()))
        return both[::2].tobytes(), both[1::2].tobytes(), sound.getframerate()


def brought(office: Office, asterisk: Asterisk) -> tuple[int, int]:
    return Importer(office.database, asterisk.recordings, "26", SystemClock()).take()


@pytest.mark.function("K-4.11")
async def test_a_talk_is_recorded_there_and_comes_to_its_appeal_at_night(
    desk: Desk, asterisk: Asterisk, phones: Phones, sipp_call: SippCalls, office: Office, tmp_path: Path
) -> None:
    await begin(desk, asterisk, tmp_path)
    colleague = await phones.register("2003")
    sipp_call("+78652010001", "Звонит", CALLER_HERTZ)
    ring = await ringing(desk)
    await desk.phone.answer(ring.id)
    await in_state(desk, ring, CallState.TALKING)
    with pytest.raises(Refusal) as refused:
        await desk.phone.pause_record(ring.id, True)
    assert refused.value.code is Code.RECORD_AT_PBX
    call = await talked(desk, ring)
    assert call.recording == "pbx"
    dialled = await desk.phone.dial("2003")
    there = await colleague.rings()
    await there.answer(COLLEAGUE_HERTZ)
    found = desk.snapshot.call(dialled)
    assert found is not None
    outgoing = await talked(desk, found)
    assert not list(open_profile("work").recordings.glob("*")), "nothing is recorded here"

    place, boss = office.desk("Петрова"), office.desk("Лазарева", Role.ADMINISTRATOR)
    card = place.new_card(call=call.id)
    place.send(card)
    told(place, call)
    (before,) = recordings(boss, place.card_id(card))
    assert (before.call, before.name, before.here) == (call.id, f"pbx/{call.dialog}", False)
    await until(lambda: len(talks(asterisk.recordings)) == 2)
    assert brought(office, asterisk) == (1, 1), "the other one no desk has told of yet"
    (after,) = recordings(boss, place.card_id(card))
    assert (after.call, after.here) == (call.id, True)
    assert after.ms > 1500
    left, right, rate = sides(Files("26").open(after.name)[0])
    middle = slice(len(left) // 3 // 2 * 2, len(left) // 3 * 2 // 2 * 2)
    assert strength(left[middle], rate, OPERATOR_HERTZ) > 500, "the operator left"
    assert strength(right[middle], rate, CALLER_HERTZ) > 500, "the caller right"
    told(place, outgoing)
    assert brought(office, asterisk) == (1, 0)
    assert brought(office, asterisk) == (0, 0), "once"
    assert not list(asterisk.recordings.glob("*.wav")), "no plain sound is left"
    assert len(list((asterisk.recordings / TAKEN).glob("*.sealed"))) == 2, "the second copies"
