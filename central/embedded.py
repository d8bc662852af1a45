"""The embedded database of a profile without ``--database``: its key is in the profile's secrets."""

from __future__ import annotations

import sys

import click

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.i18n import tr
from operator_tui.profiles import Profile
from operator_tui.secrets import profile_secrets
from operator_tui.secrets.process import harden_memory
from operator_tui.signin.messages import MIN_PASSWORD


def profile_key(profile: Profile, *, create: bool, name: str = "central") -> bytes:
    """The key of the profile's ``central.db``, or another of that ``name``, 32 bytes. A live profile on a machine
    without a Secret Service has a vault: its passphrase is asked on a terminal (twice for a new one), else it is the
    first line of stdin.

    Refusals: VAULT_LOCKED (nothing was given), VAULT_PASSPHRASE, PASSWORD_WEAK (of a new vault), KEYRING_AWAY,
    KEY_MISSING without ``create``.
    """
    harden_memory()  # before the passphrase is in it
    vault = profile.data / "vault"
    fresh = not vault.exists()

    def passphrase() -> str:
        typed = _typed(twice=fresh)
        if not typed:
            raise Refusal(Code.VAULT_LOCKED, path=str(vault))
        if fresh:
            _demand_strong(typed)
        return typed

    return profile_secrets(profile, passphrase=passphrase).key(name, create=create)


def _typed(*, twice: bool) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    again = tr("Пароль ещё раз") if twice else False
    return str(click.prompt(tr("Пароль хранилища ключей сервера"), hide_input=True, confirmation_prompt=again))


def _demand_strong(passphrase: str) -> None:
    if len(passphrase) < MIN_PASSWORD:
        raise Refusal(Code.PASSWORD_WEAK, length=MIN_PASSWORD)
