"""What desk and server say to each other when somebody signs in; both ends import this file.

Keys and signatures are hex. What is signed is bound to its use, so that no signature serves another purpose.
"""

from __future__ import annotations

import msgspec

from operator_tui.appeals.people import Operator

CHALLENGE_PATH = "/v1/auth/challenge"
SIGN_IN_PATH = "/v1/auth/sign-in"
REFRESH_PATH = "/v1/auth/refresh"
SIGN_OUT_PATH = "/v1/auth/sign-out"
PASSWORD_PATH = "/v1/auth/password"
ESCROW_PATH = "/v1/auth/escrow"
RESET_PATH = "/v1/auth/reset"
JOIN_PATH = "/v1/auth/join"
OWN_SEATS_PATH = "/v1/auth/seats"
SEALED_WORK_PATH = "/v1/auth/sealed-work"
OIDC_BEGIN_PATH = "/v1/auth/oidc/begin"
OIDC_POLL_PATH = "/v1/auth/oidc/poll"

ACCESS_S = 10 * 60
REFRESH_S = 12 * 3600
MIN_PASSWORD = 8
MIN_PIN = 6
MAX_SEALED_WORK = 1 << 20  # bytes of one such message: the desk sends more in pieces
CHALLENGE_DIGITS = 16  # of a workstation's key: what a nonce is made for


class ChallengeRequest(msgspec.Struct, frozen=True):
    """A device asks for something to sign."""

    v: int
    d: str


class ChallengeAnswer(msgspec.Struct, frozen=True):
    """``nonce`` is good for one signature within a minute."""

    nonce: str


class SignInRequest(msgspec.Struct, frozen=True):
    """Who signs in where. ``sig`` is the device key's over ``challenge_text``."""

    v: int
    d: str
    login: str
    password: str
    nonce: str
    sig: str


class RefreshRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """The refresh token for a new pair. ``sig`` is the device key's over ``refresh_text``: it works once, so it is
    its own nonce. ``u`` is how many operations wait there to be sent, None when it is not known."""

    v: int
    d: str
    refresh: str
    sig: str
    u: int | None = None


class SignOutRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """«Выход». ``u`` as above."""

    v: int
    u: int | None = None


class Granted(msgspec.Struct, frozen=True, omit_defaults=True):
    """A session. ``access`` opens the door for ``access_s`` seconds and stands in memory alone; ``refresh`` gets the
    next pair within ``refresh_s``. ``t`` is the server's clock (UTC ms); ``recovery`` the public key that the journal
    key is sealed to; ``sealed`` says that the server has it; ``fund`` is the public key files are encrypted for."""

    access: str
    refresh: str
    access_s: int
    refresh_s: int
    operator: Operator
    epoch: str
    t: int
    recovery: str
    sealed: bool = False
    fund: str = ""


class JoinRequest(msgspec.Struct, frozen=True):
    """A person the server knows sits down at a workstation somebody has enrolled; answered by EnrolAnswer.

    ``w`` is the workstation's public key (Ed25519, hex), ``key`` that of the new device; ``nonce`` was made for the
    first CHALLENGE_DIGITS of ``w``; ``sig`` is the workstation key's over ``join_text``."""

    v: int
    w: str
    login: str
    password: str
    key: str
    nonce: str
    sig: str


class OwnSeatsRequest(msgspec.Struct, frozen=True):
    """The workstations of who asks; answered by people.SeatsAnswer."""

    v: int


class SealedWorkRequest(msgspec.Struct, frozen=True):
    """What a revoked device had not sent. ``sealed`` to the recovery key (hex); ``sig`` is the device key's over
    ``sealed_work_text``, made before that key was destroyed."""

    v: int
    d: str
    sealed: str
    sig: str


class OidcBegin(msgspec.Struct, frozen=True):
    """The owner of a device signs in through the provider. ``sig`` is the device key's over ``challenge_text`` with an
    empty login: the provider says who he is."""

    v: int
    d: str
    nonce: str
    sig: str


class OidcBegun(msgspec.Struct, frozen=True):
    """What to show him (RFC 8628, section 3.2): ``user_code`` to type at ``address``, or ``whole_address`` as a
    picture. ``handle`` asks for the outcome, every ``interval_s`` seconds, for ``expires_s``."""

    handle: str
    user_code: str
    address: str
    whole_address: str
    interval_s: float
    expires_s: int


class OidcPoll(msgspec.Struct, frozen=True):
    """Whether he has said yes; answered by Granted. ``sig`` is the device key's over ``oidc_text``."""

    v: int
    d: str
    handle: str
    sig: str


class PasswordRequest(msgspec.Struct, frozen=True):
    """Another password for whoever is signed in."""

    v: int
    old: str
    new: str


class EscrowRequest(msgspec.Struct, frozen=True):
    """The journal key, sealed to the server's recovery key (libsodium sealed box, hex)."""

    v: int
    sealed: str


class ResetRequest(msgspec.Struct, frozen=True):
    """A forgotten password. ``code`` the administrator's; ``key`` the new public key of the device (Ed25519); ``box``
    an ephemeral public key (X25519) that the journal key is sealed to on its way back."""

    v: int
    d: str
    code: str
    password: str
    key: str
    box: str


class ResetAnswer(msgspec.Struct, frozen=True):
    """The device's identity as at enrolment, for its vault is lost. ``journal`` is the journal key, sealed to ``box``;
    empty when none was ever kept. ``voice`` is the key of the codes given by voice."""

    device: str
    number: int
    epoch: str
    operator: Operator
    login: str
    journal: str
    voice: str
    sip: str = ""


class Done(msgspec.Struct, frozen=True):
    """It is done; there is nothing more to say."""

    ok: bool = True


def challenge_text(nonce: str, device: str, login: str) -> bytes:
    """What a device signs when somebody signs in at it."""
    return "\0".join(("operator-tui/sign-in", nonce, device, login)).encode()


def refresh_text(refresh: str, device: str) -> bytes:
    """What a device signs when it asks for the next pair of tokens."""
    return "\0".join(("operator-tui/refresh", refresh, device)).encode()


def oidc_text(handle: str, device: str) -> bytes:
    """What a device signs when it asks whether the provider's page was answered."""
    return "\0".join(("operator-tui/oidc", handle, device)).encode()


def join_text(nonce: str, workstation: str, login: str, key: str) -> bytes:
    """What a workstation signs when somebody sits down at it for the first time."""
    return "\0".join(("operator-tui/join", nonce, workstation, login, key)).encode()


def sealed_work_text(device: str, sealed: str) -> bytes:
    """What a device signs before it destroys its keys."""
    return "\0".join(("operator-tui/sealed-work", device, sealed)).encode()
