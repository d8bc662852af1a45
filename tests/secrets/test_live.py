"""Live profiles: keyring with a backend that we name, and the vault behind it."""

from __future__ import annotations

import base64
import json
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keyring
import keyring.backend
import keyring.errors
import pytest

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.profiles import Profile, open_profile
from operator_tui.secrets import live, profile_secrets
from operator_tui.secrets.live import LiveSecrets, VaultBackend
from operator_tui.secrets.vault import Vault


@pytest.fixture(autouse=True)
def _keyring_as_it_was() -> Iterator[None]:
    before = keyring.core._keyring_backend
    yield
    keyring.core._keyring_backend = before


@pytest.fixture
def profile() -> Profile:
    return open_profile("tfoms26")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cheap passphrase key, for tests that are not about its price."""
    monkeypatch.setattr("operator_tui.secrets.vault._MEMORY_KIB", 64)
    monkeypatch.setattr("operator_tui.secrets.vault._PASSES", 1)


class Asked:
    """A passphrase prompt that counts how often it was shown."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.times = 0

    def __call__(self) -> str:
        self.times += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def refused(use: Any, *arguments: Any) -> Code:
    with pytest.raises(Refusal) as caught:
        use(*arguments)
    return caught.value.code


def test_a_headless_live_profile_gets_a_vault_and_no_plain_file(profile: Profile, quick: None) -> None:
    asked = Asked("пароль смены")
    secrets = profile_secrets(profile, passphrase=asked)
    key = secrets.key("journal")
    assert len(key) == 32
    assert secrets.key("journal", create=False) == key
    assert asked.times == 1
    assert isinstance(keyring.get_keyring(), VaultBackend)  # not what keyring would have chosen
    files = {file.name for file in profile.data.iterdir()}
    assert files == {"vault", "vault.lock"}
    file = profile.data / "vault"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for known in (key, base64.b64encode(key), key.hex().encode(), b"journal", b"tfoms26"):
        assert known not in file.read_bytes()
    again = Asked("пароль смены")
    assert profile_secrets(profile, passphrase=again).key("journal", create=False) == key
    assert again.times == 1


def test_the_real_price_of_a_guess(profile: Profile) -> None:
    vault = Vault(profile.data / "vault", Asked("x"))
    vault.change(lambda kept: kept.update(a=b"1"))
    header = json.loads((profile.data / "vault").read_text())["header"]
    assert (header["m"], header["t"], header["p"]) == (64 * 1024, 3, 4)  # RFC 9106, section 4, second choice
    assert Vault(profile.data / "vault", Asked("x")).get("a") == b"1"


def test_a_wrong_passphrase_opens_nothing_and_may_be_said_again(profile: Profile, quick: None) -> None:
    profile_secrets(profile, passphrase=Asked("верный")).set("token", b"t")
    content = (profile.data / "vault").read_bytes()
    asked = Asked("неверный", "верный")
    secrets = profile_secrets(profile, passphrase=asked)
    assert refused(secrets.get, "token") is Code.VAULT_PASSPHRASE
    assert (profile.data / "vault").read_bytes() == content
    assert secrets.get("token") == b"t"
    assert asked.times == 2


def test_a_wrong_passphrase_never_writes(profile: Profile, quick: None) -> None:
    profile_secrets(profile, passphrase=Asked("верный")).key("journal")
    content = (profile.data / "vault").read_bytes()
    other = profile_secrets(profile, passphrase=Asked("неверный"))
    for use in (lambda: other.key("journal"), lambda: other.set("x", b"1"), lambda: other.delete("journal")):
        assert refused(use) is Code.VAULT_PASSPHRASE
    assert (profile.data / "vault").read_bytes() == content


def test_nobody_to_ask_means_locked(profile: Profile, quick: None) -> None:
    assert refused(profile_secrets(profile).key, "journal") is Code.VAULT_LOCKED
    profile_secrets(profile, passphrase=Asked("p")).set("x", b"1")
    assert refused(profile_secrets(profile).get, "x") is Code.VAULT_LOCKED


@pytest.mark.parametrize("part", ["header", "nonce", "box"])
def test_a_changed_byte_is_noticed(profile: Profile, quick: None, part: str) -> None:
    profile_secrets(profile, passphrase=Asked("p")).set("x", b"1")
    file = profile.data / "vault"
    whole = json.loads(file.read_text())
    if part == "header":
        whole["header"]["t"] += 1
    else:
        raw = bytearray(base64.b64decode(whole[part]))
        raw[0] ^= 1
        whole[part] = base64.b64encode(raw).decode()
    file.write_text(json.dumps(whole))
    assert refused(profile_secrets(profile, passphrase=Asked("p")).get, "x") is Code.VAULT_PASSPHRASE


@pytest.mark.parametrize(
    "change", [{"m": 1 << 40}, {"m": 0}, {"t": 10**9}, {"p": 0}, {"v": 2}, {"salt": "AA=="}, {"salt": 5}, {"m": "x"}]
)
def test_a_forged_header_costs_nothing(profile: Profile, quick: None, change: dict[str, Any]) -> None:
    profile_secrets(profile, passphrase=Asked("p")).set("x", b"1")
    file = profile.data / "vault"
    whole = json.loads(file.read_text())
    whole["header"] |= change
    file.write_text(json.dumps(whole))
    asked = Asked("p")
    assert refused(profile_secrets(profile, passphrase=asked).get, "x") is Code.FILE_UNREADABLE
    assert asked.times == 0


