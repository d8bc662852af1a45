"""The server's private keys are not in its database; and what follows when their file is away or another's."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from central.keys import ServerKeys, keys_file_of, public_keys, seal_file, server_keys
from central.store import tables as t
from central.store.database import Database
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.profiles import open_profile

PASSPHRASE = "пароль файла ключей"


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("operator_tui.secrets.vault._MEMORY_KIB", 64)
    monkeypatch.setattr("operator_tui.secrets.vault._PASSES", 1)


def refused(act: Callable[[], object]) -> Code:
    with pytest.raises(Refusal) as refusal:
        act()
    return refusal.value.code


def everything_in(database: Database) -> str:
    with database.read() as connection:
        return repr([connection.execute(sa.select(table)).all() for table in t.metadata.sorted_tables])


def test_the_database_knows_the_public_halves_alone(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "config" / "central.keys"
    keys = server_keys(database, file)
    assert file.stat().st_mode & 0o077 == 0
    assert public_keys(database) == keys.public
    kept = everything_in(database)
    for private in (keys.recovery, keys.fund):
        assert private.hex() not in kept
        assert repr(private) not in kept
    assert keys.recovery != keys.fund
    assert server_keys(database, file) == keys, "the same at the next start"
    assert private.hex() not in repr(keys), "nor in a traceback"


def test_a_file_that_is_away_or_anothers_stops_the_server(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "central.keys"
    server_keys(database, file)
    away = tmp_path / "away.keys"
    assert refused(lambda: server_keys(database, away)) is Code.SERVER_KEYS_AWAY
    assert not away.exists(), "no new keys are made for an old database"
    other = Database.sqlite(tmp_path / "other.db", bytes(range(32)))
    foreign = tmp_path / "foreign.keys"
    server_keys(other, foreign)
    other.close()
    assert refused(lambda: server_keys(database, foreign)) is Code.SERVER_KEYS_OTHER
    file.chmod(0o644)
    assert refused(lambda: server_keys(database, file)) is Code.KEY_FILE_OPEN
    file.chmod(0o600)
    file.write_text("{}")
    assert refused(lambda: server_keys(database, file)) is Code.FILE_UNREADABLE


def test_a_sealed_file_opens_with_its_passphrase_alone(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "central.keys"
    keys = server_keys(database, file)
    assert refused(lambda: seal_file(tmp_path / "none", PASSPHRASE)) is Code.SERVER_KEYS_AWAY
    seal_file(file, PASSPHRASE)
    assert keys.recovery.hex() not in file.read_text()
    assert refused(lambda: server_keys(database, file)) is Code.VAULT_LOCKED
    assert refused(lambda: server_keys(database, file, lambda: "не тот")) is Code.VAULT_PASSPHRASE
    assert server_keys(database, file, lambda: PASSPHRASE) == keys


def test_a_recovery_key_that_stood_in_the_database_moves_out(database: Database, tmp_path: Path) -> None:
    former = ServerKeys.fresh().recovery
    database.write(lambda connection: connection.execute(sa.insert(t.server).values(k="recovery", v=former.hex())))
    keys = server_keys(database, tmp_path / "central.keys")
    assert keys.recovery == former, "what was sealed to it still opens"
    assert former.hex() not in everything_in(database)


def test_systemd_hands_over_a_credential(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    profile = open_profile("demo")
    assert keys_file_of(profile) == profile.config / "central.keys"
    assert profile.data not in keys_file_of(profile).parents, "never beside the database"
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert keys_file_of(profile) == profile.config / "central.keys"
    (tmp_path / "operator-tui-keys").touch()
    assert keys_file_of(profile) == tmp_path / "operator-tui-keys"


def test_the_file_is_sealed_from_the_console(home: Path) -> None:
    def run(typed: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "operator_tui", "central", "keys", "seal"]
        return subprocess.run(command, input=typed, capture_output=True, text=True, check=False, timeout=300)

    away = run(f"{PASSPHRASE}\n")
    assert (away.returncode, "Файла ключей сервера" in away.stderr) == (1, True)
    profile = open_profile("demo")
    profile.make_folders()
    database = Database.sqlite(profile.central_file, bytes(32))
    keys = server_keys(database, keys_file_of(profile))
    sealed = run(f"{PASSPHRASE}\n")
    assert sealed.returncode == 0, sealed.stderr
    assert PASSPHRASE not in sealed.stdout
    assert server_keys(database, keys_file_of(profile), lambda: PASSPHRASE) == keys
    database.close()
