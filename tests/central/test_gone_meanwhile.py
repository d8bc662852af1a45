"""A request that was admitted in the moment before its region went to another server: told so, and nothing breaks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from nacl.public import PrivateKey, SealedBox

from central import exchange
from central.apply import Push, push_all
from central.auth.devices import keep_journal_key
from central.auth.sessions import authenticated
from central.forks import fork
from central.keys import ServerKeys
from central.store import tables as t
from central.store.database import Database
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.reference import packaged_catalogue
from operator_tui.sync.protocol import plain_operation
from tests.central.desks import Desk, Office

GONE = (401, "token_invalid")


@pytest.fixture
def going(office: Office, monkeypatch: pytest.MonkeyPatch) -> Callable[[Desk], None]:
    """The desk's region goes as soon as its next request is admitted, as far as the desk can tell."""
    admitted = exchange.admitted_all

    def leaves(desk: Desk) -> None:
        def then_gone(database: Database, tokens: Sequence[str], now_ms: int) -> Any:
            found = admitted(database, tokens, now_ms)
            _take_out(database, desk)
            return found

        monkeypatch.setattr(exchange, "admitted_all", then_gone)

    return leaves


def _take_out(database: Database, desk: Desk) -> None:
    def work(connection: sa.Connection) -> None:
        connection.execute(sa.delete(t.enrolment))
        connection.execute(sa.delete(t.op_log).where(t.op_log.c.device == desk.code))
        connection.execute(sa.delete(t.device).where(t.device.c.id == desk.code))
        connection.execute(sa.delete(t.operator).where(t.operator.c.number == desk.identity.operator.user))

    database.write(work)


@pytest.mark.parametrize("sends", [True, False])
def test_a_desk_is_told_that_it_is_not_known_here(
    office: Office, desk: Desk, going: Callable[[Desk], None], sends: bool
) -> None:
    desk.send(desk.new_card())
    card = desk.new_card()
    going(desk)
    answer = desk.send(*([card] if sends else []))
    assert (answer.status, answer.refusal["code"]) == GONE
    assert [row.op for row in office.rows(t.event) if row.kind == "card.new"] == [f"{desk.code}:1"]


def test_what_others_sent_in_the_same_moment_is_taken(office: Office, desk: Desk) -> None:
    other = office.desk("Другая", organisation="77/tf")
    now = office.clock.now_ms()
    pushes = [
        Push(authenticated(office.database, each.identity.token, now), [plain_operation(each.new_card())])
        for each in (desk, other)
    ]
    _take_out(office.database, desk)
    refused, taken = push_all(office.database, pushes, now, packaged_catalogue())
    assert isinstance(refused, Refusal)
    assert refused.code is Code.TOKEN_INVALID
    assert not isinstance(taken, Refusal)
    assert [outcome.s for outcome in taken.outcomes] == ["applied"]


def test_a_copied_journal_gets_no_device_of_nobody(office: Office, desk: Desk) -> None:
    now = office.clock.now_ms()
    device = authenticated(office.database, desk.identity.token, now)
    _take_out(office.database, desk)
    with pytest.raises(Refusal) as refused:
        fork(office.database, device, now)
    assert refused.value.code is Code.TOKEN_INVALID
    assert office.rows(t.device) == []


def test_nobodys_journal_key_is_kept(office: Office, desk: Desk) -> None:
    keys = ServerKeys.fresh()
    sealed = SealedBox(PrivateKey(keys.recovery).public_key).encrypt(bytes(32)).hex()
    _take_out(office.database, desk)
    with pytest.raises(Refusal) as refused:
        keep_journal_key(office.database, keys, desk.code, sealed)
    assert refused.value.code is Code.TOKEN_INVALID
