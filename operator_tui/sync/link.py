"""The connection to the central server: HTTP/1.1 over TLS or a UNIX socket, kept open, with plain refusals.

Each new TLS connection costs 2.2 s on a line of 64 kbit/s and 600 ms, so one is kept for ten minutes; HTTP/2 is
left out for its bugs in the library (design/sync-and-security.md 5).
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.sync.protocol import ENCODING, FRAMES_TYPE, JSON_TYPE, SILENCE_S, STREAM_TYPE
from operator_tui.sync.settings import CentralSettings

if TYPE_CHECKING:
    import httpx

# A card waits behind nothing long: the stream, a snapshot, a package of the registry, a recording that is listened to
# and a part of a file may all be under way, and operations still have one of their own. Those of a quiet desk are kept.
_CONNECTIONS = 8
_KEPT = 3
_KEEP_S = 600.0
_CONNECT_S, _READ_S = 15.0, 60.0
_MAX_REFUSAL = 65_536  # bytes read of an answer that refuses
_GATEWAY = frozenset({502, 503, 504})
_PIN_DIGITS = 64
_PARTIAL = 206


class Link:
    """One server. Made without touching it; connects at the first request."""

    def __init__(self, settings: CentralSettings, *, socket: Path | None = None) -> None:
        """``socket`` goes before ``settings.url``. Refusal(SETTING_WRONG) for an address or pin that cannot be one."""
        self._settings = settings
        self._socket = socket
        self._client: httpx.AsyncClient | None = None
        self._opening = asyncio.Lock()
        if socket is None:
            _demand_address(settings.url)
        if settings.pin:
            _demand_pin(settings.pin)

    @property
    def server(self) -> str:
        """The server's name for people: its host, never the whole address."""
        return "localhost" if self._socket else urlsplit(self._settings.url).hostname or ""

    @asynccontextmanager
    async def post(
        self, path: str, body: bytes, *, token: str = "", packed: bool = True
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Send a body, yield the answer's bytes as they arrive.

        Refusals: SERVER_UNTRUSTED (server), SERVER_AWAY (``reached`` False: there was no connection), whatever the
        server refuses, SERVER_REFUSED (reason) when its answer is not one of ours.
        """
        client = await self._open()
        with self._telling_away():
            async with client.stream("POST", path, content=body, headers=_headers(token, packed)) as response:
                await _demand_ok(response)
                yield response.aiter_raw()

    @asynccontextmanager
    async def get(
        self, path: str, *, token: str = "", start: int = 0, tag: str = ""
    ) -> AsyncIterator[tuple[int, AsyncIterator[bytes]]]:
        """The place of the first byte, and the bytes as they arrive. ``start``: go on from there if the server still
        has what ``tag`` names (RFC 9110 section 13.1.5); else everything comes, from 0. Refusals: those of ``post``.
        """
        async with self.tagged(path, token=token, start=start, tag=tag) as (first, _, chunks):
            yield first, chunks

    @asynccontextmanager
    async def tagged(
        self, path: str, *, token: str = "", start: int = 0, tag: str = ""
    ) -> AsyncIterator[tuple[int, str, AsyncIterator[bytes]]]:
        """As ``get``, with the tag (ETag) of what comes in the middle: it may be another than the one asked for."""
        client = await self._open()
        headers = {"Accept-Encoding": "identity"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if start:
            headers |= {"Range": f"bytes={start}-", "If-Range": f'"{tag}"'}
        with self._telling_away():
            async with client.stream("GET", path, headers=headers) as response:
                await _demand_ok(response)
                first = start if response.status_code == _PARTIAL else 0
                yield first, response.headers.get("etag", "").strip('"'), response.aiter_raw()

    async def put(self, path: str, body: bytes, *, token: str = "") -> None:
        """Send a body that is answered by nothing. Refusals: those of ``post``."""
        client = await self._open()
        with self._telling_away():
            async with client.stream("PUT", path, content=body, headers=_headers(token, packed=False)) as response:
                await _demand_ok(response)

    async def exchange(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"", *, token: str = ""
    ) -> Mapping[str, str]:
        """A request whose answer is in its headers (names in lower case). Refusals: those of ``post``."""
        client = await self._open()
        sent = {"Accept-Encoding": "identity", **headers}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        with self._telling_away():
            async with client.stream(method, path, content=body, headers=sent) as response:
                await _demand_ok(response)
                return response.headers

    @asynccontextmanager
    async def events(
        self, path: str, query: dict[str, str], *, token: str = ""
    ) -> AsyncIterator[AsyncIterator[tuple[str, str]]]:
        """An open stream: kind and data of each event as it arrives. One that is silent for SILENCE_S is away.

        Refusals: those of ``post``.
        """
        import httpx
        from httpx_sse import EventSource, SSEError

        client = await self._open()
        timeout = httpx.Timeout(connect=_CONNECT_S, read=SILENCE_S, write=_READ_S, pool=_READ_S)
        headers = {"Accept": STREAM_TYPE, "Accept-Encoding": "identity", "Cache-Control": "no-store"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        with self._telling_away():
            async with client.stream("GET", path, params=query, headers=headers, timeout=timeout) as response:
                await _demand_ok(response)
                source = EventSource(response)
                try:
                    yield ((event.event, event.data) async for event in source.aiter_sse())
                except SSEError:
                    raise Refusal(Code.SERVER_REFUSED, reason="stream") from None

    async def close(self) -> None:
        """Give the connections back."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _open(self) -> httpx.AsyncClient:
        async with self._opening:
            if self._client is None:
                # The library and the certificates take some 120 ms: on a thread, so that the screen goes on.
                self._client = await asyncio.to_thread(self._make_client)
            return self._client

    def _make_client(self) -> httpx.AsyncClient:
        import httpx

        limits = httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_KEPT, keepalive_expiry=_KEEP_S)
        timeout = httpx.Timeout(connect=_CONNECT_S, read=_READ_S, write=_READ_S, pool=_READ_S)
        if self._socket is not None:
            # Without TLS there is nothing to read the authorities for: 30 ms of every start.
            transport = httpx.AsyncHTTPTransport(uds=str(self._socket), verify=False, limits=limits)
            return httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=timeout)
        # trust_env: an address or a proxy is taken from our settings, never from somebody's environment.
        return httpx.AsyncClient(
            base_url=self._settings.url,
            verify=tls_context(self._settings) if urlsplit(self._settings.url).scheme == "https" else False,
            proxy=self._settings.proxy or None,
            limits=limits,
            timeout=timeout,
            trust_env=False,
        )

    @contextmanager
    def _telling_away(self) -> Iterator[None]:
        import httpx

        try:
            yield
        except httpx.TransportError as error:
            raise self._away(error) from error

    def _away(self, error: Exception) -> Refusal:
        if _untrusted(error):
            return Refusal(Code.SERVER_UNTRUSTED, server=self.server)
        import httpx

        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            return Refusal(Code.SERVER_AWAY, reached=False)
        return Refusal(Code.SERVER_AWAY)


