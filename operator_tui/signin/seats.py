"""The people of one workstation: each has a seat of his own, with its own keys and its own journal.

The first one's seat is the profile's folder itself, everybody else's a folder below it. ``workstation.key`` proves
the machine to the server, so that a known person may join it with his password; it opens nothing by itself.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from operator_tui.profiles import JOURNAL_NAME, Profile
from operator_tui.secrets.files import read_private, write_private
from operator_tui.signin.seat import Seat

if TYPE_CHECKING:
    from nacl.signing import SigningKey

_FOLDER = "seats"
_NAME_DIGITS = 12


def journals(data: Path) -> list[Path]:
    """The journals of everybody who ever sat at the workstation whose profile's folder that is."""
    below = data / _FOLDER
    folders = sorted(path for path in below.iterdir() if path.is_dir()) if below.is_dir() else []
    return [folder / JOURNAL_NAME for folder in (data, *folders)]


class Seats:
    """The seats of one profile. All methods may touch the disk."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile

    def of(self, login: str) -> Seat:
        """The seat of that person, a new closed one when he has none here."""
        found = [seat for seat in self.taken() if seat.tag and seat.tag.login == login]
        if found:
            return found[0]
        first = Seat(self._profile)
        return first if first.tag is None else Seat(self._folder_of(login))

    def taken(self) -> list[Seat]:
        """Every seat that somebody has, the first one's first."""
        below = self._profile.data / _FOLDER
        folders = sorted(path for path in below.iterdir() if path.is_dir()) if below.is_dir() else []
        seats = [Seat(self._profile), *(Seat(self._below(folder.name)) for folder in folders)]
        return [seat for seat in seats if seat.tag is not None]

    def last(self) -> Seat:
        """The seat somebody sat at last; the first one, empty, before anybody did."""
        taken = sorted(self.taken(), key=lambda seat: seat.used_ns)
        return taken[-1] if taken else Seat(self._profile)

    def workstation_key(self) -> SigningKey:
        """What this machine signs with, made at its first use."""
        from nacl.signing import SigningKey

        file = self._profile.data / "workstation.key"
        kept = read_private(file)
        if kept is None:
            kept = bytes(SigningKey.generate())
            write_private(file, kept)
        return SigningKey(kept)

    def _folder_of(self, login: str) -> Profile:
        # Not the name itself: a login may hold letters that a folder may not.
        return self._below(hashlib.sha256(login.encode()).hexdigest()[:_NAME_DIGITS])

    def _below(self, name: str) -> Profile:
        folder: Path = self._profile.data / _FOLDER / name
        return replace(self._profile, name=f"{self._profile.name}/{name}", data=folder)
