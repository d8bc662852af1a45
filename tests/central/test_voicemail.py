"""Night messages become appeals once, whatever is killed between two steps, on both databases."""

from __future__ import annotations

import errno
import itertools
import os
import struct
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from central import spool, voicemail
from central.files import FOLDER_VARIABLE, Files
from central.keys import ServerKeys, bind
from central.reference import write
from central.spool import TAKEN, messages
from central.store import tables as t
from central.store.database import Database
from central.voicemail import NAME, UNKNOWN_NUMBER, Collector
from central.voicemail import Office as Whose
from operator_tui.appeals.calendar import Country, OfficeHours, WorkingCalendar
from operator_tui.appeals.clock import ManualClock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.phone.sound_file import speech_of
from operator_tui.reference import packaged_catalogue
from operator_tui.secrets.address import FileKind, label, unwrap
from operator_tui.secrets.sealed import box_of, open_with_key

ZONE = "Europe/Moscow"
CALENDAR = WorkingCalendar(Country.RUSSIA)
NIGHT_MS = round(datetime(2026, 11, 20, 22, 14, tzinfo=ZoneInfo(ZONE)).timestamp() * 1000)  # a Friday
MONDAY_MS = round(datetime(2026, 11, 23, 18, 0, tzinfo=ZoneInfo(ZONE)).timestamp() * 1000)
KEYS = ServerKeys.fresh()


class Killed(BaseException):
    """The process is gone: nothing behind this runs."""


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NIGHT_MS + 600_000)


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "files"))
    return tmp_path / "files" / "26"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "spool"
    made.mkdir()
    return made


