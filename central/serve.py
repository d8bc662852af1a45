"""Runs the application: on a UNIX socket or a port, until SIGTERM or until the desk it belongs to is gone."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import socket
import ssl
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import uvicorn
from litestar import Litestar

from central.local import is_local
from central.log import log
from operator_tui.appeals.errors import Code, Refusal

# A new TLS connection costs 2.2 s on a line of 64 kbit/s; desks keep theirs for 600 s, so the server keeps longer.
_KEEP_ALIVE_S = 620
# Requests that run get this long at the end, so that the process is gone within 2 s of SIGTERM.
_GRACE_S = 1
# The server of a desk that was just killed needs a moment to see its lifeline cut.
_TAKE_OVER_S = 5.0
_TAKE_OVER_STEP_S = 0.02
# A desk whose machine lost its power says no good-bye, and its open stream is the lease of its presence: who does not
# acknowledge what was sent for so long is gone. The kernel alone waits a quarter of an hour (tcp(7), tcp_retries2).
_UNHEARD_MS = 60_000


@dataclass(frozen=True)
class Address:
    """Where the server listens: a UNIX socket, or host and port with or without TLS."""

    socket: Path | None = None
    host: str = "127.0.0.1"
    port: int = 0
    tls_cert: Path | None = None
    tls_key: Path | None = None


class _Server(uvicorn.Server):
    """uvicorn that tells when it is ready and leaves the signals to us: its own way ends the process by them."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def end(self) -> None:
        self.should_exit = True
        if isinstance(self.config.app, Litestar):
            self.config.app.state.hub.close()


@contextlib.contextmanager
def only_one(socket_path: Path) -> Iterator[None]:
    """Hold the lock beside the socket. Refusal(CENTRAL_TAKEN) when another server keeps it."""
    lock = os.open(socket_path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _wait_for_lock(lock, socket_path)
        yield
    finally:
        os.close(lock)


def _wait_for_lock(lock: int, socket_path: Path) -> None:
    deadline = time.monotonic() + _TAKE_OVER_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise Refusal(Code.CENTRAL_TAKEN, path=str(socket_path)) from None
            time.sleep(_TAKE_OVER_STEP_S)
        else:
            return


def listen(address: Address) -> socket.socket:
    """A bound socket. A UNIX socket is the owner's alone and takes the place of a dead one (hold ``only_one``).
    Refusals: CENTRAL_TAKEN for a port in use, SETTING_WRONG for one that others reach without TLS."""
    if address.socket is None and address.tls_cert is None and not is_local(address.host):
        raise Refusal(Code.SETTING_WRONG, place="central serve", key="--tls-cert", expected="PEM")
    try:
        if address.socket is not None:
            return _listen_unix(address.socket)
        return _listen_tcp(address.host, address.port)
    except OSError as error:
        where = str(address.socket or f"{address.host}:{address.port}")
        raise Refusal(Code.CENTRAL_TAKEN, path=where) from error


def _listen_unix(path: Path) -> socket.socket:
    if path.exists() and stat.S_ISSOCK(path.stat().st_mode):
        path.unlink()
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        bound.bind(str(path))
    finally:
        os.umask(before)
    return bound


def _listen_tcp(host: str, port: int) -> socket.socket:
    family, *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    # asyncio sends small pieces at once (TCP_NODELAY) only where a socket says it is TCP's: else the body of an answer
    # waits until the other end has acknowledged its head, a round trip or 40 ms.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNHEARD_MS)  # taken over by each connection
    bound.bind((host, port))
    return bound


def run(
    app: Litestar, address: Address, bound: socket.socket, *, ready: Callable[[], None], lifeline: IO[bytes] | None
) -> None:
    """Serve until SIGTERM, SIGINT, SIGHUP or the end of the lifeline. ``ready`` is called when requests are taken."""
    config = uvicorn.Config(
        app,
        ssl_certfile=address.tls_cert,
        ssl_keyfile=address.tls_key,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_GRACE_S,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        lifespan="on",
    )
    config.load()
    if config.ssl is not None:
        config.ssl.minimum_version = ssl.TLSVersion.TLSv1_3  # uvicorn has no word for it
    asyncio.run(_run(_Server(config, ready), bound, lifeline))


async def _run(server: _Server, bound: socket.socket, lifeline: IO[bytes] | None) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, server.end)
    serving = asyncio.create_task(server.serve([bound]))
    cut = asyncio.create_task(_cut(lifeline)) if lifeline else None
    try:
        await asyncio.wait({serving, *([cut] if cut else [])}, return_when=asyncio.FIRST_COMPLETED)
        server.end()
        await serving
    finally:
        if cut:
            cut.cancel()
    log("stopped")


async def _cut(lifeline: IO[bytes]) -> None:
    """Ends when the other end of the pipe is closed, by its owner or by the kernel after a kill -9 of the owner."""
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), lifeline
    )
    try:
        while await reader.read(4096):
            pass
    finally:
        transport.close()
