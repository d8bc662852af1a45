"""Passwords as Argon2id hashes (RFC 9106, second recommended option: 64 MiB, 3 passes, 4 lanes)."""

from __future__ import annotations

import threading
from functools import cache

import argon2

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.signin.messages import MIN_PASSWORD

_MEMORY_KIB, _PASSES, _LANES = 64 * 1024, 3, 4
_MAX_BYTES = 1024
# Each takes 64 MiB: a morning's rush must not take all memory.
_AT_ONCE = threading.BoundedSemaphore(2)


def password_hash(password: str, login: str) -> str:
    """The hash to keep. Refusal(PASSWORD_WEAK)."""
    if len(password) < MIN_PASSWORD or password.casefold() == login.casefold() or len(password.encode()) > _MAX_BYTES:
        raise Refusal(Code.PASSWORD_WEAK, length=MIN_PASSWORD)
    with _AT_ONCE:
        return _hasher().hash(password)


def password_fits(kept: str | None, password: str) -> bool:
    """Whether it is the password of that hash. Without a hash it takes as long and says no."""
    if len(password.encode()) > _MAX_BYTES:
        return False
    with _AT_ONCE:
        try:
            return _hasher().verify(kept or _nobody(), password) and kept is not None
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False


def _hasher() -> argon2.PasswordHasher:
    return argon2.PasswordHasher(time_cost=_PASSES, memory_cost=_MEMORY_KIB, parallelism=_LANES)


@cache
def _nobody() -> str:
    return _hasher().hash("nobody has this one")
