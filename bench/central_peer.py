"""What others would build: one request, one record, one insert, one commit. For bench.central."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import sqlalchemy as sa
import uvicorn
import zstandard
from litestar import Litestar, Request, post
from sqlalchemy.dialects.postgresql import JSONB

_URL = "OPERATOR_TUI_BENCH_DATABASE"
_metadata = sa.MetaData()
_record = sa.Table("record", _metadata, sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("body", JSONB))


@contextmanager
def rest_server(url: str) -> Iterator[int]:
    """The peer in a process of its own on an empty database; its port."""
    bound = socket.create_server(("127.0.0.1", 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.central_peer", str(bound.fileno())],
        pass_fds=[bound.fileno()],
        env={**os.environ, _URL: url},
    )
    try:
        yield bound.getsockname()[1]
    finally:
        process.terminate()
        process.wait(timeout=10)
        bound.close()


def _serve(number: int) -> None:
    engine = sa.create_engine(os.environ[_URL], pool_size=8, max_overflow=0)
    _metadata.create_all(engine)
    threads = ThreadPoolExecutor(8)

    def keep(body: bytes) -> None:
        value = json.loads(zstandard.decompress(body))
        with engine.begin() as connection:
            connection.execute(sa.insert(_record).values(body=value))

    @post("/records")
    async def records(request: Request) -> dict[str, bool]:  # type: ignore[type-arg]  # the types of a state not used
        await asyncio.get_running_loop().run_in_executor(threads, keep, await request.body())
        return {"kept": True}

    app = Litestar([records], logging_config=None, openapi_config=None)
    config = uvicorn.Config(app, log_config=None, access_log=False, timeout_keep_alive=600)
    asyncio.run(uvicorn.Server(config).serve([socket.socket(fileno=number)]))


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
