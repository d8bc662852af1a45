"""Every role against every address, operation and event there is; what is added later joins by itself."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from central.api.access import access_of
from central.app import HANDLERS
from central.auth import accounts
from central.devices import Device, collector_code, enrol
from central.feed import Feed
from central.store import tables as t
from operator_tui.appeals import operations
from operator_tui.appeals.card import WITHOUT_CALL, Status
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.lifecycle import MOVES, Act
from operator_tui.appeals.operations import CARD_KINDS, Kind
from operator_tui.appeals.people import Role
from operator_tui.appeals.rights import Right, may
from operator_tui.signin.messages import SIGN_OUT_PATH
from tests.central.auth.decisions import (
    ACTS,
    ADDRESSES,
    COLLECTOR,
    COLUMNS,
    LEVEL_2_UP,
    OPEN,
    OPERATIONS,
    RIGHTS_OF,
    SERVER_EVENTS,
    SIGNED_IN,
    may_by,
)
from tests.central.auth.people import Seat, hire
from tests.central.desks import Desk, Office

ROLES = list(COLUMNS)
# What a stranger is told who may not touch somebody's appeal.
_KEPT_OUT = {"not_your_appeal", "right_missing"}
_EVERYTHING = {
    "result": "R01",
    "told_way": "phone",
    "told_on": "2026-09-20",
    "field": "comment",
    "value": "другое",
    **dict.fromkeys(("comment", "measures", "remark", "reason"), "есть"),
}


@pytest.mark.function("K-1.2", "K-1.3", "K-1.4", "K-1.5", "K-1.6", "K-1.7")
def test_the_table_is_that_of_the_customer() -> None:
    found = {right.value: "".join("+" if may(role, right) else "-" for role in COLUMNS) for right in Right}
    assert found == {right.value: RIGHTS_OF.get(right.value, "nobody has decided") for right in Right}


def _call(office: Office, path: str, method: str, token: str = "") -> tuple[int, str]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = office.client.request(method, path, content=b"{}", headers=headers)
    if method == "HEAD":  # its refusal has no body
        return answer.status_code, {401: "token_invalid", 403: "right_missing"}.get(answer.status_code, "")
    is_json = answer.headers.get("content-type", "").startswith("application/json")
    return answer.status_code, str(answer.json().get("code", "")) if is_json else ""


def _addresses() -> dict[tuple[str, str], Any]:
    return {
        (method, path): handler for handler in HANDLERS for path in handler.paths for method in handler.http_methods
    }


def test_whatever_there_is_has_been_decided() -> None:
    """Whoever adds an operation, an act, an event or an address says in decisions.py who may."""
    server_events = {
        value
        for name, value in vars(operations).items()
        if name.isupper() and isinstance(value, str) and re.fullmatch("[a-z_]+[.][a-z_]+", value)
    }
    assert {kind.value for kind in Kind} - OPERATIONS.keys() == set(), "operations nobody has decided about"
    assert {act.value for act in Act} == ACTS.keys()
    assert server_events == SERVER_EVENTS
    assert _addresses().keys() - ADDRESSES.keys() == set(), "addresses nobody has decided about"


def test_every_address_says_who_may_call_it_and_is_served(office: Office) -> None:
    assert all(access_of(handler) for handler in HANDLERS)
    served = {route.path for route in office.client.app.routes if not route.path.startswith("/v1/openapi")}
    assert served == {path for _, path in _addresses()}


def test_without_a_session_nothing_but_the_doors_is_open(office: Office) -> None:
    for method, path in _addresses():
        opened = _call(office, path, method)[1] != "token_invalid"
        assert opened is (ADDRESSES[method, path] == OPEN), path


@pytest.mark.parametrize("role", ROLES)
def test_every_role_at_every_address(office: Office, role: Role) -> None:
    token = hire(office, f"person-{role.value}", role).sign_in().access
    office.client.app.state.hub.close()  # or the stream of events would go on
    in_order = sorted(_addresses(), key=lambda address: address[1] == SIGN_OUT_PATH)
    for method, path in in_order:
        decided = ADDRESSES[method, path]
        if decided == OPEN:
            continue
        status, code = _call(office, path, method, token)
        if decided == SIGNED_IN or may_by(decided, role):
            assert status not in (401, 403), f"{role} {path}: {code}"
        else:
            assert (status, code) == (403, "right_missing"), f"{role} {path}"


def test_nothing_but_the_exchange_answers_a_collector(office: Office) -> None:
    """Not even the addresses at which everybody who signed in is served: a copied journal would be a second device."""
    hire(office, "somebody")
    now_ms = office.clock.now_ms()
    token = enrol(office.database, collector_code(office.database, "26", now_ms), now_ms).token
    office.client.app.state.hub.close()  # or a stream that is opened to it after all would go on
    told = {(method, path): _call(office, path, method, token) for method, path in _addresses()}
    served = {address for address, (_, code) in told.items() if code != "read_only"}
    heads = {address for address in told if address[0] == "HEAD"}  # a refusal of theirs has no body
    assert {told[address][0] for address in heads} == {403}
    assert served - heads == {address for address, who in ADDRESSES.items() if who == OPEN} | COLLECTOR
    assert office.rows(t.device, revoked=False) == office.rows(t.device), "none was ended, and none was made"
    assert len(office.rows(t.device)) == 2


@pytest.mark.parametrize("role", ROLES)
def test_every_role_with_every_kind_of_operation(office: Office, role: Role) -> None:
    """Facts are everybody's own; what everybody is told of, and what all work by, is said by an administrator."""
    seat = hire(office, "stranger", role)
    desk = seat.desk(seat.sign_in().access)
    for kind in (kind.value for kind in Kind if kind not in CARD_KINDS):
        decided = OPERATIONS[kind]
        outcome = desk.send(desk.operation(kind, decided.x)).outcomes[0]
        assert outcome.w == ("" if may_by(decided.may, role) else "right_missing"), f"{role} {kind}: {outcome.p}"
    for kind in SERVER_EVENTS:
        outcome = desk.send(desk.operation(kind, {"card": {}})).outcomes[0]
        assert (outcome.s, outcome.w) == ("rejected", "unknown_kind")
    assert desk.send(desk.new_card()).states == ["applied"]
    letter = desk.send(desk.new_card(source=min(WITHOUT_CALL))).outcomes[0]
    assert (letter.s == "applied") is may_by(LEVEL_2_UP, role), letter.w


