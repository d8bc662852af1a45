"""What a desk and the server say when a sealed file is to be read; both ends import this file."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from operator_tui.i18n import mark

RECORDING_KEY_PATH = "/v1/files/recording-key"
ATTACHMENT_KEY_PATH = "/v1/files/attachment-key"
VOICE_MAIL_KEY_PATH = "/v1/files/voice-mail-key"
RECORDINGS_PATH = "/v1/files/recordings"


KEY_PATHS = {
    "recording": RECORDING_KEY_PATH,
    "attachment": ATTACHMENT_KEY_PATH,
    "voice_mail": VOICE_MAIL_KEY_PATH,
}  # by secrets.address.FileKind


class Purpose(StrEnum):
    """Why a sealed file is read. Of a list and not in words: it is kept in the audit log for good."""

    QUALITY = "quality"
    COMPLAINT = "complaint"
    APPEAL = "appeal"
    SUBJECT = "subject"  # the person himself asks (152-ФЗ, article 14)
    INCIDENT = "incident"


PURPOSE_TITLES = {
    Purpose.QUALITY: mark("Контроль качества"),
    Purpose.COMPLAINT: mark("Разбор жалобы"),
    Purpose.APPEAL: mark("Работа с обращением"),
    Purpose.SUBJECT: mark("Запрос самого гражданина"),
    Purpose.INCIDENT: mark("Разбор происшествия"),
}


class FileKeyRequest(msgspec.Struct, frozen=True):
    """``sealed`` is the sealed key as it stands in the file (hex); ``purpose`` why it is read; ``card`` the appeal it
    is about, empty for none."""

    v: int
    sealed: str
    purpose: Purpose
    card: str = ""


class FileKeyAnswer(msgspec.Struct, frozen=True):
    """The file's own key (hex)."""

    key: str


class RecordingsRequest(msgspec.Struct, frozen=True):
    """Which recordings belong to an appeal."""

    v: int
    card: str


class Stored(msgspec.Struct, frozen=True):
    """A recording: ``name`` is the digest of its sealed file, ``ms`` how long it is, ``at_ms`` when the talk ended (UTC
    ms), ``by`` the operator's number, ``here`` whether the server has the file yet."""

    name: str
    call: str
    size: int
    ms: int
    at_ms: int
    by: int
    here: bool


class RecordingsAnswer(msgspec.Struct, frozen=True):
    """The oldest first."""

    recordings: list[Stored]
