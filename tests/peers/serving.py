"""The server's application on a UNIX socket in this process: real HTTP without the start of a process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn

Asgi = Callable[[Any, Any, Any], Awaitable[None]]


@asynccontextmanager
async def serving(app: Asgi, socket: Path, *, hub: Any = None) -> AsyncIterator[None]:
    """Serves until the block ends; ``hub`` is closed first, so that open streams end."""
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            uds=str(socket),
            log_config=None,
            access_log=False,
            ws="none",
            lifespan="on",
            timeout_graceful_shutdown=1,
        )
    )
    task = asyncio.create_task(server._serve())
    try:
        async with asyncio.timeout(120):
            while not server.started:  # noqa: ASYNC110  # uvicorn gives no event
                await asyncio.sleep(0.005)
        yield
    finally:
        if hub is not None:
            hub.close()
        server.should_exit = True
        # To its very end: left behind, it would be another test's unraisable exception.
        await asyncio.wait({task}, timeout=120)


def buffering(app: Asgi, *paths: str) -> Asgi:
    """A proxy before the application that passes on no answer of these paths before it is whole."""

    async def proxy(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"] not in paths:
            await app(scope, receive, send)
            return
        kept: list[Any] = []

        async def keep(message: Any) -> None:
            kept.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                for each in kept:
                    await send(each)

        await app(scope, receive, keep)

    return proxy
