"""The server itself speaks TLS 1.3 and nothing older."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

import pytest

from central.serve import Address, listen
from operator_tui.appeals.errors import Code, Refusal
from tests.peers.central import CentralServer
from tests.sync.test_link import make_certificate


def _hello(address: str, newest: ssl.TLSVersion) -> str | None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = newest
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), 60) as plain, context.wrap_socket(plain) as secure:
        return secure.version()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "central.example"])
def test_without_tls_nobody_but_this_machine_is_served(host: str) -> None:
    with pytest.raises(Refusal) as refused:
        listen(Address(host=host))
    assert (refused.value.code, refused.value.params["key"]) == (Code.SETTING_WRONG, "--tls-cert")
    listen(Address(host="127.0.0.1")).close()


def test_a_downgraded_client_is_refused(home: Path, tmp_path: Path) -> None:
    files = make_certificate(tmp_path, "server")
    tls = ("--port", "0", "--tls-cert", str(files.cert), "--tls-key", str(files.key))
    with CentralServer(None, arguments=tls) as server:
        with pytest.raises(ssl.SSLError):
            _hello(server.address, ssl.TLSVersion.TLSv1_2)
        assert _hello(server.address, ssl.TLSVersion.TLSv1_3) == "TLSv1.3"
