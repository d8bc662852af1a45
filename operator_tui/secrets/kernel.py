"""A secret in the kernel's user keyring: not on disk, not in our memory, gone after its time (keyrings(7)).

For the unwrapped key of a vault during one shift, so that a desk that was killed in a call is back without a password.
Where the kernel has no keyrings or refuses them (a container's seccomp filter), nothing is kept and nothing is said.
"""

from __future__ import annotations

import ctypes
import hashlib
import platform
import sys

# (add_key, keyctl) by machine: linux/arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h.
_CALLS = {"x86_64": (248, 250), "aarch64": (217, 219), "riscv64": (217, 219)}
_USER_KEYRING = -4  # KEY_SPEC_USER_KEYRING
_SETPERM, _UNLINK, _SEARCH, _READ, _SET_TIMEOUT, _INVALIDATE = 5, 9, 10, 11, 15, 21
# Possessor and user: view, read, write, search, link, setattr; nobody else anything (keyctl_setperm(3)). The user too,
# because a process outside the login session does not possess its user keyring.
_OWNER_ALONE = 0x3F3F0000
_MAX_BYTES = 4096


def put(name: str, secret: bytes, seconds: int) -> bool:
    """Keep it that long; whether the kernel took it."""
    key = _add_key(_label(name), secret)
    if key < 0:
        return False
    if _keyctl(_SETPERM, key, _OWNER_ALONE) < 0 or _keyctl(_SET_TIMEOUT, key, seconds) < 0:
        _forget(key)
        return False
    return True


def get(name: str) -> bytes | None:
    """The secret, None when it is not there any more."""
    key = _search(name)
    if key < 0:
        return None
    buffer = ctypes.create_string_buffer(_MAX_BYTES)
    length = _keyctl(_READ, key, ctypes.addressof(buffer), _MAX_BYTES)
    found = buffer.raw[:length] if 0 <= length <= _MAX_BYTES else None
    ctypes.memset(buffer, 0, _MAX_BYTES)
    return found


def drop(name: str) -> None:
    """Forget it now."""
    key = _search(name)
    if key >= 0:
        _forget(key)


def _forget(key: int) -> None:
    # Both: older kernels and some filters know only one of them.
    _keyctl(_INVALIDATE, key)
    _keyctl(_UNLINK, key, _USER_KEYRING)


def _label(name: str) -> bytes:
    """A profile of the same name under another home is another profile, and the kernel's keyring is the user's."""
    from platformdirs import user_data_dir

    home = hashlib.blake2s(user_data_dir("operator-tui", appauthor=False).encode(), digest_size=6).hexdigest()
    return f"operator-tui:{name}:{home}".encode()


def _search(name: str) -> int:
    kind, label = ctypes.create_string_buffer(b"user"), ctypes.create_string_buffer(_label(name))
    return _keyctl(_SEARCH, _USER_KEYRING, ctypes.addressof(kind), ctypes.addressof(label), 0)


def _add_key(label: bytes, secret: bytes) -> int:
    calls = _calls()
    if calls is None:
        return -1
    number, _ = calls
    return _syscall(number, b"user", label, secret, ctypes.c_size_t(len(secret)), ctypes.c_int(_USER_KEYRING))


def _keyctl(operation: int, *arguments: int) -> int:
    calls = _calls()
    if calls is None:
        return -1
    _, number = calls
    return _syscall(number, operation, *(ctypes.c_long(argument) for argument in arguments))


def _syscall(*arguments: object) -> int:
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    return int(call(*arguments))


def _calls() -> tuple[int, int] | None:
    if sys.platform != "linux":
        return None
    return _CALLS.get(platform.machine())
