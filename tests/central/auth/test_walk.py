"""People of every role walk one appeal through its life at the server, at random: no path leaves the table of
functions.md 1.2, every move is in the history, and what was refused is nowhere."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from central.store import tables as t
from operator_tui.appeals.lifecycle import MOVES, Act, Who
from operator_tui.appeals.operations import CARD_KINDS, Kind
from operator_tui.appeals.people import Role
from tests.appeals.test_lifecycle import ALLOWED, Status
from tests.central.auth.people import hire
from tests.central.auth.test_rights import ROLES
from tests.central.desks import Desk, Office

_APPLIED = ("applied", "merged")
STEP = st.tuples(
    st.integers(0, len(ROLES) - 1),
    st.sampled_from(list(Act)),
    st.fixed_dictionaries(
        {},
        optional={
            "result": st.sampled_from([f"R{number:02d}" for number in range(1, 27)]),
            "comment": st.just("меры"),
            "measures": st.just("меры"),
            "new_date": st.just("2026-12-21"),
            **{field: st.just("есть") for field in ("organisation", "remark", "reason", "letter", "sum", "expert_act")},
        },
    ),
    st.integers(0, len(ROLES) - 1),
    st.booleans(),
)
# What an act may ask for, all of it: so that the walk gets further than its first refusals.
_EVERYTHING = {
    "comment": "меры",
    "measures": "меры",
    "new_date": "2099-12-21",
    **dict.fromkeys(("organisation", "remark", "reason", "letter", "sum", "expert_act"), "есть"),
}
_FINAL = {"result": "R01", **_EVERYTHING}
_BOSS = ROLES.index(Role.ADMINISTRATOR)
_ADMINISTRATORS = (Who.ADMINISTRATOR, Who.OTHER_ADMINISTRATOR)


@pytest.mark.function("K-6.0.1", "K-6.0.4", "K-6.1.8")
def test_no_role_leads_an_appeal_out_of_the_table(office: Office) -> None:
    seats = [hire(office, f"person-{role.value}", role) for role in ROLES]
    desks = [seat.desk(seat.sign_in().access) for seat in seats]
    numbers = [seat.identity.operator.user for seat in seats]
    reached: set[tuple[str, str]] = set()

    # To the end and back, which chance alone seldom finds.
    @example([(0, Act.CLOSE, _FINAL, 0, False), (_BOSS, Act.APPROVE, {}, 0, False), (_BOSS, Act.REOPEN, {}, 0, False)])
    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(STEP, min_size=1, max_size=12))
    def walk(steps: list[tuple[int, Act, dict[str, Any], int, bool]]) -> None:
        card, stamp = _new(desks[0])
        moves = 0
        for who, act, given_, other, fitting in steps:
            before = Status(office.card(card)["status"])
            if fitting:  # the act is one of this status, by who may do it
                acts = [each for each in Act if before in MOVES[each].sources]
                act = acts[other % len(acts)] if acts else act  # one name for what is done
                given_ = {"result": "R01", **_EVERYTHING, **given_}
                who = ROLES.index(Role.ADMINISTRATOR)
                if MOVES[act].who not in _ADMINISTRATORS:
                    worker = office.card(card)["worker"]
                    who = numbers.index(worker) if worker in numbers else who
            desk = desks[who]
            x = {"act": act.value, **given_, "operator": numbers[other]}
            operation = desk.operation("card.move", x, card=card, b={"status": stamp})
            outcome = desk.send(operation).outcomes[0]
            after = Status(office.card(card)["status"])
            history = _history(office, card)
            if outcome.s not in _APPLIED:
                assert (after, len(history)) == (before, moves + 1), "what was refused is nowhere"
                continue
            moves += 1
            stamp = f"{desk.code}:{operation.n}"
            reached.add((before.value, after.value))
            assert (before, after) in ALLOWED
            assert before in MOVES[act].sources
            if after in (Status.CLOSED, Status.VOID) or before is Status.CLOSED:
                assert ROLES[who] is Role.ADMINISTRATOR
            assert len(history) == moves + 1, "every move is in the history"
            last = history[-1]
            assert (last.op, last.by) == (stamp, numbers[who])
            assert msgspec.json.decode(last.body)["act"] == act.value

    walk()
    assert len(reached) >= 3, f"a walk that goes nowhere proves nothing: {reached}"


def _new(desk: Desk) -> tuple[str, str]:
    made = desk.new_card()
    assert desk.send(made).outcomes[0].s == "applied"
    return desk.card_id(made), desk.card_id(made)


def _history(office: Office, card: str) -> list[Any]:
    kinds = [kind.value for kind in CARD_KINDS if kind in (Kind.CARD_NEW, Kind.CARD_MOVE)]
    same = sa.and_(t.event.c.region == t.event_body.c.region, t.event.c.stream == t.event_body.c.stream)
    chosen = (
        sa.select(t.event.c.op, t.event.c.by, t.event_body.c.body)
        .join(t.event_body, sa.and_(same, t.event.c.seq == t.event_body.c.seq))
        .where(t.event.c.card == card, t.event.c.kind.in_(kinds))
        .order_by(t.event.c.seq)
    )
    with office.database.read() as connection:
        return list(connection.execute(chosen).all())