class Appeals:
    """Somebody's appeals in every status, made by the moves that lead there."""

    def __init__(self, office: Office) -> None:
        owner, boss = hire(office, "owner", Role.OPERATOR_2), hire(office, "boss", Role.ADMINISTRATOR)
        self.owner, self.boss = (seat.desk(seat.sign_in().access) for seat in (owner, boss))
        self.stamp = ""

    def new(self, status: Status) -> str:
        """The id of a new one; ``stamp`` is its last move."""
        made = self.owner.new_card()
        assert self.owner.send(made).states == ["applied"]
        card = self.stamp = self.owner.card_id(made)
        if status is Status.DEFERRED:
            self._move(self.owner, card, "defer", promise_due=self.owner.clock.now_ms() + 86_400_000)
        if status in (Status.IN_REVIEW, Status.CLOSED):
            self._move(self.owner, card, "close", result="R01", comment="меры", measures="меры")
        if status is Status.CLOSED:
            self._move(self.boss, card, "approve")
        return card

    def _move(self, desk: Desk, card: str, act: str, **more: Any) -> None:
        operation = desk.operation("card.move", {"act": act, **more}, card=card, b={"status": self.stamp})
        outcome = desk.send(operation).outcomes[0]
        assert outcome.s == "applied", f"{act}: {outcome.w} {outcome.p}"
        self.stamp = f"{desk.code}:{operation.n}"


