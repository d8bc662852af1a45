"""A plain key file, for profiles whose people are all made up; it refuses every other profile (DESIGN rule 15)."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from pathlib import Path

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.profiles import Profile
from operator_tui.secrets import KEY_BYTES
from operator_tui.secrets.files import alone, read_private, write_private


class KeyFile:
    """Secrets in ``keys.json`` of the profile's data folder: names to base64, mode 0600."""

    def __init__(self, profile: Profile) -> None:
        if not profile.synthetic:
            raise Refusal(Code.KEY_BACKEND_REFUSED, profile=profile.name)
        self._path: Path = profile.data / "keys.json"

    def key(self, name: str, *, create: bool = True) -> bytes:
        with alone(self._path):
            kept = self._read()
            if name not in kept:
                if not create:
                    raise Refusal(Code.KEY_MISSING, name=name)
                kept[name] = secrets.token_bytes(KEY_BYTES)
                self._write(kept)
            return kept[name]

    def get(self, name: str) -> bytes | None:
        return self._read().get(name)

    def set(self, name: str, value: bytes) -> None:
        with alone(self._path):
            self._write({**self._read(), name: value})

    def delete(self, name: str) -> None:
        with alone(self._path):
            kept = self._read()
            if kept.pop(name, None) is not None:
                self._write(kept)

    def _read(self) -> dict[str, bytes]:
        content = read_private(self._path)
        if content is None:
            return {}
        try:
            return {name: base64.b64decode(value, validate=True) for name, value in json.loads(content).items()}
        except (ValueError, TypeError, AttributeError, binascii.Error):
            # Never written over: the key in it may be the only one that opens a journal.
            raise Refusal(Code.FILE_UNREADABLE, file=str(self._path), reason="JSON") from None

    def _write(self, kept: dict[str, bytes]) -> None:
        text = json.dumps({name: base64.b64encode(value).decode() for name, value in sorted(kept.items())}, indent=1)
        write_private(self._path, text.encode())