@pytest.mark.parametrize("content", ["", "{}", "[]", "{", '{"header": {}, "box": "", "nonce": ""}'])
def test_a_broken_vault_is_named_and_kept(profile: Profile, content: str) -> None:
    profile.data.mkdir(parents=True)
    file = profile.data / "vault"
    file.touch(mode=0o600)
    file.write_text(content)
    secrets = profile_secrets(profile, passphrase=Asked("p"))
    for use in (lambda: secrets.get("x"), lambda: secrets.key("journal")):
        assert refused(use) is Code.FILE_UNREADABLE
    assert file.read_text() == content


def test_a_vault_open_to_others_is_not_used(profile: Profile, quick: None) -> None:
    profile_secrets(profile, passphrase=Asked("p")).set("x", b"1")
    (profile.data / "vault").chmod(0o644)
    assert refused(profile_secrets(profile, passphrase=Asked("p")).get, "x") is Code.KEY_FILE_OPEN


def test_locking_forgets_the_key(profile: Profile, quick: None) -> None:
    asked = Asked("p")
    vault = Vault(profile.data / "vault", asked)
    vault.change(lambda kept: kept.update(a=b"1"))
    vault.get("a")
    assert asked.times == 1
    vault.lock()
    assert vault.get("a") == b"1"
    assert asked.times == 2


def test_a_key_that_should_be_there_is_not_made_anew(profile: Profile, quick: None) -> None:
    secrets = profile_secrets(profile, passphrase=Asked("p"))
    assert refused(lambda: secrets.key("journal", create=False)) is Code.KEY_MISSING
    secrets.set("journal", bytes(32))
    secrets.delete("journal")
    secrets.delete("journal")
    assert secrets.get("journal") is None


# the Secret Service


class FakeService(keyring.backend.KeyringBackend):
    """What the desk needs of a Secret Service, in memory."""

    priority = -1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # keyring annotates only part of its face
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def _demand_open(self) -> None:
        if self.locked:
            raise keyring.errors.KeyringLocked

    def get_password(self, service: str, username: str) -> str | None:
        self._demand_open()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._demand_open()
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._demand_open()
        if self.kept.pop((service, username), None) is None:
            raise keyring.errors.PasswordDeleteError


def test_an_unlocked_secret_service_is_taken(profile: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    service = FakeService()
    monkeypatch.setattr(live, "secret_service", lambda: service)
    secrets = profile_secrets(profile)
    key = secrets.key("journal")
    assert isinstance(secrets, LiveSecrets)
    assert secrets.backend == "secret-service"
    assert keyring.get_keyring() is service
    assert service.kept == {("operator-tui/tfoms26", "journal"): base64.b64encode(key).decode()}
    assert secrets.key("journal", create=False) == key
    secrets.delete("journal")
    secrets.delete("journal")
    assert secrets.get("journal") is None
    assert {file.name for file in profile.data.iterdir()} == {"keys.backend"}


def test_a_profile_that_began_with_a_service_waits_for_it(
    profile: Profile, monkeypatch: pytest.MonkeyPatch, quick: None
) -> None:
    """A locked service must not lead to a vault with a new key: the journal would seem to have a wrong one."""
    service = FakeService()
    monkeypatch.setattr(live, "secret_service", lambda: service)
    key = profile_secrets(profile).key("journal")
    monkeypatch.setattr(live, "secret_service", lambda: None)
    assert refused(lambda: profile_secrets(profile, passphrase=Asked("p"))) is Code.KEYRING_AWAY
    assert not (profile.data / "vault").exists()
    monkeypatch.setattr(live, "secret_service", lambda: service)
    assert profile_secrets(profile).key("journal", create=False) == key


def test_a_service_that_was_never_used_binds_nobody(
    profile: Profile, monkeypatch: pytest.MonkeyPatch, quick: None
) -> None:
    monkeypatch.setattr(live, "secret_service", FakeService)
    assert profile_secrets(profile).get("journal") is None
    monkeypatch.setattr(live, "secret_service", lambda: None)
    assert len(profile_secrets(profile, passphrase=Asked("p")).key("journal")) == 32


def test_a_service_that_locks_itself_is_a_sentence(profile: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    service = FakeService()
    monkeypatch.setattr(live, "secret_service", lambda: service)
    secrets = profile_secrets(profile)
    service.locked = True
    for use in (lambda: secrets.key("journal"), lambda: secrets.set("x", b"1"), lambda: secrets.delete("x")):
        assert refused(use) is Code.KEYRING_AWAY


def test_a_profile_that_began_with_a_vault_stays_with_it(
    profile: Profile, monkeypatch: pytest.MonkeyPatch, quick: None
) -> None:
    key = profile_secrets(profile, passphrase=Asked("p")).key("journal")
    monkeypatch.setattr(live, "secret_service", FakeService)
    assert profile_secrets(profile, passphrase=Asked("p")).key("journal", create=False) == key


def test_without_a_session_bus_there_is_no_service() -> None:
    assert live.secret_service() is None


@pytest.mark.parametrize("name", ["demo", "practice"])
def test_practice_never_reaches_a_keyring(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "secret_service", FakeService)
    assert refused(live.live_secrets, open_profile(name), None) is Code.KEY_BACKEND_REFUSED
    assert not isinstance(profile_secrets(open_profile(name)), LiveSecrets)


@pytest.mark.needs("keyring")
def test_a_real_secret_service(home: Path) -> None:
    """GNOME's keyring on a session bus of its own: kept, read again, locked."""
    told = subprocess.run(
        ["dbus-run-session", "--", sys.executable, "-m", "tests.secrets.service"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        cwd=Path(__file__).parents[2],
    )
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout.splitlines()[-1]) == {
        "backend": "secret-service",
        "bytes": 32,
        "again": True,
        "other profile": None,
        "deleted": None,
        "locked": "keyring_away",
        "locked at start": "keyring_away",
        "files": ["keys.backend"],
    }