@pytest.mark.parametrize("role", ROLES)
def test_every_role_with_every_act_on_anothers_appeal(office: Office, role: Role) -> None:
    """Another's appeal is nobody's to move, except by the acts of an administrator. Its fields everybody of the
    organisation adds to while it is open: who wrote what stays beside one another (design 1.6)."""
    appeals = Appeals(office)
    seat = hire(office, "stranger", role)
    desk = seat.desk(seat.sign_in().access)
    number = seat.identity.operator.user
    # All that any act asks for, so that nothing but the right can be missing.
    x = {"operator": number, "promise_due": desk.clock.now_ms() + 86_400_000, "to": "26/smo-26001", **_EVERYTHING}
    for act in Act:
        for status in MOVES[act].sources:
            card = appeals.new(status)
            given = {"act": act.value, **x}
            outcome = desk.send(desk.operation("card.move", given, card=card, b={"status": appeals.stamp})).outcomes[0]
            if may_by(ACTS[act.value], role):
                assert outcome.w not in _KEPT_OUT, f"{act} {status}: {outcome.w}"
                continue
            # What cannot be done to a closed appeal as it stands is refused before it is asked who wants it.
            kept_out = _KEPT_OUT | ({"move_not_allowed"} if status is Status.CLOSED else set())
            assert (outcome.s, outcome.w in kept_out) == ("rejected", True), f"{role} {act} {status}: {outcome.w}"
            assert office.card(card)["status"] == status.value
    for status in (Status.IN_WORK, Status.DEFERRED, Status.IN_REVIEW, Status.CLOSED):
        edit = desk.operation("card.set", {"comment": "дополнение"}, card=appeals.new(status), b={})
        outcome = desk.send(edit).outcomes[0]
        assert outcome.w == ("" if status in (Status.IN_WORK, Status.DEFERRED) else "locked")


@pytest.fixture
def owner(office: Office) -> tuple[Desk, str]:
    """Whose appeal it is, and its id."""
    seat = hire(office, "owner")
    desk = seat.desk(seat.sign_in().access)
    made = desk.new_card()
    assert desk.send(made).states == ["applied"]
    return desk, desk.card_id(made)


@pytest.mark.parametrize("role", ROLES)
def test_every_role_of_another_organisation_sees_and_touches_nothing(
    office: Office, owner: tuple[Desk, str], role: Role
) -> None:
    seat = hire(office, "foreign", role, organisation="26/smo-26001")
    desk = seat.desk(seat.sign_in().access)
    _, card = owner
    for forged in ({"26/smo-26001": 0}, {"26/tf": 0}, {"26/tf/work": 0, "26/audit": 0}):
        answer = desk.send(c=forged)
        assert answer.events == []
        assert set(answer.end.end) - {"26/ref"} == {"26/smo-26001"}
    for kind, x in (("card.set", {"comment": "чужой"}), ("card.move", {"act": "void", "reason": "чужой"})):
        outcome = desk.send(desk.operation(kind, x, card=card, b={"status": card})).outcomes[0]
        assert (outcome.s, outcome.cur) == ("rejected", {}), "not even as a refusal"
    assert desk.send().events == []


@pytest.mark.parametrize("role", ROLES)
def test_every_role_is_told_every_kind_of_event_there_is_and_no_other(office: Office, role: Role) -> None:
    """Every kind of event has been written; a desk is told those of its organisation and of its region as decided, the
    desk of another organisation the region's and what it was sent, that of another region nothing."""
    insurer = hire(office, "insurer", role, organisation="26/smo-26001")
    stranger = hire(office, "stranger", role, organisation="27/tf")
    colleague = hire(office, "colleague", role)
    appeals = Appeals(office)
    card = appeals.new(Status.IN_WORK)
    owner, boss = appeals.owner, appeals.boss
    assert owner.send(owner.operation("card.set", {"comment": "меры"}, card=card, b={})).states == ["applied"]
    appeals._move(owner, card, "send", to="26/smo-26001")
    for kind in (kind.value for kind in Kind if kind not in CARD_KINDS):
        assert boss.send(boss.operation(kind, OPERATIONS[kind].x)).states == ["applied"], kind
    told = {kind.value: OPERATIONS[kind.value].told for kind in Kind}
    region = {kind for kind, stream in told.items() if stream == "ref"}
    # What was sent away goes on as a stub, which is the server's own event too.
    assert _told(office, colleague) == region | SERVER_EVENTS | {kind for kind, stream in told.items() if stream == ""}
    assert _told(office, insurer) == region | SERVER_EVENTS
    assert _told(office, stranger) == set()


