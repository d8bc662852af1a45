"""The published description, and Schemathesis over every address in it: whatever comes, no 5xx."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from litestar.testing import TestClient

from central.api.openapi import MESSAGES
from central.app import HANDLERS, create_app
from central.store.database import Database
from operator_tui.appeals.clock import ManualClock
from operator_tui.appeals.people import Role
from operator_tui.sync.tus import FILES_PATH
from tests.central.auth.people import hire
from tests.central.conftest import KEY
from tests.central.desks import Office

# A stream that is open has no end to wait for; tests/sync/test_listening.py speaks to it.
_ENDLESS = "/v1/events"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder: Path = tmp_path_factory.mktemp("openapi")
    database, clock = Database.sqlite(folder / "central.db", KEY), ManualClock()
    with TestClient(create_app(database, clock=clock), raise_server_exceptions=False) as client:
        yield Office(database, client, clock)


@pytest.fixture(scope="module")
def description(office: Office) -> dict[str, Any]:
    found: dict[str, Any] = office.client.get("/v1/openapi").json()
    return found


def test_every_address_is_described_with_what_it_takes(description: dict[str, Any]) -> None:
    """Or Schemathesis would never send it a message that it reads."""
    served = {re.sub(r":\w+}", "}", path) for handler in HANDLERS for path in handler.paths}
    assert served == set(description["paths"])
    taking = {path for handler in HANDLERS for path in handler.paths if {"POST", "PUT"} & set(handler.http_methods)}
    assert taking - set(MESSAGES) == {FILES_PATH}, "a file's bytes are no message"


def test_every_message_is_described(description: dict[str, Any]) -> None:
    for path in MESSAGES:
        (operation,) = description["paths"][path].values()
        named = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        assert "v" in description["components"]["schemas"][named]["properties"]
    guarded = {path for path, methods in description["paths"].items() for each in methods.values() if each["security"]}
    assert "/v1/sync" in guarded
    assert "/v1/health" not in guarded


@pytest.mark.parametrize("signed_in", [False, True], ids=["stranger", "administrator"])
def test_nothing_that_comes_makes_a_5xx(office: Office, description: dict[str, Any], *, signed_in: bool) -> None:
    token = hire(office, "administrator", Role.ADMINISTRATOR).sign_in().access if signed_in else "nobody"
    operations = [each.ok() for each in schemathesis.openapi.from_dict(description).get_all_operations()]
    assert len(operations) >= len(MESSAGES)
    for operation in operations:
        if operation.path != _ENDLESS:
            _ask(office, operation, token)


def _ask(office: Office, operation: Any, token: str) -> None:
    @settings(max_examples=15, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        if isinstance(case.body, dict):
            # Of this version, or all that is answered is that it is not; never held: the clock stands still.
            case.body |= {"v": 1, **({"wait": 0} if "wait" in case.body else {})}
        sent = case.as_transport_kwargs(base_url="http://testserver")
        headers = {**dict(sent.get("headers") or {}), "Authorization": f"Bearer {token}"}
        answer = office.client.request(
            sent["method"], sent["url"], params=sent.get("params"), json=sent.get("json"), headers=headers
        )
        assert answer.status_code < 500, (operation.label, answer.text, case.body)

    ask()
