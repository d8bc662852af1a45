"""The registry over a line that drops: cut and gone on with, verified, switched in one step."""

from __future__ import annotations

import os
import threading
from collections.abc import AsyncIterator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from msgspec import structs

from central.app import create_app
from central.devices import enrol as enrol_device
from central.devices import enrolment_code
from central.registry.share import FOLDER_VARIABLE
from central.store import tables as t
from central.store.database import Database
from operator_tui.appeals.clock import SystemClock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.people import Operator, Role
from operator_tui.cli import cli
from operator_tui.registry import generator
from operator_tui.registry.index import Registry
from operator_tui.registry.lists import row_of
from operator_tui.registry.packages import DELTA, WHOLE, Manifest, Package, add, digest_of, needed, read_manifest, take
from operator_tui.registry.people import COLUMNS, MORE, Person
from operator_tui.registry.records import Change
from operator_tui.sentences import sentence
from operator_tui.sync.link import Link
from operator_tui.sync.packages import fetch, manifest
from operator_tui.sync.settings import CentralSettings
from tests.central.conftest import KEY
from tests.peers.serving import Asgi, serving

OWN_KEY = bytes(range(32))
PEOPLE = list(generator.people(1200, seed=3))
DAYS = (date(2026, 1, 10), date(2026, 1, 11), date(2026, 1, 12))


class Cutting:
    """A line that drops each answer after so many bytes of its body; 0 lets all through."""

    def __init__(self, app: Asgi) -> None:
        self._app = app
        self.after = 0
        self.sent = 0
        self.asked = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"].count("/") < 3:
            await self._app(scope, receive, send)
            return
        self.asked += 1
        left = self.after

        async def cut(message: Any) -> None:
            nonlocal left
            if message["type"] != "http.response.body" or not self.after:
                await send(message)
                return
            body = message["body"]
            if len(body) > left:
                self.sent += left
                await send({**message, "body": body[:left], "more_body": True})
                raise ConnectionResetError
            left -= len(body)
            self.sent += len(body)
            await send(message)

        await self._app(scope, receive, cut)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "packages"))
    return tmp_path / "packages" / "26"


@asynccontextmanager
async def centre(tmp_path: Path) -> AsyncIterator[tuple[Link, Any, Cutting]]:
    database = Database.sqlite(tmp_path / "central.db", KEY)
    app = create_app(database)
    line = Cutting(app)
    now = SystemClock().now_ms()
    operator = Operator(user=0, name="Петрова", role=Role.OPERATOR_1, extension="2001", organisation="26/tf")
    token = enrol_device(database, enrolment_code(database, operator, now), now).token

    async def told() -> str:
        return token

    async with serving(line, tmp_path / "s", hub=app.state.hub):
        link = Link(CentralSettings(), socket=tmp_path / "s")
        try:
            yield link, told, line
        finally:
            await link.close()


def whole(people: Iterable[Person]) -> list[Change]:
    return [Change(person.enp, person) for person in people]


async def test_what_was_cut_off_is_gone_on_with_and_switched_in_one_step(tmp_path: Path, folder: Path) -> None:
    add(folder, WHOLE, whole(PEOPLE), DAYS[0])
    path = tmp_path / "registry.db"
    async with centre(tmp_path) as (link, token, line):
        (package,) = needed(await manifest(link, token), None)
        line.after = package.size // 5
        file = await fetch(link, token, package, tmp_path, wait_s=0)
        assert line.asked >= 5
        assert line.sent < package.size * 1.1, "nothing is sent twice"
        assert take(file, package, path, OWN_KEY) == len(PEOPLE)
        desk = Registry.open(path, OWN_KEY)
        assert desk.as_of == DAYS[0]
        assert desk.person(PEOPLE[7].enp) == PEOPLE[7]

        renamed = structs.replace(PEOPLE[7], surname="Щедролюбов")
        add(folder, DELTA, [Change(renamed.enp, renamed), Change(PEOPLE[8].enp, None)], DAYS[1])
        add(folder, DELTA, whole([PEOPLE[8]]), DAYS[2])
        line.after = 0
        deltas = needed(await manifest(link, token), desk.as_of)
        assert [one.as_of for one in deltas] == ["2026-01-11", "2026-01-12"]
        for one in deltas:
            take(await fetch(link, token, one, tmp_path, wait_s=0), one, path, OWN_KEY)
        assert [hit.person.enp for hit in desk.search("щедролюбов").hits] == [renamed.enp]
        assert desk.person(PEOPLE[8].enp) == PEOPLE[8]
        assert desk.as_of == DAYS[2]
        assert needed(await manifest(link, token), desk.as_of) == []
        desk.close()
    taken = given(tmp_path)
    assert [name for name, _ in taken] == [package.name] * (len(taken) - 2) + [one.name for one in deltas]
    froms = [entry["from"] for name, entry in taken if name == package.name]
    assert froms[0] == 0
    assert froms == sorted(set(froms)), "each from where the last one broke off"