def wav(seconds: float) -> bytes:
    size = int(8000 * seconds) * 2
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16, b"data", size
    )
    return head + b"\x11\x01" * (size // 2)


def left(folder: Path, number: str = "+78652000001", *, at: int = 0, seconds: float = 3.0, ended: bool = True) -> str:
    """The PBX has written a message."""
    key = f"{NIGHT_MS // 1000 + at}-1700000000.{at}"
    end = f"ended={NIGHT_MS // 1000 + at + 5}\n" if ended else ""
    (folder / f"{key}.txt").write_text(f"caller={number}\n{end}")
    (folder / f"{key}.wav").write_bytes(wav(seconds))
    return key


def collector(database: Database, folder: Path, clock: ManualClock, group: str = "policy") -> Collector:
    bind(database, KEYS)
    whose = Whose("26/tf", group, ZONE, CALENDAR, OfficeHours())
    return Collector(database, folder, whose, packaged_catalogue(), clock)


def cards(database: Database) -> list[dict[str, Any]]:
    with database.read() as connection:
        return [row.body for row in connection.execute(sa.select(t.card).order_by(t.card.c.id))]


@pytest.mark.function("K-6.0.3")
def test_a_message_becomes_a_deferred_answer_of_the_group_with_its_file(
    database: Database, folder: Path, clock: ManualClock, store: Path
) -> None:
    key = left(folder)
    assert collector(database, folder, clock).collect() == 1
    (card,) = cards(database)
    fields = card["fields"]
    assert (card["status"], card["worker"], fields["group"]) == ("deferred", None, "policy")
    assert (fields["promise_due"], fields["promise_phone"]) == (MONDAY_MS, "+78652000001")
    assert "20.11.2026 22:14" in fields["text"]
    assert "0:03" in fields["text"]
    (paper,) = fields["files"]
    assert (paper["kind"], paper["date"]) == ("voice", "2026-11-20")
    file, _ = Files("26").open(paper["sealed"])
    plain = open_with_key(file, unwrap(box_of(file), KEYS.fund, label(FileKind.VOICE_MAIL, "26/tf")))
    assert speech_of(b"".join(plain)).ms == 3000
    with database.read() as connection:
        author = connection.execute(sa.select(t.operator.c.name).where(t.operator.c.number == card["author"])).scalar()
    assert author == NAME
    assert {one.name for one in (folder / TAKEN).iterdir()} == {f"{key}{end}" for end in (".wav", ".txt", ".sealed")}
    assert collector(database, folder, clock).collect() == 0, "once"
    # A copy of the database holds it: the plain sound is deleted, the sealed one stays a while as a second copy.
    database.write(lambda connection: connection.execute(sa.update(t.device).values(durable_n=t.device.c.last_n)))
    collector(database, folder, clock).collect()
    assert [one.name for one in (folder / TAKEN).iterdir()] == [f"{key}.sealed"]
    file.unlink()  # the store lost it, as a machine restored from a copy of its database alone would have
    collector(database, folder, clock).collect()
    assert Files("26").open(paper["sealed"])[0].exists(), "put back from beside the PBX"
    os.utime(folder / TAKEN / f"{key}.sealed", (clock.now_ms() / 1000, clock.now_ms() / 1000))
    clock.advance(40 * 86_400)
    collector(database, folder, clock).collect()
    assert not list((folder / TAKEN).iterdir())
    assert Files("26").open(paper["sealed"])[0].exists()


def test_the_oldest_comes_first_and_what_is_not_complete_waits(
    database: Database, folder: Path, clock: ManualClock
) -> None:
    left(folder, "+78652000003", at=30)
    left(folder, "", at=10)
    left(folder, "+78652000009", at=20, ended=False)
    left(folder, "+78652000008", at=25, seconds=0.3)
    (folder / "strange.wav").write_bytes(b"x")
    assert collector(database, folder, clock).collect() == 2
    assert [card["fields"]["promise_phone"] for card in cards(database)] == [UNKNOWN_NUMBER, "+78652000003"]
    stamps = [card["created"] for card in cards(database)]
    assert stamps == sorted(set(stamps))
    assert [one.key.endswith(".20") for one in messages(folder, now_s=9e12)] == [True], "a PBX that died in it"
    assert (folder / "strange.wav").exists()


STEPS = ["seal_file", "Files.begin", "Files.append", "Collector._write", "push", "put_away", "forget_plain"]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_it_is_one_appeal_and_nothing_is_lost(
    database: Database, folder: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, step: str, after: bool
) -> None:
    left(folder, at=1)
    left(folder, "+78652000002", at=2)
    where, _, name = step.rpartition(".")
    place: Any = getattr(voicemail, where) if where else voicemail
    real, calls = getattr(place, name), itertools.count(1)

    def dying(*given: Any, **named: Any) -> Any:
        second = next(calls) == 2
        if second and not after:
            raise Killed
        done = real(*given, **named)
        if second:
            raise Killed
        return done

    with monkeypatch.context() as patched:
        patched.setattr(place, name, dying)
        try:
            collector(database, folder, clock).collect()
            database.write(
                lambda connection: connection.execute(sa.update(t.device).values(durable_n=t.device.c.last_n))
            )
            collector(database, folder, clock).collect()
        except Killed:
            pass
    collector(database, folder, clock).collect()
    phones = [card["fields"]["promise_phone"] for card in cards(database)]
    assert phones == ["+78652000001", "+78652000002"]
    for card in cards(database):
        Files("26").open(card["fields"]["files"][0]["sealed"])
    assert not messages(folder)


def test_a_server_that_lost_it_gets_it_again_from_what_was_put_away(
    database: Database, folder: Path, clock: ManualClock, tmp_path: Path
) -> None:
    left(folder)
    collector(database, folder, clock).collect()
    older = Database.sqlite(tmp_path / "older.db", bytes(32))  # restored from a copy of before
    try:
        assert collector(older, folder, clock).collect() == 1
        assert len(cards(older)) == 1
        assert collector(older, folder, clock).collect() == 0
    finally:
        older.close()


def test_an_appeal_the_server_does_not_take_keeps_its_message(
    database: Database, folder: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    left(folder)
    real: Callable[..., Any] = Collector._operation

    def wrong(self: Collector, *given: Any) -> Any:
        operation = real(self, *given)
        operation.x["files"][0]["number"] = ""
        return operation

    with monkeypatch.context() as patched:
        patched.setattr(Collector, "_operation", wrong)
        with pytest.raises(Refusal) as refused:
            collector(database, folder, clock).collect()
        assert refused.value.code is Code.FIELD_REQUIRED
    assert len(messages(folder)) == 1
    assert cards(database) == []
    assert collector(database, folder, clock).collect() == 1


def test_killed_before_a_refusal_is_looked_at_the_message_is_not_put_away(
    database: Database, folder: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    left(folder)
    real_operation: Callable[..., Any] = Collector._operation
    real_push = voicemail.push

    def wrong(self: Collector, *given: Any) -> Any:
        operation = real_operation(self, *given)
        operation.x["files"][0]["number"] = ""
        return operation

    def killed(*given: Any) -> Any:
        real_push(*given)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Collector, "_operation", wrong)
        patched.setattr(voicemail, "push", killed)
        with pytest.raises(Killed):
            collector(database, folder, clock).collect()
    assert collector(database, folder, clock).collect() == 1, "refused then, written down anew and taken now"
    assert (len(messages(folder)), len(cards(database))) == (0, 1)


@pytest.mark.parametrize(
    ("left_at", "due"),
    [
        ("2026-11-20T22:14", "2026-11-23T18:00"),  # Friday night: Monday
        ("2026-11-23T05:00", "2026-11-23T18:00"),  # Monday before it opens: that day
        ("2026-11-23T19:00", "2026-11-24T18:00"),
        ("2026-12-31T20:00", "2027-01-11T18:00"),  # over the holidays of the New Year
    ],
)
def test_it_is_due_at_the_end_of_the_next_working_day(left_at: str, due: str) -> None:
    whose = Whose("26/tf", "policy", ZONE, CALENDAR, OfficeHours())
    came = datetime.fromisoformat(left_at).replace(tzinfo=ZoneInfo(ZONE))
    found = datetime.fromtimestamp(whose.due_ms(round(came.timestamp() * 1000)) / 1000, UTC)
    assert found.astimezone(ZoneInfo(ZONE)).strftime("%Y-%m-%dT%H:%M") == due


def test_one_that_is_refused_holds_up_no_other(
    database: Database, folder: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in (1, 2, 3):
        left(folder, f"+7865200000{n}", at=n)
    real: Callable[..., Any] = Collector._operation

    def wrong(self: Collector, message: spool.Message, *given: Any) -> Any:
        operation = real(self, message, *given)
        if message.caller.endswith("2"):
            operation.x["files"][0]["number"] = ""
        return operation

    with monkeypatch.context() as patched:
        patched.setattr(Collector, "_operation", wrong)
        with pytest.raises(Refusal) as refused:
            collector(database, folder, clock).collect()
    assert refused.value.code is Code.FIELD_REQUIRED
    assert [card["fields"]["phone"] for card in cards(database)] == ["+78652000001", "+78652000003"]
    assert [one.caller for one in messages(folder)] == ["+78652000002"]
    assert collector(database, folder, clock).collect() == 1
    assert len(cards(database)) == 3


def hidden(folder: Path, name: str) -> Callable[[], object]:
    """A file that nobody reads, root neither; makes it readable again."""
    file = folder / name
    kept = file.rename(folder / "kept")
    file.symlink_to(file)
    return lambda: kept.replace(file)


def spoiled(key: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[], object]:
    """A sound that the disk does not give; it does so again."""
    real = voicemail.seal_file

    def failing(source: Any, *given: Any) -> None:
        if Path(source.name).stem == key:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(source, *given)

    monkeypatch.setattr(voicemail, "seal_file", failing)
    return lambda: monkeypatch.setattr(voicemail, "seal_file", real)


@pytest.mark.parametrize("part", ["txt", "wav", "sound"])
def test_one_that_can_not_be_read_holds_up_no_other(
    database: Database, folder: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    keys = [left(folder, f"+7865200000{n}", at=n) for n in (1, 2, 3)]
    mend = spoiled(keys[1], monkeypatch) if part == "sound" else hidden(folder, f"{keys[1]}.{part}")
    night = collector(database, folder, clock)
    with pytest.raises(Refusal) as refused:
        night.collect()
    assert refused.value.code is Code.TALK_UNREADABLE
    assert (refused.value.params["count"], refused.value.params["talk"]) == (1, keys[1])
    assert [card["fields"]["phone"] for card in cards(database)] == ["+78652000001", "+78652000003"]
    mend()
    assert night.collect() == 1
    assert (len(cards(database)), night.collect()) == (3, 0)


def test_a_sealed_file_that_can_not_be_read_holds_up_no_message(
    database: Database, folder: Path, clock: ManualClock
) -> None:
    kept = left(folder, at=1)
    collector(database, folder, clock).collect()
    database.write(lambda connection: connection.execute(sa.update(t.device).values(durable_n=t.device.c.last_n)))
    collector(database, folder, clock).collect()
    mend = hidden(folder / TAKEN, f"{kept}.sealed")
    left(folder, "+78652000002", at=2)
    night = collector(database, folder, clock)
    with pytest.raises(Refusal) as refused:
        night.collect()
    assert (refused.value.code, refused.value.params["talk"]) == (Code.TALK_UNREADABLE, kept)
    assert len(cards(database)) == 2
    mend()
    assert night.collect() == 0, "and nothing more is said of it"


def test_two_pbxs_of_one_region_may_make_the_same_key(database: Database, tmp_path: Path, clock: ManualClock) -> None:
    for organisation in ("26/tf", "26/smo-26001"):
        folder = tmp_path / organisation.replace("/", "-")
        folder.mkdir()
        left(folder)
        bind(database, KEYS)
        whose = Whose(organisation, "policy", ZONE, CALENDAR, OfficeHours())
        made = Collector(database, folder, whose, packaged_catalogue(), clock)
        assert made.collect() == 1, organisation
        assert made.collect() == 0
    assert len(cards(database)) == 2


def test_the_administrator_chooses_the_duty_group_at_a_desk(
    database: Database, folder: Path, clock: ManualClock
) -> None:
    left(folder, at=1)
    collector(database, folder, clock, group="").collect()
    row = {"organisation": "tf", "group": "access", "mode": "clock"}
    write(database, packaged_catalogue(), "26", "night", {"tf": row}, clock.now_ms())
    left(folder, "+78652000002", at=2)
    collector(database, folder, clock, group="policy").collect()
    assert [card["fields"]["group"] for card in cards(database)] == ["policy", "access"]


def test_a_group_that_is_none_and_a_folder_that_is_none(database: Database, folder: Path, clock: ManualClock) -> None:
    with pytest.raises(Refusal) as refused:
        collector(database, folder, clock, group="nobody")
    assert refused.value.params == {"field": "group"}
    with pytest.raises(Refusal) as refused:
        collector(database, folder / "away", clock).collect()
    assert refused.value.code is Code.FILE_UNREADABLE
    assert spool.messages(folder) == []
