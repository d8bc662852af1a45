"""``GET /v1/health``: whether the server can take work."""

from __future__ import annotations

from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency

from central.api.access import OPEN
from central.api.service import Service
from central.devices import epoch
from operator_tui import __version__
from operator_tui.sync.protocol import HEALTH_PATH, JSON_TYPE, PROTOCOL_VERSION


@get(HEALTH_PATH, opt={"access": OPEN}, summary="Whether the server can take work")
async def health(service: NamedDependency[Service]) -> Response[Any]:
    """200 when the database answers, 503 (database_away) when it does not. ``hints``: what tells this process of the
    others' work, and whether it does; where it does not, that is seen some two seconds later, and nothing is lost."""

    def look() -> str:
        with service.database.read() as connection:
            return epoch(connection)

    found = await service.run(look)
    return Response(
        {
            "version": __version__,
            "protocol": PROTOCOL_VERSION,
            "epoch": found,
            "t": service.clock.now_ms(),
            "hints": {"by": service.bus.carrier, "up": service.bus.carried},
        },
        media_type=JSON_TYPE,
    )
