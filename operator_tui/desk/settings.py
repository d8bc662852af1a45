"""What may be set about an operator's shift: section ``[shift]`` of the settings file."""

from __future__ import annotations

import msgspec

from operator_tui.settings import section


@section("shift")
class ShiftSettings(msgspec.Struct, frozen=True):
    """``wrap_up_s`` what comes after a call may last (0: as long as it takes), ``more_s`` more by one key;
    ``auto_answer`` takes a queue call by itself ``auto_answer_s`` after it began to ring; ``hold_bells_s`` when a bell
    reminds of a held caller; ``hours`` of a shift, after which it is overtime (0: nobody counts); ``breaks``
    (``code;title;minutes``) and ``outside`` (``number;name;purpose``, targets outside the centre) files of the
    administration's, empty: the release's own."""

    wrap_up_s: float = 60.0
    more_s: float = 30.0
    auto_answer: bool = False
    auto_answer_s: float = 2.0
    hold_bells_s: tuple[float, ...] = (30.0, 60.0)
    hours: float = 12.0
    breaks: str = ""
    outside: str = ""
