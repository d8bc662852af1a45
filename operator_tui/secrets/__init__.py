"""Hands out keys: a key file for made-up people, the system's keyring or a vault for real ones. Knows no journal.

Importing this package costs nothing; what a profile needs is imported when its secrets are opened.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from operator_tui.profiles import Profile

KEY_BYTES = 32


class Secrets(Protocol):
    """The secrets of one profile. Names are ours (``journal``, ``registry``, ``token``), values are bytes."""

    def key(self, name: str, *, create: bool = True) -> bytes:
        """The key of that name, 32 bytes, made at random at its first use.

        With ``create=False`` Refusal(KEY_MISSING) when there is none: for a file that exists a new key is no help.
        """
        ...

    def get(self, name: str) -> bytes | None:
        """The secret of that name, None when there is none."""
        ...

    def set(self, name: str, value: bytes) -> None:
        """Keep a secret; it is on disk when this returns."""
        ...

    def delete(self, name: str) -> None:
        """Forget a secret. Nothing happens when there is none."""
        ...


def profile_secrets(profile: Profile, *, passphrase: Callable[[], str] | None = None) -> Secrets:
    """The secrets of a profile.

    ``demo`` and ``practice`` have a 0600 key file in the profile's data folder and touch nothing else (DESIGN rules
    9 and 15). Live profiles go through the library ``keyring`` with a backend named here, never chosen by it: on a
    headless machine its own choice is none at all or a chain with a plain-text file in it (design, section 3). A new
    profile takes the Secret Service if it runs and is unlocked, else a vault, and stays with what it took: Refusal
    (KEYRING_AWAY) when its service is away. ``passphrase`` is asked once, when the vault is opened; without it
    Refusal(VAULT_LOCKED).
    """
    if profile.synthetic:
        from operator_tui.secrets.keyfile import KeyFile

        return KeyFile(profile)
    from operator_tui.secrets.live import live_secrets

    return live_secrets(profile, passphrase)


def harden_process() -> None:
    """Keep this process's memory from cores and from other processes of the user, and its files from others.

    PR_SET_DUMPABLE 0 (prctl(2)), RLIMIT_CORE 0, umask 077 (design, section 3).
    """
    from operator_tui.secrets.process import harden

    harden()
