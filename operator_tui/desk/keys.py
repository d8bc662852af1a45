"""The keys and secrets of one desk, by name: the journal's, the registry's, the recordings', the telephone's.

All are asked for on the journal's thread: a vault takes its time.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from operator_tui.appeals.errors import Code, Refusal

if TYPE_CHECKING:
    from operator_tui.desk.desk import Desk
    from operator_tui.secrets import Secrets
    from operator_tui.secrets.address import FileKind

SIP_SECRET = "sip"
AMI_SECRET = "ami"
JOURNAL_KEY = "journal"
REGISTRY_KEY = "registry"
CENTRAL_KEY = "central"
RECORDINGS_KEY = "recordings"


class DeskKeys:
    """Of the profile, or of who has signed in."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._opened: Secrets | None = None

    @property
    def _secrets(self) -> Secrets:
        if self._opened is None:
            from operator_tui.secrets import profile_secrets

            signin = self._desk.parts.signin
            self._opened = signin.secrets if signin else profile_secrets(self._desk.profile)
        return self._opened

    def key(self, name: str, *, create: bool = True) -> bytes:
        """The key of that name, made where there is none and it may be. Refusal(KEY_MISSING)."""
        return self._secrets.key(name, create=create)

    def sip_secret(self) -> str:
        """The password of this desk's extension. Refusal(KEY_MISSING)."""
        secret = self._secrets.get(SIP_SECRET)
        if secret is None:
            raise Refusal(Code.KEY_MISSING, name=SIP_SECRET)
        return secret.decode()

    def ami_secret(self) -> str:
        """The secret of the PBX's manager interface; empty where none is kept: then there are no queue figures."""
        return (self._secrets.get(AMI_SECRET) or b"").decode()

    def record_key(self) -> str:
        """Whom recordings are encrypted for, hexadecimal: the fund, and then nobody here opens them; where no fund is
        known (the demonstration), this workstation's own key."""
        from operator_tui.secrets.address import FileKind
        from operator_tui.secrets.running import public_key

        return (self.fund_address(FileKind.RECORDING) or public_key(self.key(RECORDINGS_KEY))).hex()

    def fund_address(self, kind: FileKind) -> bytes:
        """Where files of that kind are sealed to; empty where no fund is known."""
        from operator_tui.secrets.address import fund_address

        signin = self._desk.parts.signin
        if signin is None or not signin.fund:
            return b""
        return fund_address(signin.fund, kind, signin.identity.operator.organisation)

    def file_key(self, name: str) -> bytes:
        """The private key of files kept on this desk, made of the journal's: it comes back with that one after a
        forgotten password, and ends with it."""
        journal_key = self.key(JOURNAL_KEY)
        made = hashlib.blake2b(f"operator-tui/{name}".encode(), key=journal_key, digest_size=len(journal_key)).digest()
        return self._secrets.get(name) or made  # a release before this one kept a key of its own

    def own_key(self, kind: FileKind) -> bytes:
        """The private key of files of that kind where no fund is known."""
        return self.key(RECORDINGS_KEY) if kind.value == "recording" else self.file_key("attachments")
