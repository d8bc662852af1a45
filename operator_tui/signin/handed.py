"""What «Выход» hands to the sender that stays: one message, through a pipe, never on disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.signin.seat import Place
from operator_tui.sync.settings import CentralSettings, FileSettings

if TYPE_CHECKING:
    from operator_tui.secrets import Secrets

_HOUR_MS = 3_600_000
_LEAST_MS = _HOUR_MS  # overtime too has something to send


class HandedFiles(msgspec.Struct, frozen=True):
    """What the lane of files needs; no key of theirs, as they go sealed as they lie. ``settings`` and the office's
    ``zone`` say when; ``recordings`` and ``papers`` are their folders, ``workstation`` the profile's; ``engine`` the
    lock file of the telephone's engine."""

    settings: FileSettings
    zone: str
    recordings: str
    papers: str
    workstation: str
    engine: str

    def folder(self, kind: str) -> Path:
        """Where sealed files of a kind (journal.files) lie."""
        return Path(self.recordings if kind == "recording" else self.papers)


class Handed(msgspec.Struct, frozen=True):
    """``journal`` its file; ``key`` the journal's, ``device_key`` what the place signs with (32 bytes each);
    ``refresh`` the session's token; ``until_ms`` when the sender gives up (UTC ms); ``logs`` a folder; ``sealed`` the
    one that takes what is unsent should the place be revoked."""

    journal: str
    key: bytes
    device_key: bytes
    refresh: str
    place: Place
    central: CentralSettings
    files: HandedFiles
    until_ms: int
    logs: str
    sealed: str


def until_ms(signed_in_ms: int, now_ms: int, shift_hours: float) -> int:
    """The end of the shift of who signed in then (UTC ms), an hour from now at the least."""
    return max(signed_in_ms + round(shift_hours * _HOUR_MS), now_ms + _LEAST_MS)


class HandedSeat:
    """A seat for a session (session.Sitting) in memory alone: its tokens end with the process."""

    def __init__(self, handed: Handed) -> None:
        self.place = handed.place
        self.refresh = handed.refresh
        self._device_key = handed.device_key

    @property
    def secrets(self) -> Secrets:
        """None of them came along. Refusal(VAULT_LOCKED)."""
        raise Refusal(Code.VAULT_LOCKED, path="")

    def keep_refresh(self, token: str, place: Place) -> None:
        """The next token and the server's word."""
        self.refresh, self.place = token, place

    def remember(self, password: str) -> None:
        """Nobody gives a password here. Refusal(VAULT_LOCKED)."""
        raise Refusal(Code.VAULT_LOCKED, path="")

    def sign(self, text: bytes) -> str:
        """The device key's signature (hex)."""
        from nacl.signing import SigningKey

        return str(SigningKey(self._device_key).sign(text).signature.hex())