def given(tmp_path: Path) -> list[tuple[str, dict[str, Any]]]:
    """The packages that the audit says were handed out."""
    database = Database.sqlite(tmp_path / "central.db", KEY)
    try:
        with database.read() as connection:
            chosen = sa.select(t.audit).where(t.audit.c.action == "registry.given").order_by(t.audit.c.seq)
            return [(row.object, msgspec.json.decode(row.detail)) for row in connection.execute(chosen)]
    finally:
        database.close()


async def test_a_transfer_goes_on_after_the_program_was_killed(tmp_path: Path, folder: Path) -> None:
    add(folder, WHOLE, whole(PEOPLE), DAYS[0])
    async with centre(tmp_path) as (link, token, line):
        (package,) = needed(await manifest(link, token), None)
        line.after = package.size // 2
        half = tmp_path / f".package-{package.sha256[:32]}"

        def killed(here: int, size: int) -> None:
            if here > size // 4:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            await fetch(link, token, package, tmp_path, killed, wait_s=0)
        kept = half.stat().st_size
        assert package.size > kept > 0
        assert half.stat().st_mode & 0o777 == 0o600
        assert PEOPLE[0].surname.encode() not in half.read_bytes(), "on disk only encrypted"
        line.after = line.sent = 0
        told: list[int] = []
        await fetch(link, token, package, tmp_path, lambda here, _: told.append(here), wait_s=0)
        assert told[0] > kept, "from where it broke off"


