"""What this workstation keeps of who signs in here: in the keyring or the vault, and a name tag beside it.

All methods may block (Argon2id takes half a second): they are run on a thread.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.people import Operator
from operator_tui.profiles import Profile
from operator_tui.secrets import kernel
from operator_tui.secrets.files import read_private, write_private
from operator_tui.sync.protocol import EnrolAnswer

if TYPE_CHECKING:
    from nacl.signing import SigningKey

    from operator_tui.secrets.live import LiveSecrets

JOURNAL_KEY, SIP_SECRET, REGISTRY_KEY = "journal", "sip", "registry"
_DEVICE_KEY, _VOICE_KEY, _REFRESH, _PLACE, _VERIFIER = "device-key", "voice-key", "refresh", "place", "verifier"
_ALL = (
    JOURNAL_KEY,
    SIP_SECRET,
    REGISTRY_KEY,
    _DEVICE_KEY,
    _VOICE_KEY,
    _REFRESH,
    _PLACE,
    _VERIFIER,
    "recordings",
    "attachments",
    "ami",
)
_OPEN = b"open"


class NameTag(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whose seat it is: readable before anything is unlocked. No secret. ``oidc``: a PIN opens it and the provider
    vouches for him."""

    device: str
    login: str
    oidc: bool = False


class Place(msgspec.Struct, frozen=True):
    """Who we are to the server. ``contact_ms`` its last word, ``allowed_until_ms`` what a code by voice allows;
    ``recovery`` and ``fund`` its public keys (hex), as it last said; ``voice_window`` that of the last code by voice,
    which counts once."""

    device: str
    number: int
    epoch: str
    login: str
    operator: Operator
    contact_ms: int
    allowed_until_ms: int = 0
    recovery: str = ""
    fund: str = ""
    voice_window: int = -1


