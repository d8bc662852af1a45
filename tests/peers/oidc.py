"""A small OpenID provider with the device flow (RFC 8628) on a port of its own: real HTTP, real signatures."""

from __future__ import annotations

import base64
import json
import secrets
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey

CLIENT, SECRET = "operator-tui", "a client secret"


class OidcProvider:
    """``say_yes`` is the person at the provider's page. The rest spoils the tokens it gives."""

    def __init__(self) -> None:
        self.key = ECKey.generate_key("P-256", {"kid": "k1", "use": "sig"})
        self.flows: dict[str, dict[str, Any]] = {}
        self.asked = 0
        self.claims: dict[str, Any] = {}
        self.signer: Any = None
        self.header: dict[str, str] = {}
        self.error = ""
        self.issuer = ""

    def say_yes(self, login: str, subject: str = "") -> None:
        """To the flow begun last."""
        flow = list(self.flows.values())[-1]
        flow["who"] = (login, subject or f"sub-{login}")

    def answer(self, path: str, form: dict[str, str], authorised: bool) -> tuple[int, Any]:
        match path:
            case "/.well-known/openid-configuration":
                return 200, {
                    "issuer": self.issuer,
                    "device_authorization_endpoint": f"{self.issuer}/device",
                    "token_endpoint": f"{self.issuer}/token",
                    "jwks_uri": f"{self.issuer}/keys",
                }
            case "/keys":
                return 200, KeySet([self.key]).as_dict(private=False)
            case "/device" if authorised:
                code = secrets.token_urlsafe(16)
                self.flows[code] = {}
                return 200, {
                    "device_code": code,
                    "user_code": "BDWD-HQPK",
                    "verification_uri": f"{self.issuer}/go",
                    "verification_uri_complete": f"{self.issuer}/go?code=BDWD-HQPK",
                    "expires_in": 600,
                    "interval": 1,
                }
            case "/token" if authorised:
                return self._token(form)
        return 401, {"error": "invalid_client"}

    def _token(self, form: dict[str, str]) -> tuple[int, Any]:
        self.asked += 1
        flow = self.flows.get(form.get("device_code", ""))
        if form.get("grant_type") != "urn:ietf:params:oauth:grant-type:device_code" or flow is None:
            return 400, {"error": "invalid_grant"}
        if self.error:
            return 400, {"error": self.error}
        if "who" not in flow:
            return 400, {"error": "authorization_pending"}
        return 200, {"access_token": "a", "token_type": "Bearer", "id_token": self.token(*flow["who"])}

    def token(self, login: str, subject: str) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": subject,
            "iat": now,
            "exp": now + 300,
            "preferred_username": login,
        }
        claims = {name: value for name, value in {**claims, **self.claims}.items() if value is not None}
        header = {"alg": "ES256", "kid": "k1", **self.header}
        return jwt.encode(header, claims, self.signer or self.key, algorithms=["ES256", "HS256"])

    def weak_key(self) -> Any:
        """The client's secret as a symmetric key: what a forger who knows it would sign with."""
        return OctKey.import_key(SECRET.ljust(32, "x"))


@contextmanager
def serving(tls: ssl.SSLContext | None = None) -> Iterator[OidcProvider]:
    """The provider, until the end of the block; over TLS with a context. It is a proxy to itself, too."""
    provider = OidcProvider()
    basic = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
            self._answer(dict(parse_qsl(body)))

        def _answer(self, form: dict[str, str]) -> None:
            authorised = self.headers.get("authorization") == basic
            status, content = provider.answer(urlsplit(self.path).path, form, authorised)
            raw = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.issuer = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
