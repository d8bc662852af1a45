"""The ``[colleagues]`` section of the settings."""

from __future__ import annotations

import msgspec

from operator_tui.settings import section


@section("colleagues")
class ColleaguesSettings(msgspec.Struct, frozen=True):
    """``file``: the directory as CSV (``extension;name;role;organisation;skills``); empty: the packaged example."""

    file: str = ""
