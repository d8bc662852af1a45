"""What a desk and the server say when a sealed file is to be read; both ends import this file."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from operator_tui.i18n import mark

RECORDING_KEY_PATH = "/v1/files/recording-key"
ATTACHMENT_KEY_PATH = "/v1/files/attachment-key"


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
