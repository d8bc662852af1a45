"""Every role against every address, operation and event there is; what is added later joins by itself."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from central.api.access import OPEN, SIGNED_IN, access_of
from central.app import HANDLERS
from central.store import tables as t
from operator_tui.appeals.card import WITHOUT_CALL
from operator_tui.appeals.lifecycle import MOVES, Act, Who
from operator_tui.appeals.operations import CARD_KINDS, REQUIRED_KEYS, SHARED_KINDS, Kind
from operator_tui.appeals.people import Role
from operator_tui.appeals.rights import RIGHTS, Right, may
from tests.central.auth.people import hire
from tests.central.desks import Desk, Office

ROLES = [role for role in Role if role is not Role.TRAINEE]
_ADMINISTRATORS = (Who.ADMINISTRATOR, Who.OTHER_ADMINISTRATOR)
# What a stranger is told who may not touch somebody's appeal.
_KEPT_OUT = {"not_your_appeal", "right_missing"}

# functions.md 1.2, second table, in its own order: О1, СП1, О2, СП2, СП3, ADM.
_TABLE = {
    Right.QUEUE_CALLS: "++----",
    Right.CARD_FROM_CALL: "++++++",
    Right.CARD_WITHOUT_CALL: "--++++",
    Right.CLOSE_OWN: "++++++",
    Right.CLOSE_ANY_TYPE: "--++++",
    Right.APPROVE: "-----+",
    Right.SURVEYS: "-+++++",
    Right.INFORMING: "---+--",
    Right.EXPORT: "--++++",
    Right.PEOPLE: "-----+",
    Right.RECORDINGS: "-----+",
}
_COLUMNS = (
    Role.OPERATOR_1,
    Role.INSURER_1,
    Role.OPERATOR_2,
    Role.INSURER_2,
    Role.INSURER_3,
    Role.ADMINISTRATOR,
)


@pytest.mark.function("K-1.2", "K-1.3", "K-1.4", "K-1.5", "K-1.6", "K-1.7")
def test_the_table_is_that_of_the_customer() -> None:
    found = {
        right: "".join("+" if may(role, right) else "-" for role in _COLUMNS) for right in RIGHTS if right in _TABLE
    }
    assert found == _TABLE
    assert set(RIGHTS) == set(Right)


def _call(office: Office, path: str, method: str, token: str = "") -> tuple[int, str]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = office.client.request(method, path, content=b"{}", headers=headers)
    if method == "HEAD":  # its refusal has no body
        return answer.status_code, "token_invalid" if answer.status_code == 401 else ""
    return answer.status_code, str(answer.json().get("code", ""))


def _addresses() -> list[tuple[str, str, Any]]:
    return [(path, next(iter(handler.http_methods)), handler) for handler in HANDLERS for path in handler.paths]


def test_every_address_says_who_may_call_it_and_is_served(office: Office) -> None:
    assert all(access_of(handler) for handler in HANDLERS)
    served = {route.path for route in office.client.app.routes if not route.path.startswith("/v1/openapi")}
    assert served == {path for path, _, _ in _addresses()}


def test_without_a_session_nothing_but_the_doors_is_open(office: Office) -> None:
    opened = {path for path, method, _ in _addresses() if _call(office, path, method)[1] != "token_invalid"}
    assert opened == {path for path, _, handler in _addresses() if handler.opt["access"] == OPEN}


@pytest.mark.parametrize("role", ROLES)
def test_every_role_at_every_address(office: Office, role: Role) -> None:
    token = hire(office, f"person-{role.value}", role).sign_in().access
    for path, method, handler in _addresses():
        access = handler.opt["access"]
        if access in (OPEN, SIGNED_IN):
            continue
        status, code = _call(office, path, method, token)
        if may(role, access):
            assert (status, code) == (400, "bad_request"), f"{role} {path}: let in, and the body is looked at"
        else:
            assert (status, code) == (403, "right_missing"), f"{role} {path}"


@pytest.fixture
def owner(office: Office) -> tuple[Desk, str]:
    """Whose appeal it is, and its id."""
    seat = hire(office, "owner")
    desk = seat.desk(seat.sign_in().access)
    made = desk.new_card()
    assert desk.send(made).states == ["applied"]
    return desk, desk.card_id(made)


@pytest.mark.parametrize("role", ROLES)
def test_every_role_with_every_kind_of_operation(office: Office, owner: tuple[Desk, str], role: Role) -> None:
    """Facts are everybody's own; a card is made by everybody from a call; another's card is nobody's to change, except
    by the acts of an administrator."""
    seat = hire(office, "stranger", role)
    desk = seat.desk(seat.sign_in().access)
    _, card = owner
    for kind in Kind:
        if kind in CARD_KINDS | SHARED_KINDS:
            continue
        x: dict[str, Any] = dict.fromkeys(REQUIRED_KEYS.get(kind, ()), "1")
        outcome = desk.send(desk.operation(kind.value, x)).outcomes[0]
        assert outcome.s == "applied", f"{role} {kind}: {outcome.w}"
    assert desk.send(desk.new_card()).states == ["applied"]
    letter = desk.send(desk.new_card(source=min(WITHOUT_CALL))).outcomes[0]
    assert (letter.s == "applied") is may(role, Right.CARD_WITHOUT_CALL), letter.w
    for act in Act:
        move = desk.operation("card.move", {"act": act.value}, card=card, b={"status": card})
        outcome = desk.send(move).outcomes[0]
        if MOVES[act].who in _ADMINISTRATORS and role is Role.ADMINISTRATOR:
            assert outcome.w not in _KEPT_OUT, f"{act}: {outcome.w}"
        elif office.card(card)["status"] in MOVES[act].sources:
            assert outcome.s == "rejected", f"{role} {act}"
            assert outcome.w in _KEPT_OUT, f"{role} {act}: {outcome.w}"
        else:
            assert outcome.s == "rejected", f"{role} {act}"


@pytest.mark.parametrize("role", ROLES)
def test_every_role_of_another_organisation_sees_and_touches_nothing(
    office: Office, owner: tuple[Desk, str], role: Role
) -> None:
    seat = hire(office, "foreign", role, organisation="26/ak")
    desk = seat.desk(seat.sign_in().access)
    _, card = owner
    for forged in ({"26/ak": 0}, {"26/tf": 0}, {"26/tf/work": 0, "26/audit": 0}):
        answer = desk.send(c=forged)
        assert answer.events == []
        assert set(answer.end.end) == {"26/ak"}
    for kind, x in (("card.set", {"comment": "чужой"}), ("card.move", {"act": "void", "reason": "чужой"})):
        outcome = desk.send(desk.operation(kind, x, card=card, b={"status": card})).outcomes[0]
        assert (outcome.s, outcome.cur) == ("rejected", {}), "not even as a refusal"
    assert desk.send().events == []


@pytest.mark.parametrize("role", ROLES)
def test_events_of_ones_own_organisation_are_its_cards_alone(
    office: Office, owner: tuple[Desk, str], role: Role
) -> None:
    """Every kind of event there is has been written; a desk is sent those of cards, and no work log, no audit."""
    boss, _ = owner
    for kind in Kind:
        if kind not in CARD_KINDS:
            boss.send(boss.operation(kind.value, dict.fromkeys(REQUIRED_KEYS.get(kind, ()), "1")))
    seat = hire(office, "colleague", role)
    answer = seat.desk(seat.sign_in().access).send()
    assert {event.k for event in answer.events} == {"card.new"}
    assert {event.s for event in answer.events} == {"26/tf"}


def test_an_administrator_sees_the_people_of_his_region_alone(office: Office) -> None:
    hire(office, "far", Role.OPERATOR_1, organisation="27/tf")
    seat = hire(office, "boss", Role.ADMINISTRATOR)
    token = seat.sign_in().access
    shown = seat.post("/v1/people/list", token).json()["people"]
    assert {person["login"] for person in shown} == {"boss"}
    assert seat.post("/v1/people/change", token, login="far", blocked=True).json()["code"] == "account_unknown"
    assert seat.post("/v1/people/code", token, login="far", kind="reset").json()["code"] == "account_unknown"
    who = {"user": 0, "name": "Новый", "role": "o1", "extension": "2009", "organisation": "27/tf"}
    assert seat.post("/v1/people/add", token, login="new", operator=who).json()["code"] == "right_missing"
    added = seat.post("/v1/people/add", token, login="new", operator={**who, "organisation": "26/tf"})
    assert added.status_code == 200, added.text
    code = seat.post("/v1/people/code", token, login="new", kind="enrolment").json()["codes"]["enrolment"]
    assert len(code) == 14
    (given,) = [
        row for row in office.rows(t.audit, actor=seat.identity.operator.user) if row.action == "enrolment.made"
    ]
    assert given.object == str(added.json()["operator"]["user"]), "who gave a code is in the audit"
    assert list(seat.post("/v1/people/code", token, login="boss", kind="voice").json()["codes"]) == [seat.device]
    for zone in ("Europe/Moskow", "../../etc/passwd", ".", "a\0b"):
        slip = seat.post("/v1/people/change", token, login="new", values={"zone": zone})
        assert slip.json() == {"code": "field_invalid", "params": {"field": "zone"}}, zone
        wrong = seat.post(
            "/v1/people/add", token, login="other", operator={**who, "organisation": "26/tf", "zone": zone}
        )
        assert wrong.json()["code"] == "field_invalid", zone
    moved = seat.post("/v1/people/change", token, login="new", values={"organisation": "27/tf"})
    assert moved.json()["code"] == "right_missing"
    assert seat.post("/v1/people/change", token, login="new", blocked=True, groups=["2"]).json()["groups"] == ["2"]
    assert msgspec.json.decode(office.rows(_account())[-1].groups) == ["2"]


def _account() -> Any:
    from central.store import tables

    return tables.account
