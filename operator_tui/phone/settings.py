"""The ``[phone]`` section of the settings."""

from __future__ import annotations

import msgspec

from operator_tui.phone.line import LineConfig
from operator_tui.settings import section


@section("phone")
class PhoneSettings(LineConfig, frozen=True):
    """How the telephone is set up at this place: LineConfig, field by field. ``elsewhere``: the engine runs on another
    machine, whose socket is lent to this one (deploy/thin-client), and is not started here."""

    elsewhere: bool = False

    def config(self, extension: str = "", **changes: object) -> LineConfig:
        """What the engine is given: these settings for the signed-in operator's extension."""
        values = {name: getattr(self, name) for name in LineConfig.__struct_fields__}
        values["extension"] = extension or self.extension
        return msgspec.convert(values | changes, LineConfig)
