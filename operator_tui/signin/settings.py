"""The ``[signin]`` section of the settings."""

from __future__ import annotations

import msgspec

from operator_tui.settings import section


@section("signin")
class SignInSettings(msgspec.Struct, frozen=True):
    """``cover_seconds`` without a key until ЕНП, СНИЛС and telephone numbers are covered (0: never);
    ``lock_minutes`` until the desk locks itself (0: never); ``offline_hours`` of working days since
    the last word of the server during which one may sign in without it; ``shift_hours`` during which a desk that was
    killed is back without the password. ``oidc``: who enrols here signs in through the provider the server names."""

    cover_seconds: float = 60.0
    lock_minutes: float = 5.0
    offline_hours: float = 72.0
    shift_hours: float = 12.0
    oidc: bool = False
