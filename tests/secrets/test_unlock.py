"""What a password of the vault costs, and how it is changed."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from time import perf_counter

import keyring
import keyring.backend
import pytest

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.profiles import open_profile
from operator_tui.secrets import profile_secrets
from operator_tui.secrets.live import LiveSecrets, VaultBackend
from operator_tui.secrets.vault import Vault


@pytest.fixture(autouse=True)
def _keyring_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring.core, "_keyring_backend", keyring.core._keyring_backend)


def test_a_vault_is_unlocked_within_seven_tenths_of_a_second(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "vault", lambda: "пароль")
    vault.change(lambda kept: kept.update(a=b"1"))
    times: list[float] = []
    # The machine of the tests is shared: the best try is the price, the others are the neighbours'.
    while len(times) < 12 and min(times, default=9.9) > 0.7:
        begin = perf_counter()
        assert vault.fits("пароль")
        times.append(perf_counter() - begin)
    assert min(times) <= 0.7, times
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
