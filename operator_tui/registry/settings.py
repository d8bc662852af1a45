"""What may be set about the registry: section ``[registry]`` of the settings file."""

from __future__ import annotations

import msgspec

from operator_tui.settings import section


@section("registry")
class RegistrySettings(msgspec.Struct, frozen=True):
    """``file``: the registry's file, empty for the profile's own. ``demo_people``: how many made-up people the
    profiles demo and practice get. ``deadline_ms``: processor time after which a search shows what it has.
    ``fetch_minutes``: how often to ask the centre for newer data, 0 for a copy that another program keeps.
    """

    file: str = ""
    demo_people: int = 50_000
    deadline_ms: float = 30.0
    fetch_minutes: float = 0.0
