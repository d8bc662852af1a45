"""The connection: whom it trusts, and how a server that is away or strange is told from one that refuses."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.sync.link import Link
from operator_tui.sync.settings import CentralSettings
from tests.sync.conftest import until

Reply = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Certificate:
    """A self-made certificate of 127.0.0.1 in files of its own."""

    cert: Path
    key: Path
    pin: str


def make_certificate(folder: Path, name: str) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = Certificate(folder / f"{name}.pem", folder / f"{name}.key", certificate.fingerprint(hashes.SHA256()).hex())
    files.cert.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return make_certificate(tmp_path, "server")


@asynccontextmanager
async def serving(
    reply: Reply, certificate: Certificate | None = None, *, path: Path | None = None
) -> AsyncIterator[int]:
    """A server that reads a request's head and then does what ``reply`` does. Yields its port (``path``: 0).

    No connection outlives it: one that did would be another test's unraisable exception.
    """
    heads: list[bytes] = []
    handling: set[asyncio.Task[Any]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if task := asyncio.current_task():
            handling.add(task)
        try:
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            await reply(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(OSError):  # ssl.SSLError is one
                await writer.wait_closed()

    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.cert, certificate.key)
    if path is not None:
        server = await asyncio.start_unix_server(handle, path)
    else:
        server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    async with server:
        try:
            yield 0 if path is not None else server.sockets[0].getsockname()[1]
        finally:
            if handling:
                await asyncio.wait(handling, timeout=60)


def says(status: int, body: bytes = b"", *, head: bytes = b"") -> Reply:
    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n%s\r\n" % (status, len(body), head) + body)
        await writer.drain()

    return reply


async def ask(link: Link) -> bytes:
    try:
        async with link.post("/v1/sync", b"{}", token="t") as chunks:
            return b"".join([chunk async for chunk in chunks])
    finally:
        await link.close()


async def refusal_of(link: Link) -> Refusal:
    with pytest.raises(Refusal) as refused:
        await ask(link)
    return refused.value


def settings(port: int, *, ca_file: str = "", pin: str = "") -> CentralSettings:
    return CentralSettings(url=f"https://127.0.0.1:{port}", ca_file=ca_file, pin=pin)


async def test_a_certificate_nobody_vouches_for_is_not_trusted(certificate: Certificate) -> None:
    async with serving(says(200, b"x"), certificate) as port:
        refusal = await refusal_of(Link(settings(port)))
    assert (refusal.code, refusal.params) == (Code.SERVER_UNTRUSTED, {"server": "127.0.0.1"})


async def test_with_its_authority_given_it_is(certificate: Certificate) -> None:
    async with serving(says(200, b"x"), certificate) as port:
        assert await ask(Link(settings(port, ca_file=str(certificate.cert)))) == b"x"


async def test_a_name_the_certificate_does_not_hold_is_not_trusted(certificate: Certificate) -> None:
    async with serving(says(200, b"x"), certificate) as port:
        strange = CentralSettings(url=f"https://localhost:{port}", ca_file=str(certificate.cert))
        assert (await refusal_of(Link(strange))).code is Code.SERVER_UNTRUSTED


async def test_a_pinned_certificate_is_trusted_and_no_other(certificate: Certificate, tmp_path: Path) -> None:
    asked: list[bytes] = []

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(b"request")
        await says(200, b"x")(reader, writer)

    pin = ":".join(certificate.pin[place : place + 2] for place in range(0, 64, 2)).upper()
    async with serving(reply, certificate) as port:
        assert await ask(Link(settings(port, pin=pin))) == b"x"
    other = make_certificate(tmp_path, "other")
    assert hashlib.sha256(other.cert.read_bytes()).hexdigest() != certificate.pin
    asked.clear()
    async with serving(reply, other) as port:
        assert (await refusal_of(Link(settings(port, pin=pin)))).code is Code.SERVER_UNTRUSTED
    assert asked == [], "not a byte of ours was sent to it"


@pytest.mark.parametrize("by", ["ca_file", "pin"])
async def test_a_server_that_speaks_only_older_tls_is_not_spoken_to(certificate: Certificate, by: str) -> None:
    trust = {"ca_file": str(certificate.cert), "pin": certificate.pin}[by]
    # A plain socket, not asyncio's: that one cuts the line without the alert that says why.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate.cert, certificate.key)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(120)

        def refuse() -> str:
            connection, _ = listening.accept()
            with connection, pytest.raises(ssl.SSLError) as failed:
                context.wrap_socket(connection, server_side=True)
            return str(failed.value)

        refusing = asyncio.create_task(asyncio.to_thread(refuse))
        address = settings(listening.getsockname()[1], **{by: trust})
        assert (await refusal_of(Link(address))).code is Code.SERVER_UNTRUSTED
        assert "PROTOCOL" in (await refusing).upper()
    async with serving(says(200, b"x"), certificate) as port:
        assert await ask(Link(settings(port, **{by: trust}))) == b"x"


async def test_a_port_nobody_listens_on_is_away() -> None:
    with socket.socket() as silent:  # bound, so that nobody else takes it meanwhile
        silent.bind(("127.0.0.1", 0))
        assert (await refusal_of(Link(settings(silent.getsockname()[1])))).code is Code.SERVER_AWAY


async def test_a_missing_socket_is_away(tmp_path: Path) -> None:
    assert (await refusal_of(Link(CentralSettings(), socket=tmp_path / "none.sock"))).code is Code.SERVER_AWAY


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_a_gateway_without_its_server_is_away(status: int) -> None:
    async with serving(says(status, b"<html>Bad Gateway</html>")) as port:
        assert (await refusal_of(Link(CentralSettings(url=f"http://127.0.0.1:{port}")))).code is Code.SERVER_AWAY


@pytest.mark.parametrize(
    ("status", "body", "code", "params"),
    [
        (401, b'{"code":"token_invalid","params":{}}', Code.TOKEN_INVALID, {}),
        (409, b'{"code":"fork","params":{"n":4}}', Code.FORK, {"n": 4}),
        (400, b'{"code":"of_tomorrow"}', Code.SERVER_REFUSED, {"reason": "of_tomorrow"}),
        (407, b"<html>" + b"x" * 200_000, Code.SERVER_REFUSED, {"reason": "407"}),
        (404, b"[1]", Code.SERVER_REFUSED, {"reason": "404"}),
        (302, b"", Code.SERVER_REFUSED, {"reason": "302"}),
    ],
)
async def test_what_the_server_refuses_comes_out(
    status: int, body: bytes, code: Code, params: dict[str, object]
) -> None:
    async with serving(says(status, body)) as port:
        refusal = await refusal_of(Link(CentralSettings(url=f"http://127.0.0.1:{port}")))
    assert (refusal.code, refusal.params) == (code, params)


async def test_an_answer_that_breaks_off_is_away() -> None:
    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        await writer.drain()

    async with serving(reply) as port:
        assert (await refusal_of(Link(CentralSettings(url=f"http://127.0.0.1:{port}")))).code is Code.SERVER_AWAY


async def test_operations_have_a_connection_while_all_that_is_long_is_under_way() -> None:
    """The stream, a snapshot, a package, a file that is read, one that is sent, a question: a card waits for none."""
    asked, release = 0, asyncio.Event()

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        if asked > 6:
            await says(200, b"taken")(reader, writer)
            return
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
        await writer.drain()
        await release.wait()

    async def long() -> None:
        async with link.get("/v1/files/x") as (_, chunks):
            async for _ in chunks:
                pass

    async with serving(reply) as port:
        link = Link(CentralSettings(url=f"http://127.0.0.1:{port}"))
        under_way = [asyncio.create_task(long()) for _ in range(6)]
        await until(lambda: asked == 6)
        async with link.post("/v1/sync", b"{}") as chunks:
            assert b"".join([chunk async for chunk in chunks]) == b"taken"
        release.set()
        broken = await asyncio.gather(*under_way, return_exceptions=True)
        await link.close()
    assert [isinstance(one, Refusal) for one in broken] == [True] * 6


@pytest.mark.parametrize("by", ["socket", "http"])
async def test_where_there_is_no_tls_nobody_reads_the_authorities(
    by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*_: object, **__: object) -> ssl.SSLContext:
        raise AssertionError("read for nothing")

    monkeypatch.setattr(ssl, "create_default_context", read)
    there = tmp_path / "s" if by == "socket" else None
    async with serving(says(200, b"x"), path=there) as port:
        assert await ask(Link(CentralSettings(url=f"http://127.0.0.1:{port}"), socket=there)) == b"x"


async def test_it_goes_through_a_proxy_and_by_no_other_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    seen: list[bytes] = []

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(b"asked")
        writer.write(b"HTTP/1.1 403 no\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with serving(reply) as port:
        proxied = CentralSettings(url="https://central.invalid", proxy=f"http://127.0.0.1:{port}")
        assert (await refusal_of(Link(proxied))).code is Code.SERVER_AWAY
    assert seen == [b"asked"]


@pytest.mark.parametrize("url", ["", "central", "http://central.example", "ftp://x", "https://a:b@central.example"])
def test_an_address_that_would_not_be_safe_is_refused(url: str) -> None:
    with pytest.raises(Refusal) as refused:
        Link(CentralSettings(url=url))
    assert (refused.value.code, refused.value.params["key"]) == (Code.SETTING_WRONG, "central.url")


@pytest.mark.parametrize("pin", ["12", "z" * 64, "a" * 63])
def test_a_pin_that_is_none_is_refused(pin: str) -> None:
    with pytest.raises(Refusal) as refused:
        Link(CentralSettings(url="https://central.example", pin=pin))
    assert refused.value.params["key"] == "central.pin"


@pytest.mark.parametrize("content", [None, "", "no certificate"])
async def test_a_file_without_certificates_is_refused(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    link = Link(CentralSettings(url="https://central.example", ca_file=str(file)))
    assert (await refusal_of(link)).params["key"] == "central.ca_file"


def test_a_refusal_of_the_link_can_be_logged() -> None:
    assert json.dumps(Refusal(Code.SERVER_UNTRUSTED, server="central.example").wire())
