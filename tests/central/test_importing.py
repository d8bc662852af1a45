"""Talks recorded at the PBX come to their calls once, whatever is killed between two steps, on both databases."""

from __future__ import annotations

import array
import contextlib
import io
import os
import struct
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from litestar.testing import TestClient

from central import importing
from central.app import create_app
from central.files import FOLDER_VARIABLE, Files
from central.importing import Importer
from central.importing_cli import recordings_command
from central.keys import ServerKeys, bind
from central.spool import TAKEN
from central.store import tables as t
from central.store.database import Database
from central.talks import talks
from operator_tui.appeals.clock import ManualClock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import at_pbx
from operator_tui.secrets.address import FileKind, label, unwrap
from operator_tui.secrets.sealed import box_of, open_with_key
from tests.central.desks import Desk, Office

DIALOG = "k3v9-dialog@10.26.0.5"
BEGAN_S = 1_790_000_000
KEYS = ServerKeys.fresh()


class Killed(BaseException):
    """The process is gone: nothing behind this runs."""


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "files"))


@pytest.fixture
def office(database: Database, clock: ManualClock) -> Iterator[Office]:
    """A server whose keys are known here: its recordings are opened."""
    bind(database, KEYS)
    with TestClient(create_app(database, KEYS, clock=clock)) as client:
        yield Office(database, client, clock)


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    made = tmp_path / "spool"
    made.mkdir()
    return made


def wav(level: int, frames: int) -> bytes:
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", 36 + 2 * frames, b"WAVE", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16, b"data", 2 * frames),
    )
    return head + array.array("h", [level] * frames).tobytes()


def left(spool: Path, at: int = 0, dialog: str = DIALOG, frames: tuple[int, int] = (24_000, 20_000)) -> str:
    """The PBX has recorded a talk, a while ago."""
    key = f"{BEGAN_S + at}-{BEGAN_S}.{at}"
    (spool / f"{key}.txt").write_text(f"dialog={dialog}\nended={BEGAN_S + at + 60}\n")
    for side, level, count in zip(("in", "out"), (111, 222), frames, strict=True):
        if count:
            (spool / f"{key}-{side}.wav").write_bytes(wav(level, count))
    for file in spool.glob(f"{key}*"):
        os.utime(file, (BEGAN_S, BEGAN_S))
    return key


def told(desk: Desk, call: str = "c1", dialog: str = DIALOG) -> None:
    desk.send(desk.operation("call.recorded", {"call": call, "file": "pbx", "sha256": at_pbx(dialog)}))


def importer(office: Office, spool: Path) -> Importer:
    return Importer(office.database, spool, "26", office.clock)


def bound(database: Database) -> list[tuple[str, str]]:
    with database.read() as connection:
        rows = connection.execute(sa.select(t.recording.c.call, t.recording.c.name).order_by(t.recording.c.op))
        return [(row.call, row.name) for row in rows]


def test_both_sides_come_as_one_file_of_the_call(office: Office, spool: Path) -> None:
    desk = office.desk("Петрова")
    left(spool)
    assert importer(office, spool).take() == (0, 1), "no desk has told of it"
    told(desk)
    assert importer(office, spool).take() == (1, 0)
    ((call, name),) = bound(office.database)
    assert call == "c1"
    file, _ = Files("26").open(name)
    content = b"".join(open_with_key(file, unwrap(box_of(file), KEYS.fund, label(FileKind.RECORDING, "26/tf"))))
    with wave.open(io.BytesIO(content)) as sound:
        assert (sound.getnchannels(), sound.getframerate(), sound.getnframes()) == (2, 8000, 24_000)
        both = array.array("h", sound.readframes(24_000))
    assert set(both[::2]) == {111}
    assert set(both[1:40_000:2]) == {222}
    assert set(both[40_001::2]) == {0}, "who hung up first is silent from then on"
    assert not list(spool.glob("*.wav"))
    assert importer(office, spool).take() == (0, 0)


def test_a_leg_nobody_answered_and_a_talk_that_goes_on(office: Office, spool: Path) -> None:
    left(spool, 1, frames=(0, 0))
    going = left(spool, 2)
    (spool / f"{going}.txt").write_text(f"dialog={DIALOG}\n")
    for file in spool.glob(f"{going}*"):
        os.utime(file)
    (spool / "strange.txt").write_text("dialog=x\nended=1\n")
    assert [talk.key for talk in talks(spool)] == [f"{BEGAN_S + 1}-{BEGAN_S}.1"]
    assert importer(office, spool).take() == (0, 0)
    assert {file.name for file in spool.iterdir()} >= {f"{going}.txt", f"{going}-in.wav", "strange.txt"}
    assert not list(spool.glob(f"{BEGAN_S + 1}*")), "nothing was in it"


