"""Every command for every role: who may not is told so, and who may, by the one table of rights."""

from __future__ import annotations

from dataclasses import replace

import pytest

from operator_tui import commands
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.lifecycle import MOVES, Act, Who
from operator_tui.appeals.people import ROLE_TITLES, Role
from operator_tui.appeals.rights import RIGHTS, Right, may
from operator_tui.commands import Situation
from operator_tui.sentences import sentence

# Everything at hand: what is still refused here is refused for the role alone.
_AT_HAND = Situation(
    presence="free", phone="talking", card=True, card_saved=True, person=True, theme=True, row=True, waiting=True,
    other=True, number=True, returned=True,
)  # fmt: skip
_ACTS = {f"appeal.{act.value}": act for act in Act} | {"review.approve": Act.APPROVE, "review.return": Act.RETURN}


@pytest.mark.parametrize("role", list(Role))
def test_every_command_that_a_role_may_not_says_whose_it_is(role: Role) -> None:
    for command in commands.collect().values():
        refusal = command.refusal(replace(_AT_HAND, role=role, screen=command.scope))
        if command.right is None or may(role, command.right):
            assert refusal is None or refusal.code is not Code.RIGHT_MISSING, f"{role} {command.id}"
            continue
        assert refusal is not None, f"{role} {command.id}"
        assert (refusal.code, refusal.params) == (Code.RIGHT_MISSING, {"right": command.right.value}), command.id
        said = sentence(refusal)
        assert all(ROLE_TITLES[holder] in said for holder in RIGHTS[command.right]), said
        assert ROLE_TITLES[role] not in said
        assert said.endswith(".")


def test_commands_that_are_acts_of_an_administrator_want_his_right() -> None:
    """The life-cycle says who does an act; the command of that act can not say otherwise."""
    administrators = {Who.ADMINISTRATOR, Who.OTHER_ADMINISTRATOR}
    for name, command in commands.collect().items():
        if name in _ACTS:
            assert (command.right is Right.APPROVE) is (MOVES[_ACTS[name]].who in administrators), name


def test_the_screens_of_a_role_are_closed_with_all_their_keys() -> None:
    for scope, right in (("review", Right.APPROVE), ("people", Right.PEOPLE)):
        found = [command for command in commands.collect().values() if command.scope == scope]
        assert found, scope
        assert {command.right for command in found} == {right}, scope


@pytest.mark.parametrize("right", list(Right))
def test_a_right_is_told_with_its_roles(right: Right) -> None:
    said = sentence(Refusal(Code.RIGHT_MISSING, right=right.value))
    assert {role for role in Role if ROLE_TITLES[role] in said} == set(RIGHTS[right])
