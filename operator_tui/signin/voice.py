"""The code an administrator gives by voice when the server is away for long: eight digits, good for eight hours.

RFC 6238 (TOTP) with SHA-256, eight digits and a step of eight hours; the window before counts too, so that a code
given at the end of a window is not dead when it is typed. The key is made at enrolment and known to both ends.
"""

from __future__ import annotations

import hashlib
import hmac

KEY_BYTES = 32
STEP_MS = 8 * 3_600_000
_DIGITS = 8


def voice_code(key: bytes, now_ms: int) -> str:
    """The code of this moment's window: ``0000 0000``."""
    code = _code(key, now_ms // STEP_MS)
    return f"{code[:4]} {code[4:]}"


def voice_code_window(key: bytes, typed: str, now_ms: int) -> int | None:
    """The window whose code it is: this one or the one before; None when it is neither's."""
    digits = "".join(letter for letter in typed if letter in "0123456789")  # compare_digest takes ASCII alone
    window = now_ms // STEP_MS
    fits = (place for place in (window, window - 1) if hmac.compare_digest(digits, _code(key, place)))
    return next(fits, None)


def _code(key: bytes, window: int) -> str:
    mac = hmac.digest(key, window.to_bytes(8, "big"), hashlib.sha256)
    place = mac[-1] & 0x0F  # RFC 4226, section 5.3: dynamic truncation
    number = int.from_bytes(mac[place : place + 4], "big") & 0x7FFF_FFFF
    return str(number % 10**_DIGITS).zfill(_DIGITS)
