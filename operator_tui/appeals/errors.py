"""Refusals: the one enumeration of everything that desk, engine and central server refuse.

A refusal travels as ``{"code": …, "params": {…}}`` between processes; only the screen and the console make
sentences of it (operator_tui/sentences.py).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any


class Code(StrEnum):
    """Why something was refused. Grouped by the room that refuses; the value is what goes over the wire."""

    # appeals
    FIELD_REQUIRED = "field_required"
    FIELD_INVALID = "field_invalid"
    MOVE_NOT_ALLOWED = "move_not_allowed"
    NOT_YOUR_APPEAL = "not_your_appeal"
    RIGHT_MISSING = "right_missing"
    LOCKED = "locked"
    STALE = "stale"
    UNKNOWN_CARD = "unknown_card"
    UNKNOWN_KIND = "unknown_kind"
    UNKNOWN_THEME = "unknown_theme"
    UNKNOWN_RESULT = "unknown_result"
    CARD_SAVED = "card_saved"
    NOTHING_RETURNED = "nothing_returned"
    PROMISE_PAST = "promise_past"
    ATTEMPTS_FEW = "attempts_few"
    NOT_YOUR_GROUP = "not_your_group"
    CONSENT_NEEDED = "consent_needed"
    EXTENDED_ALREADY = "extended_already"
    EXTENSION_LONG = "extension_long"
    NOTHING_OWED = "nothing_owed"
    NOTHING_ASKED = "nothing_asked"
    FILE_EMPTY = "file_empty"
    FILE_LARGE = "file_large"
    FILE_KIND = "file_kind"
    FILE_SUSPECT = "file_suspect"
    SCAN_FAILED = "scan_failed"
    FILE_NOT_HERE = "file_not_here"
    LETTER_FAILED = "letter_failed"
    PRINT_FAILED = "print_failed"
    FOLDER_UNSET = "folder_unset"
    CARD_ELSEWHERE = "card_elsewhere"
    ORGANISATION_UNKNOWN = "organisation_unknown"
    REFERENCE_STALE = "reference_stale"
    REFERENCE_NEEDED = "reference_needed"
    REFERENCE_SAME = "reference_same"
    REFERENCE_THERE = "reference_there"
    NO_LIST_CHOSEN = "no_list_chosen"
    REFERENCE_OF_FUND = "reference_of_fund"
    # journal
    JOURNAL_KEY_WRONG = "journal_key_wrong"
    JOURNAL_BUSY = "journal_busy"
    JOURNAL_NEWER = "journal_newer"
    JOURNAL_DAMAGED = "journal_damaged"
    DISK_FULL = "disk_full"
    DISK_FAILED = "disk_failed"
    NOT_ENROLLED = "not_enrolled"
    NO_CARD_OPEN = "no_card_open"
    NO_ROW_CHOSEN = "no_row_chosen"
    # settings and profiles
    SETTINGS_BROKEN = "settings_broken"
    SETTING_UNKNOWN = "setting_unknown"
    SETTING_WRONG = "setting_wrong"
    PROFILE_NAME = "profile_name"
    KEY_BACKEND_REFUSED = "key_backend_refused"
    KEY_MISSING = "key_missing"
    KEY_FILE_OPEN = "key_file_open"
    KEYRING_AWAY = "keyring_away"
    VAULT_LOCKED = "vault_locked"
    VAULT_PASSPHRASE = "vault_passphrase"
    NOT_BUILT = "not_built"
    # sync and central server
    SERVER_AWAY = "server_away"
    SERVER_UNTRUSTED = "server_untrusted"
    SERVER_REFUSED = "server_refused"
    PROTOCOL_VERSION = "protocol_version"
    BAD_REQUEST = "bad_request"
    TOKEN_INVALID = "token_invalid"
    FORK = "fork"
    GAP = "gap"
    ENROLMENT_CODE = "enrolment_code"
    DATABASE_AWAY = "database_away"
    DATABASE_NEWER = "database_newer"
    DATABASE_KEY_WRONG = "database_key_wrong"
    DATABASE_WRONG = "database_wrong"
    CENTRAL_TAKEN = "central_taken"
    CENTRAL_FAILED = "central_failed"
    BACKUP_EXISTS = "backup_exists"
    BACKUP_FAILED = "backup_failed"
    CHAIN_BROKEN = "chain_broken"
    FILE_STORE_FULL = "file_store_full"
    FILE_STORE_AWAY = "file_store_away"
    FILE_TOO_LONG = "file_too_long"
    FILE_UPLOAD = "file_upload"
    FILE_CHANGED = "file_changed"
    FILE_GONE = "file_gone"
    # sign-in
    SIGN_IN_WRONG = "sign_in_wrong"
    SIGN_IN_LATER = "sign_in_later"
    SIGN_IN_NEEDED = "sign_in_needed"
    ACCOUNT_BLOCKED = "account_blocked"
    ACCOUNT_UNKNOWN = "account_unknown"
    LOGIN_TAKEN = "login_taken"
    LAST_ADMINISTRATOR = "last_administrator"
    PASSWORD_WEAK = "password_weak"
    PASSWORDS_DIFFER = "passwords_differ"
    PASSWORD_ELSEWHERE = "password_elsewhere"
    TOKEN_EXPIRED = "token_expired"
    TOKEN_REPLAYED = "token_replayed"
    DEVICE_OTHER = "device_other"
    DEVICE_SIGNATURE = "device_signature"
    RESET_CODE = "reset_code"
    OFFLINE_TOO_LONG = "offline_too_long"
    OFFLINE_CLOCK = "offline_clock"
    VOICE_CODE = "voice_code"
    FILE_SEAL = "file_seal"
    DEVICE_REVOKED = "device_revoked"
    OWN_SEAT = "own_seat"
    SEAT_NEEDS_SERVER = "seat_needs_server"
    SERVER_KEYS_AWAY = "server_keys_away"
    SERVER_KEYS_OTHER = "server_keys_other"
    FILE_OTHER = "file_other"
    OIDC_OFF = "oidc_off"
    OIDC_PENDING = "oidc_pending"
    OIDC_REFUSED = "oidc_refused"
    OIDC_AWAY = "oidc_away"
    OIDC_STRANGER = "oidc_stranger"
    PIN_NEEDED = "pin_needed"
    PERSON_NEEDED = "person_needed"
    NOBODY_SIGNS_IN = "nobody_signs_in"
    NO_PERSON_CHOSEN = "no_person_chosen"
    NO_WORKSTATION = "no_workstation"
    PASSWORD_CHANGED = "password_changed"
    UNLOCK_LATER = "unlock_later"
    # telephone
    NO_SUCH_CALL = "no_such_call"
    CALL_STATE = "call_state"
    LINE_BUSY = "line_busy"
    PHONE_AWAY = "phone_away"
    PHONE_PASSWORD = "phone_password"
    PHONE_TAKEN = "phone_taken"
    NO_MICROPHONE = "no_microphone"
    NO_SOUND = "no_sound"
    NUMBER_INVALID = "number_invalid"
    TRANSFER_FAILED = "transfer_failed"
    UNSUPPORTED = "unsupported"
    WORK_NOT_BEGUN = "work_not_begun"
    WORK_BEGUN = "work_begun"
    NO_CALL_WAITING = "no_call_waiting"
    NO_TALK = "no_talk"
    CALL_ACTIVE = "call_active"
    BREAK_RINGS = "break_rings"
    BREAK_TALKS = "break_talks"
    PHONE_FAILED = "phone_failed"
    PHONE_VERSION = "phone_version"
    PHONE_PARTS = "phone_parts"
    PBX_AWAY = "pbx_away"
    PBX_REFUSED = "pbx_refused"
    PHONE_SETUP = "phone_setup"
    PBX_UNTRUSTED = "pbx_untrusted"
    NO_NUMBER = "no_number"
    NO_SECOND_CALL = "no_second_call"
    TRANSFER_SELF = "transfer_self"
    RECORD_FOLDER = "record_folder"
    RECORD_SPACE = "record_space"
    RECORD_FAILED = "record_failed"
    RECORD_OFF = "record_off"
    REASON_NEEDED = "reason_needed"
    NOBODY_ON_SHIFT = "nobody_on_shift"
    NO_WRAP_UP = "no_wrap_up"
    RECORD_KEPT = "record_kept"
    NOTHING_TO_HAND = "nothing_to_hand"
    # registry
    SEARCH_EMPTY = "search_empty"
    REGISTRY_MISSING = "registry_missing"
    REGISTRY_KEY_WRONG = "registry_key_wrong"
    FILE_UNREADABLE = "file_unreadable"
    ROW_INVALID = "row_invalid"
    REGISTRY_KEY_NEEDED = "registry_key_needed"
    REGISTRY_BUSY = "registry_busy"
    REGISTRY_FAULTS = "registry_faults"
    REGISTRY_DELTA_OLD = "registry_delta_old"
    REGISTRY_NOT_HERE = "registry_not_here"
    REGISTRY_CARD_FIRST = "registry_card_first"
    REGISTRY_TRANSFER = "registry_transfer"


class Refusal(Exception):
    """Something was refused for a reason a person can be told.

    ``params`` hold only what the sentence needs (a field's name, a file, a number), never personal data: a
    refusal may be logged.
    """

    def __init__(self, code: Code, **params: Any) -> None:
        super().__init__(code.value)
        self.code = code
        self.params = params

    def wire(self) -> dict[str, Any]:
        """``{"code": str, "params": dict}``: the form that crosses a process border."""
        return {"code": self.code.value, "params": self.params}

    @classmethod
    def from_wire(cls, wire: dict[str, Any]) -> Refusal:
        """The refusal of a wire form; an unknown code (a newer peer) becomes SERVER_REFUSED with the code named."""
        try:
            code = Code(wire["code"])
        except ValueError:
            return cls(Code.SERVER_REFUSED, reason=str(wire["code"]))
        return cls(code, **wire.get("params", {}))