@pytest.mark.parametrize("loop", [False, True], ids=["folder", "loop"])
@pytest.mark.parametrize("part", [".txt", "-in.wav", "-out.wav"])
def test_one_that_can_not_be_read_holds_up_no_other(office: Office, spool: Path, part: str, loop: bool) -> None:
    desk = office.desk("Петрова")
    keys = [left(spool, at, dialog=f"{at}-{DIALOG}") for at in (1, 2, 3)]
    for at in (1, 2, 3):
        told(desk, f"c{at}", f"{at}-{DIALOG}")
    spoiled = spool / f"{keys[1]}{part}"
    content = spoiled.read_bytes()
    spoiled.unlink()
    # What nobody reads, root neither.
    if loop:
        spoiled.symlink_to(spoiled)
    else:
        spoiled.mkdir()
        os.utime(spoiled, (BEGAN_S, BEGAN_S))
    night = importer(office, spool)
    assert night.take() == (2, 0)
    assert list(night.unreadable) == [keys[1]]
    spoiled.unlink() if loop else spoiled.rmdir()
    spoiled.write_bytes(content)
    os.utime(spoiled, (BEGAN_S, BEGAN_S))
    assert (night.take(), night.unreadable) == ((1, 0), {})


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", ["seal_file", "Files.begin", "Files.append", "Importer._bind", "put_away"])
def test_killed_at_any_step_it_comes_once_and_whole(
    office: Office, spool: Path, monkeypatch: pytest.MonkeyPatch, step: str, after: bool
) -> None:
    desk = office.desk("Петрова")
    left(spool)
    told(desk)
    where, _, name = step.rpartition(".")
    place: Any = getattr(importing, where) if where else importing
    real: Callable[..., Any] = getattr(place, name)

    def dying(*given: Any, **named: Any) -> Any:
        if after:
            real(*given, **named)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(place, name, dying)
        with pytest.raises(Killed):
            importer(office, spool).take()
    importer(office, spool).take()
    ((call, digest),) = bound(office.database)
    assert call == "c1"
    assert Files("26").open(digest)[0].exists()
    assert not list(spool.glob("*.wav"))
    assert importer(office, spool).take() == (0, 0)


@pytest.mark.parametrize("open_database", ["sqlite"], indirect=True)  # it is a matter of the folder alone
@pytest.mark.parametrize("lived", range(6))
def test_killed_while_it_is_put_away_nothing_stays_behind(
    office: Office, spool: Path, monkeypatch: pytest.MonkeyPatch, lived: int
) -> None:
    told(office.desk("Петрова"))
    key, acts = left(spool), iter(range(lived))

    def dying(real: Callable[..., Any]) -> Callable[..., Any]:
        def act(path: Path, *given: Any, **named: Any) -> Any:
            if next(acts, None) is None:
                raise Killed
            return real(path, *given, **named)

        return act

    def putting(talk: Any) -> None:
        with monkeypatch.context() as patched:
            for name in ("rename", "unlink"):
                patched.setattr(Path, name, dying(getattr(Path, name)))
            real(talk)

    real = importing.put_away
    with monkeypatch.context() as patched:
        patched.setattr(importing, "put_away", putting)
        with contextlib.suppress(Killed):
            importer(office, spool).take()
    assert importer(office, spool).take()[1] == 0, "no desk is waited for"
    assert not [*spool.glob("*.wav"), *spool.glob("*.txt"), *spool.glob("*.sealed")]
    assert {file.name for file in (spool / TAKEN).iterdir()} == {f"{key}.txt", f"{key}.sealed"}


def test_a_database_restored_from_an_older_copy_is_told_again_and_after_a_month_it_is_gone(
    office: Office, spool: Path
) -> None:
    key = left(spool)
    told(office.desk("Петрова"))
    importer(office, spool).take()
    ((_, name),) = bound(office.database)
    again = sa.update(t.recording).values(name=at_pbx(DIALOG))
    office.database.write(lambda connection: connection.execute(again))
    Files("26").open(name)[0].unlink()
    importer(office, spool).take()
    assert bound(office.database) == [("c1", name)]
    assert Files("26").open(name)[0].exists()
    sealed = spool / TAKEN / f"{key}.sealed"
    os.utime(sealed, (office.clock.now_ms() / 1000,) * 2)
    office.clock.advance(31 * 86_400)
    importer(office, spool).take()
    assert not list((spool / TAKEN).iterdir())
    assert Files("26").open(name)[0].exists()


def test_a_folder_that_is_none_is_said_and_the_command_counts(office: Office, spool: Path) -> None:
    with pytest.raises(Refusal) as refused:
        importer(office, spool / "away").take()
    assert refused.value.code is Code.FILE_UNREADABLE
    left(spool)
    command = recordings_command(
        lambda one: click.option("--profile", "profile_name")(click.option("--url")(one)), lambda *_: office.database
    )
    done = CliRunner().invoke(command, ["--spool", str(spool), "--region", "26"])
    assert done.exit_code == 0
    assert done.output.endswith("Записей АТС взято: 0; ещё не названы рабочими местами: 1.\n")
