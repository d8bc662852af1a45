"""Copies of the server's database: durable by them, verified, and desks that heal a server restored from one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa

from central.backup import backup, restore_postgres, restore_sqlite
from central.store import tables as t
from central.store.database import Database
from central.verify import verify
from operator_tui.appeals.errors import Code, Refusal
from tests.central.conftest import KEY
from tests.central.desks import Desk, Office


def test_what_a_copy_holds_is_durable(office: Office, desk: Desk, tmp_path: Path) -> None:
    assert desk.send(desk.new_card()).head.durable == 0
    _demand_tools(office.database)
    assert backup(office.database, tmp_path / "copy") == 1
    assert desk.send(desk.new_card()).head.durable == 1, "the second is in no copy yet"
    assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.glob("copy*")] == ["copy"]


def test_a_copy_is_never_written_over(office: Office, tmp_path: Path) -> None:
    (tmp_path / "copy").write_text("yesterday")
    with pytest.raises(Refusal) as refused:
        backup(office.database, tmp_path / "copy")
    assert refused.value.code is Code.BACKUP_EXISTS
    assert (tmp_path / "copy").read_text() == "yesterday"


def test_a_copy_that_can_not_be_written_is_told_and_leaves_nothing(
    office: Office, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.send(desk.new_card())
    (tmp_path / "file").write_text("no folder")
    for folder in (tmp_path / "none", tmp_path / "file"):
        with pytest.raises(Refusal) as refused:
            backup(office.database, folder / "copy")
        assert refused.value.code is Code.BACKUP_FAILED
    if office.database.engine.dialect.name == "sqlite":  # the engine refuses what it is to write into
        monkeypatch.setattr(Path, "touch", lambda path, **_: path.write_bytes(b"not ours"))
        with pytest.raises(Refusal) as refused:
            backup(office.database, tmp_path / "copy")
        assert refused.value.code is Code.BACKUP_FAILED
    assert list(tmp_path.glob("copy*")) == []
    assert desk.send().head.durable == 0, "nothing holds it"


def test_a_restored_database_is_another_lineage(
    office: Office, desk: Desk, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    desk.send(desk.new_card(text="вчера"))
    _demand_tools(office.database)
    backup(office.database, tmp_path / "copy")
    desk.send(desk.new_card(text="сегодня"))
    before = desk.send().head
    restored, epoch = _restored(office.database, tmp_path, request)
    try:
        with restored.read() as connection:
            assert connection.execute(sa.select(t.server.c.v).where(t.server.c.k == "epoch")).scalar_one() == epoch
            assert connection.execute(sa.select(t.device.c.last_n)).scalar_one() == 1
            assert connection.execute(sa.select(sa.func.count()).select_from(t.card)).scalar_one() == 1
        assert epoch != before.e
        assert verify(restored).faults == ()
    finally:
        restored.close()


def test_history_that_was_rewritten_shows_itself(office: Office, desk: Desk, database: Database) -> None:
    for _ in range(4):
        desk.send(desk.new_card(text="как было"))
    found = verify(database)
    assert found.faults == ()
    assert found.entries >= 4
    with pytest.raises(sa.exc.DBAPIError):
        _rewrite(database, "UPDATE event SET kind = 'card.set' WHERE seq = 3")
    on_table = " ON event_body" if database.engine.dialect.name == "postgresql" else ""
    _rewrite(database, f"DROP TRIGGER event_body_no_update{on_table}")
    _rewrite(database, "UPDATE event_body SET body = '{}' WHERE seq = 2")
    (fault,) = verify(database).faults
    assert (fault.stream, fault.seq, fault.what) == ("26/tf", 2, "body")


def _rewrite(database: Database, statement: str) -> None:
    database.write(lambda connection: connection.exec_driver_sql(statement))


def _restored(database: Database, folder: Path, request: pytest.FixtureRequest) -> tuple[Database, str]:
    if database.engine.dialect.name == "sqlite":
        target = folder / "other.db"
        epoch = restore_sqlite(folder / "copy", KEY, target)
        return Database.sqlite(target, KEY), epoch
    url = request.getfixturevalue("postgres").fresh()
    epoch = restore_postgres(folder / "copy", url)
    return Database.postgres(url), epoch


def _demand_tools(database: Database) -> None:
    found = shutil.which("pg_dump") or any(Path("/usr/lib/postgresql").glob("*/bin/pg_dump"))
    if database.engine.dialect.name == "postgresql" and not found:
        pytest.skip("pg_dump is not here: apt-get install postgresql-client")


def test_a_restore_keeps_what_was_there(tmp_path: Path) -> None:
    database = Database.sqlite(tmp_path / "central.db", KEY)
    backup(database, tmp_path / "copy")
    database.close()
    restore_sqlite(tmp_path / "copy", KEY, tmp_path / "central.db")
    kept = Database.sqlite(tmp_path / "central.db.before-restore", KEY)
    kept.close()
    with pytest.raises(Refusal) as refused:
        restore_sqlite(tmp_path / "copy", bytes(32), tmp_path / "central.db")
    assert refused.value.code is Code.DATABASE_KEY_WRONG
