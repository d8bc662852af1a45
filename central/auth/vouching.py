"""What the server needs of a provider that vouches for people (central/auth/oidc.py is one)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Begun:
    """A device flow that waits for the person (RFC 8628, section 3.2)."""

    device_code: str
    user_code: str
    address: str
    whole_address: str
    interval_s: int
    expires_s: int


@dataclass(frozen=True)
class Vouched:
    """Whom the provider named: ``subject`` for good, ``login`` as he is called there now."""

    subject: str
    login: str


class Pending(Exception):
    """He has not said yes yet. ``slower``: ask five seconds less often (RFC 8628, section 3.5)."""

    def __init__(self, *, slower: bool) -> None:
        super().__init__()
        self.slower = slower


class Provider(Protocol):
    """Whoever it is."""

    def begin(self) -> Begun:
        """A device flow. Refusal(OIDC_AWAY)."""
        ...

    def finish(self, device_code: str) -> Vouched:
        """Whom it vouches for. Pending while he has not said yes; refusals: OIDC_REFUSED (reason), OIDC_AWAY."""
        ...