class Seat:
    """One profile's seat. Closed until ``open`` or ``open_for_shift``."""

    def __init__(self, profile: Profile) -> None:
        """``profile`` is the folders of this one person (see Seats)."""
        self._profile = profile
        self._tag_file: Path = profile.data / "seat.json"
        self._secrets: LiveSecrets | None = None

    @property
    def journal_file(self) -> Path:
        """Where this person's journal is."""
        return self._profile.journal_file

    @property
    def tries_file(self) -> Path:
        """Where wrong passwords are counted (tries.py)."""
        return self._profile.data / "tries.json"

    @property
    def used_ns(self) -> int:
        """When somebody last came in here, 0 before enrolment."""
        return self._tag_file.stat().st_mtime_ns if self._tag_file.exists() else 0

    @property
    def tag(self) -> NameTag | None:
        """Whose it is; None before enrolment. Refusal(FILE_UNREADABLE) for a broken one."""
        content = read_private(self._tag_file)
        try:
            return msgspec.json.decode(content, type=NameTag) if content else None
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise Refusal(Code.FILE_UNREADABLE, file=self._tag_file.name, reason="JSON") from None

    @property
    def secrets(self) -> LiveSecrets:
        """The open secrets. Refusal(VAULT_LOCKED) while the seat is closed."""
        if self._secrets is None:
            raise Refusal(Code.VAULT_LOCKED, path=self._profile.name)
        return self._secrets

    @property
    def is_open(self) -> bool:
        """Whether the secrets can be read."""
        return self._secrets is not None

    @property
    def secrets_are_in_vault(self) -> bool:
        """Whether they are opened by the password itself."""
        return self.secrets.vault is not None

    # opening and closing

    def open(self, password: str) -> None:
        """Open the secrets. Refusal(SIGN_IN_WRONG) when the vault does not open with it, KEYRING_AWAY."""
        secrets = self._backend(password)
        try:
            enrolled = secrets.get(_PLACE) is not None
        except Refusal as refusal:
            if refusal.code is Code.VAULT_PASSPHRASE:
                raise Refusal(Code.SIGN_IN_WRONG) from None
            raise
        if not enrolled:
            raise Refusal(Code.NOT_ENROLLED)
        self._secrets = secrets
        self._tag_file.touch()

    def open_for_shift(self) -> bool:
        """Open them with what the kernel still holds of this shift."""
        held = kernel.get(self._profile.name)
        if held is None or self.tag is None:
            return False
        secrets = self._backend("")
        if secrets.vault is not None and not secrets.vault.open_unwrapped(held):
            return False
        if secrets.get(_PLACE) is None or secrets.get(_REFRESH) is None:
            return False
        self._secrets = secrets
        return True

    def hold_for_shift(self, seconds: int) -> None:
        """Let the kernel hold the key for that long."""
        vault = self.secrets.vault
        kernel.put(self._profile.name, vault.unwrapped if vault else _OPEN, seconds)

    def let_go(self) -> None:
        """The kernel forgets: whoever starts a desk now needs the password."""
        kernel.drop(self._profile.name)

    def leave(self) -> None:
        """«Выход»: the session and the unwrapped key are gone."""
        if self._secrets is not None:
            self._secrets.delete(_REFRESH)
        self.close()

    def close(self) -> None:
        """The secrets are shut; the session stays for who opens them again."""
        self.let_go()
        if self._secrets is not None and self._secrets.vault is not None:
            self._secrets.vault.lock()
        self._secrets = None

    def demand_fits(self, password: str) -> None:
        """That it is the password of who sits here. Refusal(SIGN_IN_WRONG)."""
        vault = self.secrets.vault
        fits = self._verifies(password) if vault is None else vault.exists and vault.fits(password)
        if not fits:
            raise Refusal(Code.SIGN_IN_WRONG)

    def demand_verified(self, password: str) -> None:
        """Without the server: the keyring opened by the session alone proves nothing. Refusal(SIGN_IN_WRONG)."""
        if self.secrets.vault is None and not self._verifies(password):
            raise Refusal(Code.SIGN_IN_WRONG)

    # enrolment and what follows from the server's word

    def enrol(self, answer: EnrolAnswer, key: SigningKey, password: str, now_ms: int, *, oidc: bool = False) -> None:
        """Keep a new identity. A vault comes to be under this password (a PIN for ``oidc``)."""
        self._profile.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        secrets = self._backend(password)
        if self.tag is None:
            secrets = self._without_leftovers(secrets, password)
        if secrets.get(JOURNAL_KEY) is None:
            # A kill within ``destroy`` left it: sealed for the server already, and no new key opens it.
            self._put_journal_aside(self.tag.device if self.tag else "left")
        secrets.set(_DEVICE_KEY, bytes(key))
        secrets.set(_VOICE_KEY, bytes.fromhex(answer.voice))
        if answer.sip:
            secrets.set(SIP_SECRET, answer.sip.encode())
        if answer.registry:
            secrets.set(REGISTRY_KEY, bytes.fromhex(answer.registry))
        place = Place(answer.device, answer.number, answer.epoch, answer.login, answer.operator, now_ms)
        secrets.set(_PLACE, msgspec.json.encode(place))
        self._secrets = secrets
        self.remember(password)
        write_private(self._tag_file, msgspec.json.encode(NameTag(answer.device, answer.login, oidc)))

    def restore(self, place: Place, key: SigningKey, voice: bytes, journal_key: bytes, sip: str, password: str) -> None:
        """After a forgotten password: a new vault with the old journal key. The old vault is kept aside, unread."""
        old = self._profile.data / "vault"
        if old.exists():
            old.replace(old.with_name("vault.before-reset"))
        secrets = self._backend(password)
        if journal_key:
            secrets.set(JOURNAL_KEY, journal_key)
        secrets.set(_DEVICE_KEY, bytes(key))
        secrets.set(_VOICE_KEY, voice)
        if sip:
            secrets.set(SIP_SECRET, sip.encode())
        secrets.set(_PLACE, msgspec.json.encode(place))
        self._secrets = secrets
        self.remember(password)

    def remember(self, password: str) -> None:
        """The right password, as a hash where no vault is opened by it."""
        if self.secrets.vault is None:
            import argon2

            self.secrets.set(_VERIFIER, argon2.PasswordHasher().hash(password).encode())

    def change_password(self, password: str) -> None:
        """The vault opens with this one from now on."""
        if self.secrets.vault is not None:
            self.secrets.vault.wrap_anew(password)
        self.remember(password)

    def destroy(self) -> None:
        """A revoked seat: its keys are gone for good, and with them what they opened. The journal's file is put aside,
        unreadable here: the server alone can still give its key back."""
        secrets = self.secrets
        device = self.place.device
        self.let_go()
        if secrets.vault is not None:
            secrets.vault.lock()
        else:
            for name in _ALL:
                secrets.delete(name)
        for name in ("vault", "vault.before-reset", "keys.backend"):
            (self._profile.data / name).unlink(missing_ok=True)
        self._put_journal_aside(device)
        self._tag_file.unlink(missing_ok=True)
        self._secrets = None

    def _put_journal_aside(self, device: str) -> None:
        for end in ("", "-wal", "-shm"):
            file = self.journal_file.with_name(self.journal_file.name + end)
            if file.exists():
                file.replace(file.with_name(f"journal.{device}.revoked{end}"))

    def _without_leftovers(self, secrets: LiveSecrets, password: str) -> LiveSecrets:
        """An enrolment that was killed half-way left a vault under a password chosen then, and nobody's tag: it is put
        aside, or no other password could ever enrol here."""
        try:
            secrets.get(_PLACE)
        except Refusal as refusal:
            if refusal.code is not Code.VAULT_PASSPHRASE:
                raise
            vault = self._profile.data / "vault"
            vault.replace(vault.with_name("vault.before-enrolment"))
            return self._backend(password)
        return secrets

    @property
    def place(self) -> Place:
        """Who we are. Refusals: VAULT_LOCKED, NOT_ENROLLED."""
        kept = self.secrets.get(_PLACE)
        if kept is None:
            raise Refusal(Code.NOT_ENROLLED)
        return msgspec.json.decode(kept, type=Place)

    def keep_place(self, place: Place) -> None:
        """Write it down."""
        self.secrets.set(_PLACE, msgspec.json.encode(place))

    @property
    def refresh(self) -> str:
        """The refresh token, empty when there is none."""
        kept = self.secrets.get(_REFRESH)
        return kept.decode() if kept else ""

    def keep_refresh(self, token: str, place: Place) -> None:
        """The next refresh token and the server's word that came with it."""
        self.secrets.set(_REFRESH, token.encode())
        self.keep_place(place)

    def sign(self, text: bytes) -> str:
        """The device key's signature (hex)."""
        from nacl.signing import SigningKey

        return str(SigningKey(self.device_key).sign(text).signature.hex())

    @property
    def device_key(self) -> bytes:
        """What this place signs with. Refusal(NOT_ENROLLED)."""
        kept = self.secrets.get(_DEVICE_KEY)
        if kept is None:
            raise Refusal(Code.NOT_ENROLLED)
        return kept

    @property
    def voice_key(self) -> bytes:
        """The key of codes given by voice."""
        return self.secrets.get(_VOICE_KEY) or b""

    def _verifies(self, password: str) -> bool:
        import argon2

        kept = self.secrets.get(_VERIFIER)
        try:
            return kept is not None and argon2.PasswordHasher().verify(kept.decode(), password)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False

    def _backend(self, password: str) -> LiveSecrets:
        from operator_tui.secrets.live import live_secrets

        return live_secrets(self._profile, lambda: password)
