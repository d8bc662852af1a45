"""Secrets of live profiles, through the library keyring with a backend that we name (see profile_secrets)."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Callable
from typing import Any

import keyring
import keyring.backend
import keyring.errors

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.profiles import Profile
from operator_tui.secrets import KEY_BYTES
from operator_tui.secrets.files import read_private, write_private
from operator_tui.secrets.vault import Vault

_SERVICE = "secret-service"


class VaultBackend(keyring.backend.KeyringBackend):
    """The vault as a backend of keyring. Its priority keeps keyring from ever choosing it by itself."""

    priority = -1

    def __init__(self, vault: Vault) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # keyring annotates only part of its face
        self._vault = vault

    @property
    def vault(self) -> Vault:
        """What it stands on."""
        return self._vault

    def get_password(self, service: str, username: str) -> str | None:
        value = self._vault.get(f"{service}/{username}")
        return None if value is None else value.decode()

    def set_password(self, service: str, username: str, password: str) -> None:
        self._vault.change(lambda kept: kept.update({f"{service}/{username}": password.encode()}))

    def delete_password(self, service: str, username: str) -> None:
        def forget(kept: dict[str, bytes]) -> None:
            kept.pop(f"{service}/{username}", None)

        self._vault.change(forget)


class LiveSecrets:
    """Secrets of one profile in one backend. Values are base64 there: a keyring holds texts."""

    def __init__(self, profile: Profile, backend: Any, *, on_set: Callable[[], None] = lambda: None) -> None:
        self._service = f"operator-tui/{profile.name}"
        self._backend = backend
        self._on_set = on_set
        # For this process nothing but our choice is keyring's keyring, whoever asks it.
        keyring.set_keyring(backend)

    @property
    def vault(self) -> Vault | None:
        """The vault behind it, None with a Secret Service."""
        return self._backend.vault if isinstance(self._backend, VaultBackend) else None

    @property
    def backend(self) -> str:
        """Which backend it is, for the settings screen: ``vault`` or ``secret-service``."""
        return "vault" if isinstance(self._backend, VaultBackend) else _SERVICE

    def key(self, name: str, *, create: bool = True) -> bytes:
        kept = self.get(name)
        if kept is not None:
            return kept
        if not create:
            raise Refusal(Code.KEY_MISSING, name=name)
        fresh = secrets.token_bytes(KEY_BYTES)
        self.set(name, fresh)
        return fresh

    def get(self, name: str) -> bytes | None:
        try:
            text = self._backend.get_password(self._service, name)
        except keyring.errors.KeyringError as error:
            raise Refusal(Code.KEYRING_AWAY, reason=type(error).__name__) from None
        try:
            return None if text is None else base64.b64decode(text, validate=True)
        except binascii.Error:
            raise Refusal(Code.KEY_MISSING, name=name) from None

    def set(self, name: str, value: bytes) -> None:
        self._on_set()  # first: a key in a backend that nobody remembers is a lost key
        try:
            self._backend.set_password(self._service, name, base64.b64encode(value).decode())
        except keyring.errors.KeyringError as error:
            raise Refusal(Code.KEYRING_AWAY, reason=type(error).__name__) from None

    def delete(self, name: str) -> None:
        try:
            self._backend.delete_password(self._service, name)
        except keyring.errors.PasswordDeleteError:
            return
        except keyring.errors.KeyringError as error:
            raise Refusal(Code.KEYRING_AWAY, reason=type(error).__name__) from None


def live_secrets(profile: Profile, passphrase: Callable[[], str] | None) -> LiveSecrets:
    """The backend this profile took at its first secret; a profile without any takes what is there now.

    It stays with it: a Secret Service that is locked today must not lead to a new vault with a new key for the
    journal, nor one that appears one day hide the vault.
    """
    if profile.synthetic:
        raise Refusal(Code.KEY_BACKEND_REFUSED, profile=profile.name)
    vault = Vault(profile.data / "vault", passphrase)
    mark = profile.data / "keys.backend"
    marked = read_private(mark) == _SERVICE.encode()
    service = secret_service() if marked or not vault.exists else None
    if marked and service is None:
        raise Refusal(Code.KEYRING_AWAY, reason="Secret Service")
    if service is None:
        return LiveSecrets(profile, VaultBackend(vault))
    return LiveSecrets(profile, service, on_set=lambda: write_private(mark, _SERVICE.encode()))


def secret_service() -> Any | None:
    """keyring's Secret Service backend if the service answers and its collection is unlocked, else None."""
    try:
        import secretstorage
        from keyring.backends import SecretService
    except ImportError:
        return None
    try:
        connection = secretstorage.dbus_init()
        try:
            if not secretstorage.check_service_availability(connection):
                return None
            if secretstorage.get_default_collection(connection).is_locked():
                return None
        finally:
            connection.close()
        return SecretService.Keyring()  # type: ignore[no-untyped-call]  # as above
    except (secretstorage.SecretStorageException, RuntimeError, OSError):
        return None
