"""What a password of the vault costs, and how it is changed."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import types
import warnings
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import keyring
import keyring.backend
import pytest
from argon2.low_level import Type, hash_secret_raw

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.profiles import open_profile
from operator_tui.secrets import profile_secrets
from operator_tui.secrets.live import LiveSecrets, VaultBackend
from operator_tui.secrets.vault import Vault

UNLOCK_S = 0.7


@pytest.fixture(autouse=True)
def _keyring_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring.core, "_keyring_backend", keyring.core._keyring_backend)


def test_a_vault_is_unlocked_by_one_price_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seven tenths of a second is for `python -m bench.signin`; here the work is counted, the time only told."""
    vault = Vault(tmp_path / "vault", lambda: "пароль")
    vault.change(lambda kept: kept.update(a=b"1"))
    paid: list[int] = []

    def counted(*given: Any, memory_cost: int, **more: Any) -> bytes:
        paid.append(memory_cost)
        return hash_secret_raw(*given, memory_cost=memory_cost, **more)

    monkeypatch.setattr("operator_tui.secrets.vault.hash_secret_raw", counted)
    took, worked, price = [], [], []
    for _ in range(3):  # the best of each: what else the machine does makes all of them dearer, never cheaper
        begin, work = perf_counter(), process_time()
        assert vault.fits("пароль")
        took.append(perf_counter() - begin)
        worked.append(process_time() - work)
        work = process_time()
        hash_secret_raw(b"x", bytes(16), time_cost=3, memory_cost=64 * 1024, parallelism=4, hash_len=32, type=Type.ID)
        price.append(process_time() - work)
    assert paid == [64 * 1024] * 3, "Argon2id once"
    assert min(worked) < 2 * min(price), "and nothing else that counts"
    if min(took) > UNLOCK_S:
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            warnings.warn(f"a vault was unlocked in {min(took):.2f} s", stacklevel=1)
    assert not vault.fits("не тот")
    assert vault.get("a") == b"1"


def test_a_new_passphrase_takes_the_place_of_the_old(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "vault", lambda: "старый")
    vault.change(lambda kept: kept.update(a=b"1"))
    before = vault.unwrapped
    vault.wrap_anew("новый")
    assert vault.get("a") == b"1"
    assert Vault(tmp_path / "vault", lambda: "новый").get("a") == b"1"
    with pytest.raises(Refusal) as refused:
        Vault(tmp_path / "vault", lambda: "старый").get("a")
    assert refused.value.code is Code.VAULT_PASSPHRASE
    assert not Vault(tmp_path / "vault", None).open_unwrapped(before), "the key of before opens nothing any more"


def test_what_the_kernel_kept_opens_it_without_a_passphrase(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "vault", lambda: "пароль")
    vault.change(lambda kept: kept.update(a=b"1"))
    other = Vault(tmp_path / "vault", None)
    assert other.open_unwrapped(vault.unwrapped)
    assert other.get("a") == b"1"
    for wrong in (b"", bytes(48), vault.unwrapped[:-1], vault.unwrapped[:-1] + bytes([vault.unwrapped[-1] ^ 1])):
        assert not Vault(tmp_path / "vault", None).open_unwrapped(wrong)
    vault.lock()
    assert vault.unwrapped == b""


def test_a_plain_text_keyring_that_is_installed_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """keyrings.alt registers backends of a higher priority than any of ours (it calls them by this name)."""

    class PlaintextKeyring(keyring.backend.KeyringBackend):
        priority = 100

        def get_password(self, service: str, username: str) -> str | None:
            raise AssertionError("asked")

        def set_password(self, service: str, username: str, password: str) -> None:
            raise AssertionError("written in plain text")

    module = types.ModuleType("keyrings.alt.file")
    module.PlaintextKeyring = PlaintextKeyring  # type: ignore[attr-defined]  # a module made here
    monkeypatch.setitem(sys.modules, "keyrings.alt.file", module)
    monkeypatch.setattr(keyring.core, "_keyring_backend", PlaintextKeyring())  # type: ignore[no-untyped-call]
    secrets = profile_secrets(open_profile("tfoms26"), passphrase=lambda: "пароль")
    secrets.set("token", b"t")
    assert isinstance(secrets, LiveSecrets)
    assert secrets.backend == "vault"
    assert isinstance(keyring.get_keyring(), VaultBackend)


def test_the_real_keyrings_alt_is_installed_and_not_taken(home: Path) -> None:
    """Left to itself the library takes a chain with its plain-text file in it; a desk of its own process does not."""
    code = (
        "import json, keyring\n"
        "from keyring.core import load_config\n"
        "chosen = keyring.get_keyring()\n"
        "names = [type(one).__name__ for one in getattr(chosen, 'backends', [chosen])]\n"
        "from operator_tui.profiles import open_profile\n"
        "from operator_tui.secrets import profile_secrets\n"
        "secrets = profile_secrets(open_profile('tfoms26'), passphrase=lambda: 'пароль')\n"
        "secrets.set('token', b'a secret of this test')\n"
        "print(json.dumps([names, secrets.backend, type(keyring.get_keyring()).__name__]))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    left, ours, kept = json.loads(done.stdout)
    assert "PlaintextKeyring" in left, "keyrings.alt is there (requirements/dev.in), and would be taken"
    assert (ours, kept) == ("vault", "VaultBackend")
    secret = base64.b64encode(b"a secret of this test")
    files = [file for file in home.rglob("*") if file.is_file()]
    assert any(file.name == "vault" for file in files)
    assert not any(secret in file.read_bytes() or b"a secret of this test" in file.read_bytes() for file in files)