async def test_a_package_that_is_not_what_was_promised_changes_nothing(tmp_path: Path, folder: Path) -> None:
    first = add(folder, WHOLE, whole(PEOPLE[:300]), DAYS[0])
    path = tmp_path / "registry.db"
    take(folder / first.name, first, path, OWN_KEY)
    before = path.readlink()
    package = add(folder, WHOLE, whole(PEOPLE), DAYS[1])
    content = bytearray((folder / package.name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / package.name).write_bytes(content)
    async with centre(tmp_path) as (link, token, _):
        with pytest.raises(Refusal) as refused:
            await fetch(link, token, package, tmp_path, wait_s=0)
    assert refused.value.code is Code.REGISTRY_TRANSFER
    assert "Работает прежний" in sentence(refused.value)
    assert not list(tmp_path.glob(".package-*")), "what is wrong is not gone on with"
    with pytest.raises(Refusal) as refused:
        take(folder / package.name, package, path, OWN_KEY)
    assert refused.value.code is Code.FILE_SEAL
    assert path.readlink() == before
    desk = Registry.open(path, OWN_KEY)
    assert desk.person(PEOPLE[7].enp) == PEOPLE[7], "the old generation serves"
    desk.close()


async def test_a_line_that_is_away_is_said_and_what_arrived_stays(tmp_path: Path, folder: Path) -> None:
    package = add(folder, WHOLE, whole(PEOPLE), DAYS[0])
    link = Link(CentralSettings(), socket=tmp_path / "nobody")
    (tmp_path / f".package-{package.sha256[:32]}").write_bytes(b"x" * 10)

    async def token() -> str:
        return "t"

    with pytest.raises(Refusal) as refused:
        await fetch(link, token, package, tmp_path, wait_s=0)
    assert refused.value.code is Code.SERVER_AWAY
    assert (tmp_path / f".package-{package.sha256[:32]}").stat().st_size == 10
    await link.close()


async def test_other_regions_and_other_files_are_not_told(tmp_path: Path, folder: Path) -> None:
    add(folder.with_name("27"), WHOLE, whole(PEOPLE[:10]), DAYS[0])
    async with centre(tmp_path) as (link, token, _):
        assert (await manifest(link, token)).packages == ()
        stolen = read_manifest(folder.with_name("27")).packages[0]
        with pytest.raises(Refusal) as refused:
            await fetch(link, token, stolen, tmp_path, wait_s=0)
        assert refused.value.code is Code.BAD_REQUEST
        with pytest.raises(Refusal) as refused:
            await fetch(link, token, structs.replace(stolen, name="..%2f27%2fmanifest.json"), tmp_path, wait_s=0)
        assert refused.value.code is Code.BAD_REQUEST


def test_what_a_copy_still_lacks() -> None:
    def one(kind: str, as_of: str, base: str = "") -> Package:
        return Package(f"{kind}-{as_of}", kind, as_of, base, 1, 1, "", "")

    chain = (one(WHOLE, "2026-01-10"), one(DELTA, "2026-01-11", "2026-01-10"), one(DELTA, "2026-01-12", "2026-01-11"))
    has = Manifest(1, chain)
    assert needed(has, None) == list(chain)
    assert needed(has, date(2026, 1, 1)) == list(chain), "too old for the deltas"
    assert needed(has, date(2026, 1, 10)) == list(chain[1:])
    assert needed(has, date(2026, 1, 11)) == [chain[2]]
    assert needed(has, date(2026, 1, 12)) == []
    assert needed(Manifest(1), None) == []


def test_the_command_looks_the_list_through_before_it_is_shared(tmp_path: Path, folder: Path) -> None:
    def write(name: str, people: list[Person], spoil: str = "") -> str:
        lines = [";".join((*COLUMNS, *MORE, "op")), *(";".join((*row_of(person), "u")) for person in people)]
        (tmp_path / name).write_text("\n".join(lines).replace(PEOPLE[2].enp, spoil or PEOPLE[2].enp), encoding="utf-8")
        return str(tmp_path / name)

    def share(*words: str) -> Any:
        return CliRunner().invoke(cli, ("central", "package", "--region", "26", "--as-of", "2026-01-10", *words))

    bad = share("--csv", write("bad.csv", PEOPLE[:5], spoil="12"))
    assert isinstance(bad.exception, Refusal)
    assert bad.exception.code is Code.REGISTRY_FAULTS
    assert read_manifest(folder).packages == ()
    early = share("--csv", write("day.csv", PEOPLE[:5]), "--delta")
    assert isinstance(early.exception, Refusal)
    done = share("--csv", write("good.csv", PEOPLE[:5]))
    assert done.exit_code == 0, done.output
    assert "Подготовлено: 5" in done.output
    older = share("--csv", write("day.csv", PEOPLE[:5]), "--delta")
    assert isinstance(older.exception, Refusal)
    assert older.exception.code is Code.REGISTRY_DELTA_OLD
    assert len(read_manifest(folder).packages) == 1


async def test_a_package_that_another_desk_took_away_is_looked_for_later(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(folder, WHOLE, whole(PEOPLE[:50]), DAYS[0])

    def taken_away(file: Path) -> str:
        file.unlink()
        return digest_of(file)

    monkeypatch.setattr("operator_tui.sync.packages.digest_of", taken_away)
    async with centre(tmp_path) as (link, token, _):
        (package,) = needed(await manifest(link, token), None)
        with pytest.raises(Refusal) as refused:
            await fetch(link, token, package, tmp_path)
    assert refused.value.code is Code.REGISTRY_BUSY


def test_two_that_add_at_once_both_stand_in_the_manifest(folder: Path) -> None:
    add(folder, WHOLE, whole(PEOPLE[:5]), DAYS[0])
    begun, done = threading.Event(), threading.Event()

    def slowly() -> Iterator[Change]:
        begun.set()
        done.wait(0.5)  # the other waits for us: it is never done in here
        yield from whole(PEOPLE[:1])

    def other() -> Package:
        begun.wait()
        package = add(folder, DELTA, whole(PEOPLE[1:2]), DAYS[2])
        done.set()
        return package

    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(other)
        first = add(folder, DELTA, slowly(), DAYS[1])
        assert second.result(120).as_of == DAYS[2].isoformat()
    assert read_manifest(folder).packages[1:] == (first, second.result())
    assert second.result().base == DAYS[1].isoformat(), "the second goes upon the first"


def test_what_a_manifest_names_is_on_the_disk_before_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    sync = os.fsync

    def noted(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    package = add(folder, WHOLE, whole(PEOPLE[:5]), DAYS[0])
    assert synced == [package.name, folder.name, f".manifest.json.{os.getpid()}", folder.name]