def _told(office: Office, seat: Seat) -> set[str]:
    """The kinds a desk is told, by asking and by its open stream alike."""
    desk = seat.desk(seat.sign_in().access)
    asked = {event.k for event in desk.send().events}
    feed = Feed(Device(seat.device, seat.identity.operator), {}, "")
    pushed: set[str] = set()
    while frames := [
        frame for frame in feed.look(office.database, office.clock.now_ms()) if isinstance(frame, operations.Event)
    ]:
        pushed |= {frame.k for frame in frames}
    assert asked == pushed
    return asked


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


@pytest.mark.parametrize("name", ["26/tf/work", "26/audit", "26/ref", "26", "26/smo-26001/work", "26/tf ", "26/tf\n"])
def test_nobody_is_put_where_another_stream_would_be_told_to_him(office: Office, name: str) -> None:
    """``26/tf/work`` is the log of who looked at whom."""
    boss = hire(office, "boss", Role.ADMINISTRATOR)
    token = boss.sign_in().access
    who = {"user": 0, "name": "Новый", "role": "o1", "extension": "2009", "organisation": name}
    added = boss.post("/v1/people/add", token, login="new", operator=who)
    hire(office, "petrova")
    moved = boss.post("/v1/people/change", token, login="petrova", values={"organisation": name})
    for refused in (added, moved):
        assert refused.json()["code"] in ("field_invalid", "right_missing")
    with pytest.raises(Refusal) as refused:
        accounts.change(office.database, "petrova", office.clock.now_ms(), values={"organisation": name})
    assert refused.value.code is Code.FIELD_INVALID


def test_an_insurers_administrator_is_no_way_to_the_funds_people(office: Office) -> None:
    """He would give himself a code for the fund's administrator, and be him."""
    insurer = hire(office, "insurer", Role.ADMINISTRATOR, organisation="26/smo-26001")
    fund = hire(office, "fund", Role.ADMINISTRATOR)
    hire(office, "rival", organisation="26/smo-26002")
    theirs, ours = insurer.sign_in().access, fund.sign_in().access
    assert {person["login"] for person in insurer.post("/v1/people/list", theirs).json()["people"]} == {"insurer"}
    for login in ("fund", "rival"):
        for kind in ("enrolment", "reset", "voice"):
            refused = insurer.post("/v1/people/code", theirs, login=login, kind=kind)
            assert refused.json()["code"] == "account_unknown"
        blocked = insurer.post("/v1/people/change", theirs, login=login, blocked=True)
        assert blocked.json()["code"] == "account_unknown"
        assert insurer.post("/v1/people/seats", theirs, login=login).json()["code"] == "account_unknown"
    assert insurer.post("/v1/people/revoke", theirs, device=fund.device).json()["code"] == "account_unknown"
    moved = insurer.post("/v1/people/change", theirs, login="insurer", values={"organisation": "26/tf"})
    assert moved.json()["code"] == "right_missing"
    seen = fund.post("/v1/people/list", ours).json()["people"]
    assert {person["login"] for person in seen} == {"insurer", "fund", "rival"}
    assert fund.post("/v1/people/code", ours, login="rival", kind="reset").status_code == 200


def _account() -> Any:
    from central.store import tables

    return tables.account
