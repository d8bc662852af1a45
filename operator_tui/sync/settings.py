"""The ``[central]`` section of the settings: where the central server is and how it is trusted."""

from __future__ import annotations

import msgspec

from operator_tui.settings import section


@section("central")
class CentralSettings(msgspec.Struct, frozen=True):
    """How the desk reaches its server.

    ``url`` ``https://…``; empty: an embedded server of the desk's own. ``http://`` is taken for this machine alone
    (a certified channel that ends here). ``ca_file`` certificates to trust instead of the system's, PEM; ``pin``
    SHA-256 of the server's own certificate (hex), trusted and no other. ``proxy`` ``http://host:port``.
    ``poll_s`` seconds between two looks for other desks' events. ``enrolment`` the one-time code of the first start.
    """

    url: str = ""
    ca_file: str = ""
    pin: str = ""
    proxy: str = ""
    poll_s: float = 2.0
    enrolment: str = ""
