"""The ASGI application: addresses, what they share, and how refusals look."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar import Litestar
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig

from central import standby
from central.api import auth, files, oidc, people, tus
from central.api.access import access_of, caller
from central.api.dictionary import dictionary
from central.api.enrol import enrol
from central.api.errors import SERVED, failed, refused, refused_by_http
from central.api.events import events
from central.api.fork import fork
from central.api.health import health
from central.api.history import history
from central.api.insured import insured
from central.api.metrics import began, ended, metrics
from central.api.openapi import Described
from central.api.packages import package, packages
from central.api.presence import presence
from central.api.service import Service
from central.api.snapshot import cards, snapshot
from central.api.sums import day, sums
from central.api.sync import sync
from central.api.talks import talks
from central.auth.vouching import Provider
from central.carriers import RedisAddress
from central.keys import ServerKeys
from central.store.database import Database
from operator_tui import __version__
from operator_tui.appeals.catalogue import Catalogue
from operator_tui.appeals.clock import Clock, SystemClock
from operator_tui.appeals.errors import Refusal
from operator_tui.reference import packaged_catalogue
from operator_tui.sync.protocol import MAX_BODY

HANDLERS = [
    *(sync, events, presence, dictionary, day, sums, enrol, fork, health, metrics),
    *(auth.challenge, auth.sign_in, auth.refresh, auth.sign_out, auth.password, auth.escrow, auth.reset),
    *(auth.join, auth.own_seats),
    *(people.people, people.add, people.change, people.code, people.seats_of, people.revoke),
    *(files.recording_key, files.attachment_key, files.voice_mail_key, files.recordings, auth.sealed_work),
    *(oidc.begin, oidc.poll),
    *(insured, history, talks, packages, package),
    *(snapshot, cards),
    *(tus.create, tus.standing, tus.append, tus.whole),
]


def create_app(
    database: Database,
    keys: ServerKeys | None = None,
    *,
    clock: Clock | None = None,
    catalogue: Catalogue | None = None,
    provider: Provider | None = None,
    persons_only: bool = False,
    redis: RedisAddress | None = None,
) -> Litestar:
    """The application over an open database, which it closes when it ends. ``keys`` are those the database is bound
    to (central/keys.py); ``provider`` who else vouches for people (central/auth/oidc.py);
    ``persons_only`` enrols no device whose token alone would open (the demonstration's do); ``redis`` carries hints
    between server processes in PostgreSQL's place."""
    service = Service(
        database,
        clock=clock or SystemClock(),
        catalogue=catalogue or packaged_catalogue(),
        keys=keys,
        provider=provider,
        persons_only=persons_only,
        redis=redis,
    )

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        beside = {asyncio.create_task(service.bus.run()), asyncio.create_task(standby.follow(service))}
        yield
        for task in beside:
            task.cancel()
        await asyncio.wait(beside)
        service.close()

    for handler in HANDLERS:
        access_of(handler)
        SERVED.update(path for path in handler.paths if "{" not in path)
    app = Litestar(
        HANDLERS,
        dependencies={
            "service": Provide(lambda: service, sync_to_thread=False),
            "who": Provide(caller),
        },
        exception_handlers={Refusal: refused, HTTPException: refused_by_http, Exception: failed},
        request_max_body_size=MAX_BODY,
        lifespan=[lifespan],
        before_request=began,
        after_response=ended,
        logging_config=None,
        openapi_config=OpenAPIConfig(
            title="operator-tui central",
            version=__version__,
            path="/v1/openapi",
            render_plugins=[Described(path="/")],
        ),
    )
    app.state.hub = service.hub
    return app
