"""What may be set about the journal: section ``[journal]`` of the settings file."""

from __future__ import annotations

import msgspec

from operator_tui.settings import section


@section("journal")
class JournalSettings(msgspec.Struct, frozen=True):
    """``file``: the journal's file, empty for the profile's own."""

    file: str = ""
