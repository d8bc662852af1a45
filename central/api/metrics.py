"""``GET /v1/metrics``: Prometheus reads it on the server's own machine; from elsewhere it is refused."""

from __future__ import annotations

import ipaddress
import time

import sqlalchemy as sa
from litestar import Response, get
from litestar.di import NamedDependency

from central.api.access import OPEN
from central.api.errors import AnyRequest, short_path
from central.api.service import Service
from central.metrics import CONTENT_TYPE, METRICS
from central.store import tables as t
from operator_tui.appeals.errors import Code, Refusal

METRICS_PATH = "/v1/metrics"
_BEGAN = "began"


@get(METRICS_PATH, opt={"access": OPEN}, summary="Figures of this process for Prometheus, on its own machine alone")
async def metrics(request: AnyRequest, service: NamedDependency[Service]) -> Response[str]:
    """200 also when the database is away: that is one of the figures. Refusal(RIGHT_MISSING) for another machine."""
    if not _here(request):
        raise Refusal(Code.RIGHT_MISSING, right="metrics")
    gauges: dict[str, float] = {"open_streams": len(service.streams), "hints_up": float(service.bus.carried)}
    try:
        gauges |= {"database_up": 1} | await service.run(lambda: _of_database(service))
    except Refusal:
        gauges["database_up"] = 0
    return Response(METRICS.text(gauges), media_type=CONTENT_TYPE)


def began(request: AnyRequest) -> None:
    """Before a request is handled."""
    request.state[_BEGAN] = time.perf_counter()


async def ended(request: AnyRequest) -> None:
    """After its answer is out."""
    if (at := request.state.get(_BEGAN)) is not None:
        METRICS.answered(short_path(request), time.perf_counter() - at)


def _here(request: AnyRequest) -> bool:
    """A UNIX socket has no address."""
    if request.client is None or not request.client.host:
        return True
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def _of_database(service: Service) -> dict[str, float]:
    """Desks seen in the last quarter of an hour, operations that no copy or standby holds yet, events in all."""
    since = service.clock.now_ms() - 15 * 60 * 1000
    with service.database.read() as connection:
        desks = connection.execute(
            sa.select(sa.func.count()).select_from(t.device).where(t.device.c.last_seen > since)
        ).scalar_one()
        behind = connection.execute(sa.select(sa.func.sum(t.device.c.last_n - t.device.c.durable_n))).scalar_one()
        events = connection.execute(sa.select(sa.func.sum(t.stream.c.seq))).scalar_one()
    return {
        "desks_active": float(desks),
        "operations_not_durable": float(behind or 0),
        "events_stored": float(events or 0),
    }