def _headers(token: str, packed: bool) -> dict[str, str]:
    headers = {"Content-Type": JSON_TYPE, "Accept": f"{FRAMES_TYPE}, {JSON_TYPE}", "Accept-Encoding": ENCODING}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if packed:
        headers["Content-Encoding"] = ENCODING
    return headers


async def _demand_ok(response: httpx.Response) -> None:
    if not response.is_success:
        raise await _refusal(response)


def tls_context(settings: CentralSettings) -> ssl.SSLContext:
    """What makes a server ours: the system's authorities, those of ``ca_file``, or one certificate alone; TLS 1.3 and
    nothing older. Refusal(SETTING_WRONG) for a file that holds no certificates."""
    context = _pinned(settings.pin) if settings.pin else _vouched(settings.ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


def _vouched(ca_file: str) -> ssl.SSLContext:
    if not ca_file:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # ssl.SSLError is one
        raise _wrong("ca_file", f"PEM: {ca_file}") from error


def _pinned(pin: str) -> ssl.SSLContext:
    """A context that takes the certificate of this digest and no other, before a byte of ours is sent."""
    wanted = _digits(pin)

    class Pinned(ssl.SSLObject):
        def do_handshake(self) -> None:
            super().do_handshake()
            found = self.getpeercert(binary_form=True) or b""
            if hashlib.sha256(found).hexdigest() != wanted:
                raise ssl.SSLCertVerificationError("the certificate is not the pinned one")

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # the digest below says more than a chain would
    context.sslobject_class = Pinned
    return context


def _untrusted(error: BaseException | None) -> bool:
    """Whether the handshake failed on who the server is, not on the line."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, ssl.SSLError):
            return not isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError | ssl.SSLSyscallError)
        error = error.__cause__ or error.__context__
    return False


async def _refusal(response: httpx.Response) -> Refusal:
    raw = b""
    async for chunk in response.aiter_raw():
        raw += chunk
        if len(raw) > _MAX_REFUSAL:
            break
    try:
        wire = msgspec.json.decode(raw, type=dict[str, Any])
        refusal = Refusal.from_wire({"code": str(wire["code"]), "params": dict(wire.get("params") or {})})
    except (msgspec.MsgspecError, ValueError, LookupError, TypeError):
        refusal = Refusal(Code.SERVER_REFUSED, reason=str(response.status_code))
    # A gateway before the server, or the server before its database: away, and it comes back by itself.
    if response.status_code not in _GATEWAY:
        return refusal
    return Refusal(Code.SERVER_AWAY, **(refusal.params if refusal.code is Code.REGION_MOVES else {}))


def _demand_address(url: str) -> None:
    parts = urlsplit(url)
    if not parts.hostname or parts.username or parts.scheme not in ("https", "http"):
        raise _wrong("url", "https://…")
    if parts.scheme == "http" and not _here(parts.hostname):
        raise _wrong("url", "https://…")


def _here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _demand_pin(pin: str) -> None:
    digits = _digits(pin)
    if len(digits) != _PIN_DIGITS or any(digit not in "0123456789abcdef" for digit in digits):
        raise _wrong("pin", "SHA-256")


def _digits(pin: str) -> str:
    return pin.replace(":", "").lower()


def _wrong(key: str, expected: str) -> Refusal:
    return Refusal(Code.SETTING_WRONG, place="settings", key=f"central.{key}", expected=expected)
