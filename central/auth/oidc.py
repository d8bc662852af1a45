"""Signing in through somebody who vouches for people: OpenID Connect by the device flow (RFC 8628), as a setting.

The server talks to the provider, the desk never does: the client's secret and the device code stay here, the desk
shows a code and an address. Whom the provider names must be the owner of the workstation that asks; the first time his
login is compared (``claim``), from then on his ``sub``.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from central.auth.vouching import Begun, Pending, Vouched
from central.local import is_local
from operator_tui.appeals.errors import Code, Refusal

_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_TIMEOUT_S = 10.0
_LEEWAY_S = 60
_INTERVAL_S = 5  # RFC 8628, section 3.2, where the provider says nothing
# Asymmetric ones alone: with HS256 everybody who knows the client's secret could vouch (RFC 8725, section 3.1).
_ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"]


@dataclass(frozen=True)
class OidcSettings:
    """``issuer`` without a slash at its end; ``secret`` empty for a public client; ``claim`` of the ID token holds the
    login; ``ca_file`` certificates to trust instead of the system's (PEM); ``proxy`` ``http://host:port``."""

    issuer: str
    client: str
    secret: str = ""
    claim: str = "preferred_username"
    ca_file: str = ""
    proxy: str = ""


class OidcProvider:
    """One provider. Its addresses and keys are fetched at the first use, its keys again when one is not known.

    Whoever can change its answers vouches for everybody: over TLS 1.3 alone, but for this machine itself (OpenID
    Connect Core, section 16.17). Refusal(OIDC_REFUSED) with the reason ``https`` when it names any other address.
    """

    def __init__(self, settings: OidcSettings) -> None:
        """Refusal(SETTING_WRONG) for an issuer, certificates or a proxy that cannot be one."""
        if not _is_safe(settings.issuer):
            raise _wrong("oidc-issuer", "https://…")
        self._settings = settings
        auth = httpx.BasicAuth(settings.client, settings.secret) if settings.secret else None
        self._auth: Any = auth or httpx.USE_CLIENT_DEFAULT
        self._client = _client(settings)
        self._addresses: dict[str, Any] = {}
        self._keys: KeySet | None = None

    def begin(self) -> Begun:
        """Refusals: OIDC_AWAY, OIDC_REFUSED (reason)."""
        answer = self._asked("device_authorization_endpoint", scope="openid profile")
        if "error" in answer:
            raise Refusal(Code.OIDC_REFUSED, reason=str(answer["error"])[:40])
        try:
            return Begun(
                device_code=str(answer["device_code"]),
                user_code=str(answer["user_code"]),
                address=str(answer["verification_uri"]),
                whole_address=str(answer.get("verification_uri_complete") or answer["verification_uri"]),
                interval_s=max(1, int(answer.get("interval", _INTERVAL_S))),
                expires_s=int(answer["expires_in"]),
            )
        except (KeyError, ValueError, TypeError):
            raise Refusal(Code.OIDC_AWAY) from None

    def finish(self, device_code: str) -> Vouched:
        """Whom it vouches for. Pending while he has not said yes; refusals: OIDC_REFUSED (reason), OIDC_AWAY."""
        answer = self._asked("token_endpoint", grant_type=_GRANT, device_code=device_code)
        if error := answer.get("error"):
            if error in ("authorization_pending", "slow_down"):
                raise Pending(slower=error == "slow_down")
            raise Refusal(Code.OIDC_REFUSED, reason=str(error)[:40])
        return self.vouched(str(answer.get("id_token", "")))

    def vouched(self, id_token: str) -> Vouched:
        """The person of an ID token (OpenID Connect Core, section 3.1.3.7). Refusal(OIDC_REFUSED)."""
        claims = self._claims(id_token)
        login = claims.get(self._settings.claim)
        if not isinstance(login, str) or not login.strip():
            raise Refusal(Code.OIDC_REFUSED, reason=self._settings.claim)
        return Vouched(f"{self._settings.issuer} {claims['sub']}", login.strip().casefold())

    def _claims(self, id_token: str) -> dict[str, Any]:
        registry = jwt.JWTClaimsRegistry(
            leeway=_LEEWAY_S,
            iss={"essential": True, "value": self._settings.issuer},
            aud={"essential": True, "value": self._settings.client},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        )
        for fresh in (False, True):
            try:
                token = jwt.decode(id_token, self._key_set(fresh=fresh), algorithms=_ALGORITHMS)
                registry.validate(token.claims)
                self._demand_party(token.claims)
            except (JoseError, ValueError, TypeError) as error:
                # The provider may have changed its keys since they were fetched: look once more before saying no.
                if fresh or not isinstance(error, InvalidKeyIdError):
                    raise Refusal(Code.OIDC_REFUSED, reason=getattr(error, "error", "id_token")) from None
            else:
                return dict(token.claims)
        raise AssertionError("unreachable")

    def _demand_party(self, claims: dict[str, Any]) -> None:
        """A token for several is ours only if it says so (OpenID Connect Core, section 3.1.3.7, points 4 and 5)."""
        several = isinstance(claims.get("aud"), list) and len(claims["aud"]) > 1
        if (several or "azp" in claims) and claims.get("azp") != self._settings.client:
            raise ValueError("azp")

    def _key_set(self, *, fresh: bool) -> KeySet:
        if self._keys is None or fresh:
            self._keys = KeySet.import_key_set(self._get(self._address("jwks_uri")))
        return self._keys

    def _address(self, name: str) -> str:
        if not self._addresses:
            found = self._get(f"{self._settings.issuer}/.well-known/openid-configuration")
            if found.get("issuer") != self._settings.issuer:
                raise Refusal(Code.OIDC_REFUSED, reason="issuer")
            self._addresses = found
        try:
            return str(self._addresses[name])
        except KeyError:
            raise Refusal(Code.OIDC_REFUSED, reason=name) from None

    def _get(self, address: str) -> Any:
        _demand_tls(address)
        try:
            answer = self._client.get(address)
            answer.raise_for_status()
            return answer.json()
        except (httpx.HTTPError, ValueError):
            raise Refusal(Code.OIDC_AWAY) from None

    def _asked(self, endpoint: str, **form: str) -> dict[str, Any]:
        """The JSON of an answer, an error of RFC 6749 (section 5.2) too."""
        form["client_id"] = self._settings.client
        address = self._address(endpoint)
        _demand_tls(address)
        try:
            answer = self._client.post(address, data=form, auth=self._auth)
            found = dict(answer.json())
        except (httpx.HTTPError, ValueError, TypeError):
            raise Refusal(Code.OIDC_AWAY) from None
        if answer.is_server_error:
            raise Refusal(Code.OIDC_AWAY)
        return found


def _client(settings: OidcSettings) -> httpx.Client:
    try:
        context = ssl.create_default_context(cafile=settings.ca_file or None)
    except OSError as error:  # ssl.SSLError is one
        raise _wrong("oidc-ca", f"PEM: {settings.ca_file}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        # trust_env: a proxy is taken from our settings, never from somebody's environment.
        return httpx.Client(timeout=_TIMEOUT_S, verify=context, proxy=settings.proxy or None, trust_env=False)
    except ValueError as error:
        raise _wrong("oidc-proxy", "http://host:port") from error


def _wrong(key: str, expected: str) -> Refusal:
    return Refusal(Code.SETTING_WRONG, place="central serve", key=f"--{key}", expected=expected)


def _demand_tls(address: str) -> None:
    if not _is_safe(address):
        raise Refusal(Code.OIDC_REFUSED, reason="https")


def _is_safe(address: str) -> bool:
    parts = urlsplit(address)
    host = parts.hostname or ""
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_local(host)))
