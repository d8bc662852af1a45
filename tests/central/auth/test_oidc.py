"""Signing in through a provider: a real one, small, over HTTP; and tokens that it never gave."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from httpx import Response
from joserfc.jwk import ECKey
from litestar.testing import TestClient
from nacl.signing import SigningKey

from central.app import create_app
from central.auth import accounts
from central.auth.oidc import OidcProvider as Verifier
from central.auth.oidc import OidcSettings
from central.keys import ServerKeys, bind
from central.store.database import Database
from operator_tui.appeals.clock import ManualClock
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.signin.messages import OIDC_BEGIN_PATH, OIDC_POLL_PATH, Granted, challenge_text, oidc_text
from operator_tui.sync.protocol import ENROL_PATH, EnrolAnswer
from tests.central.auth.people import Seat, hire, person
from tests.central.desks import Office
from tests.peers.oidc import CLIENT, SECRET, OidcProvider, serving
from tests.sync.test_link import make_certificate


@pytest.fixture(scope="module")
def provider() -> Iterator[OidcProvider]:
    with serving() as running:
        yield running


@pytest.fixture(autouse=True)
def _as_it_was(provider: OidcProvider) -> None:
    provider.claims, provider.header, provider.signer, provider.error = {}, {}, None, ""


@pytest.fixture
def verifier(provider: OidcProvider) -> Verifier:
    return Verifier(OidcSettings(provider.issuer, CLIENT, SECRET))


@pytest.fixture
def office(database: Database, clock: ManualClock, verifier: Verifier) -> Iterator[Office]:
    keys = ServerKeys.fresh()
    bind(database, keys)
    app = create_app(database, keys, clock=clock, provider=verifier)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield Office(database, client, clock)


class OidcSeat(Seat):
    """A workstation whose owner has no password here."""

    def __init__(self, office: Office, login: str) -> None:
        self.office, self.login, self.key = office, login, SigningKey.generate()
        accounts.add(office.database, login, person(login), office.clock.now_ms())
        code = accounts.enrolment_code(office.database, login, office.clock.now_ms())
        answer = self.post(ENROL_PATH, code=code, key=bytes(self.key.verify_key).hex(), oidc=True)
        assert answer.status_code == 200, answer.text
        self.identity = msgspec.json.decode(answer.content, type=EnrolAnswer)


def begin(seat: Seat, **changed: Any) -> Response:
    nonce = seat.nonce()
    signature = seat.key.sign(challenge_text(nonce, seat.device, "")).signature.hex()
    return seat.post(OIDC_BEGIN_PATH, **{"d": seat.device, "nonce": nonce, "sig": signature, **changed})


def poll(seat: Seat, handle: str, **changed: Any) -> Response:
    signature = seat.key.sign(oidc_text(handle, seat.device)).signature.hex()
    return seat.post(OIDC_POLL_PATH, **{"d": seat.device, "handle": handle, "sig": signature, **changed})


def vouched(office: Office, provider: OidcProvider, seat: Seat, login: str, subject: str = "") -> Response:
    handle = begin(seat).json()["handle"]
    provider.say_yes(login, subject)
    office.clock.advance(1)
    return poll(seat, handle)


def test_a_person_without_a_password_comes_in_by_the_providers_word(office: Office, provider: OidcProvider) -> None:
    seat = OidcSeat(office, "petrova")
    begun = begin(seat)
    assert begun.status_code == 200, begun.text
    shown = begun.json()
    assert shown["user_code"] == "BDWD-HQPK"
    assert shown["whole_address"].endswith("?code=BDWD-HQPK")
    assert not set(provider.flows) & set(begun.text.split('"')), "the device code stays at the server"
    asked = provider.asked
    early = poll(seat, shown["handle"])
    assert (early.json()["code"], provider.asked) == ("oidc_pending", asked), "asked at most once an interval"
    office.clock.advance(1)
    assert poll(seat, shown["handle"]).json()["code"] == "oidc_pending"
    provider.say_yes("Petrova")
    office.clock.advance(1)
    answer = poll(seat, shown["handle"])
    assert answer.status_code == 200, answer.text
    granted = msgspec.json.decode(answer.content, type=Granted)
    assert granted.operator.name == "Петрова petrova"
    assert seat.desk(granted.access).send(seat.desk(granted.access).new_card()).states == ["applied"]
    office.clock.advance(1)
    assert poll(seat, shown["handle"]).json()["code"] == "token_expired", "a flow counts once"
    assert seat.try_sign_in("").json()["code"] == "sign_in_wrong", "no password is no way in"


def test_he_asks_less_often_when_the_provider_says_so(office: Office, provider: OidcProvider) -> None:
    seat = OidcSeat(office, "petrova")
    handle = begin(seat).json()["handle"]
    provider.error = "slow_down"
    office.clock.advance(1)
    assert poll(seat, handle).json()["params"] == {"seconds": 6}
    provider.error = ""
    provider.say_yes("petrova")
    office.clock.advance(2)
    assert poll(seat, handle).json()["code"] == "oidc_pending"
    office.clock.advance(4)
    assert poll(seat, handle).status_code == 200


def test_whom_the_provider_names_must_be_the_owner_of_the_place(office: Office, provider: OidcProvider) -> None:
    seat = OidcSeat(office, "petrova")
    other = OidcSeat(office, "sidorova")
    assert vouched(office, provider, seat, "sidorova").json()["code"] == "oidc_stranger"
    assert vouched(office, provider, seat, "petrova", "1").status_code == 200
    # Another person got her login at the provider: the login is compared once, then the subject.
    assert vouched(office, provider, seat, "petrova", "2").json()["code"] == "oidc_stranger"
    assert vouched(office, provider, seat, "petrova-new-name", "1").status_code == 200
    assert vouched(office, provider, other, "sidorova", "1").json()["code"] == "oidc_stranger", (
        "one subject, one person"
    )
    accounts.change(office.database, "petrova", office.clock.now_ms(), blocked=True)
    assert vouched(office, provider, seat, "petrova", "1").json()["code"] == "account_blocked"


def test_only_the_enrolled_device_begins_and_asks(office: Office, provider: OidcProvider) -> None:
    seat, other = OidcSeat(office, "petrova"), OidcSeat(office, "sidorova")
    assert begin(seat, sig="00" * 64).json()["code"] == "device_signature"
    assert begin(seat, nonce="made up").json()["code"] == "device_signature"
    handle = begin(seat).json()["handle"]
    office.clock.advance(1)
    assert poll(other, handle).json()["code"] == "token_expired", "another's device has no such flow"
    assert poll(seat, handle, sig="00" * 64).json()["code"] == "device_signature"
    assert poll(seat, "made up").json()["code"] == "token_expired"
    office.clock.advance(601)
    assert poll(seat, handle).json()["code"] == "token_expired"


Spoil = Callable[[OidcProvider], None]


def _claims(**changed: Any) -> Spoil:
    def spoil(provider: OidcProvider) -> None:
        provider.claims = changed

    return spoil


def _at(**seconds: int) -> Spoil:
    """Times from the moment it is given, not from when the tests were collected: an hour may lie between."""

    def spoil(provider: OidcProvider) -> None:
        now = int(time.time())
        provider.claims = {claim: now + offset for claim, offset in seconds.items()}

    return spoil


def _forged(provider: OidcProvider) -> None:
    provider.signer = ECKey.generate_key("P-256", {"kid": "k1"})


def _symmetric(provider: OidcProvider) -> None:
    provider.signer, provider.header = provider.weak_key(), {"alg": "HS256"}


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(_forged, id="forged"),
        pytest.param(_symmetric, id="signed with the client's secret"),
        pytest.param(_at(exp=-600, iat=-1200), id="expired"),
        pytest.param(_at(iat=3600), id="from the future"),
        pytest.param(_claims(aud="another-client"), id="wrong audience"),
        pytest.param(_claims(aud=[CLIENT, "another"]), id="for several"),
        pytest.param(_claims(azp="another"), id="given to another"),
        pytest.param(_claims(iss="https://elsewhere.example"), id="wrong issuer"),
        pytest.param(_claims(sub=None), id="nobody"),
        pytest.param(_claims(exp=None), id="for ever"),
        pytest.param(_claims(preferred_username=None), id="without a login"),
        pytest.param(_claims(preferred_username=["petrova"]), id="with a list for a login"),
    ],
)
def test_a_token_that_is_none(office: Office, provider: OidcProvider, spoil: Spoil) -> None:
    seat = OidcSeat(office, "petrova")
    spoil(provider)
    refused = vouched(office, provider, seat, "petrova")
    assert (refused.status_code, refused.json()["code"]) == (403, "oidc_refused")
    provider.claims, provider.header, provider.signer = {}, {}, None
    office.clock.advance(2)
    assert vouched(office, provider, seat, "petrova").status_code == 200


def test_no_signature_at_all(verifier: Verifier, provider: OidcProvider) -> None:
    from operator_tui.appeals.errors import Code, Refusal

    header, body, signature = provider.token("petrova", "1").split(".")
    nothing = "eyJhbGciOiJub25lIn0"  # {"alg":"none"}
    for token in (f"{nothing}.{body}.", f"{header}.{body}.", f"{header}.{body}.{signature[:-4]}AAAA", "", "a.b.c"):
        with pytest.raises(Refusal) as refused:
            verifier.vouched(token)
        assert refused.value.code is Code.OIDC_REFUSED
    assert verifier.vouched(f"{header}.{body}.{signature}").login == "petrova"


def test_keys_that_the_provider_has_changed_are_fetched_again(verifier: Verifier, provider: OidcProvider) -> None:
    before = provider.key
    assert verifier.vouched(provider.token("petrova", "1")).subject.endswith(" 1")
    try:
        provider.key = ECKey.generate_key("P-256", {"kid": "k2", "use": "sig"})
        provider.header = {"kid": "k2"}
        assert verifier.vouched(provider.token("petrova", "1")).login == "petrova"
    finally:
        provider.key = before


@pytest.mark.parametrize("error", ["access_denied", "expired_token", "invalid_grant"])
def test_a_no_is_a_no(office: Office, provider: OidcProvider, error: str) -> None:
    seat = OidcSeat(office, "petrova")
    handle = begin(seat).json()["handle"]
    provider.error = error
    office.clock.advance(1)
    assert poll(seat, handle).json() == {"code": "oidc_refused", "params": {"reason": error}}


def test_a_provider_that_is_away(database: Database, clock: ManualClock) -> None:
    away = Verifier(OidcSettings("http://127.0.0.1:9", CLIENT, SECRET))
    with TestClient(create_app(database, clock=clock, provider=away), raise_server_exceptions=False) as client:
        assert begin(OidcSeat(Office(database, client, clock), "petrova")).json()["code"] == "oidc_away"
    assert clock.now_ms()


def test_a_server_without_a_provider_says_so(database: Database, clock: ManualClock) -> None:
    with TestClient(create_app(database, clock=clock), raise_server_exceptions=False) as client:
        seat = hire(Office(database, client, clock), "petrova")
        assert begin(seat).json()["code"] == "oidc_off"


@pytest.mark.parametrize("name", ["device_authorization_endpoint", "token_endpoint", "jwks_uri"])
def test_nobody_vouches_over_a_line_that_others_write_on(
    provider: OidcProvider, verifier: Verifier, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    verifier.begin()
    monkeypatch.setitem(verifier._addresses, name, "http://id.example")
    acts: dict[str, Callable[[], object]] = {
        "device_authorization_endpoint": verifier.begin,
        "token_endpoint": lambda: verifier.finish("code"),
        "jwks_uri": lambda: verifier._key_set(fresh=True),
    }
    with pytest.raises(Refusal) as refused:
        acts[name]()
    assert (refused.value.code, refused.value.params) == (Code.OIDC_REFUSED, {"reason": "https"})


@pytest.mark.parametrize(
    ("key", "settings"),
    [
        ("--oidc-issuer", OidcSettings("http://id.example", CLIENT)),
        ("--oidc-issuer", OidcSettings("id.example", CLIENT)),
        ("--oidc-ca", OidcSettings("https://id.example", CLIENT, ca_file="/nowhere.pem")),
        ("--oidc-proxy", OidcSettings("https://id.example", CLIENT, proxy="no address")),
    ],
)
def test_a_setting_that_cannot_be_is_said_at_the_start(key: str, settings: OidcSettings) -> None:
    with pytest.raises(Refusal) as refused:
        Verifier(settings)
    assert (refused.value.code, refused.value.params["key"]) == (Code.SETTING_WRONG, key)


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_provider_that_speaks_an_older_tls_is_not_spoken_to(tmp_path: Path, newest: ssl.TLSVersion) -> None:
    files = make_certificate(tmp_path, "provider")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = newest
    context.load_cert_chain(files.cert, files.key)
    with serving(context) as running:
        verifier = Verifier(OidcSettings(running.issuer, CLIENT, SECRET, ca_file=str(files.cert)))
        if newest is ssl.TLSVersion.TLSv1_3:
            assert verifier.begin().user_code == "BDWD-HQPK"
            return
        with pytest.raises(Refusal) as refused:
            verifier.begin()
        assert (refused.value.code, running.asked) == (Code.OIDC_AWAY, 0)


def test_the_provider_is_reached_through_the_proxy_that_was_set(
    provider: OidcProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert Verifier(OidcSettings(provider.issuer, CLIENT, SECRET)).begin(), "nobody's environment names one"
    behind = "http://127.0.0.1:9"  # the provider is known there by this name alone
    provider.issuer, direct = behind, provider.issuer
    try:
        with pytest.raises(Refusal) as refused:
            Verifier(OidcSettings(behind, CLIENT, SECRET)).begin()
        assert refused.value.code is Code.OIDC_AWAY
        assert Verifier(OidcSettings(behind, CLIENT, SECRET, proxy=direct)).begin().user_code == "BDWD-HQPK"
    finally:
        provider.issuer = direct
