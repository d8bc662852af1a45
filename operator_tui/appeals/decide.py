"""Decides what an operation does to a card, and applies it. The one place both ends import (DESIGN rule 3).

The desk decides to predict what it shows; the server decides for good and sends the Change in the event, so that
every desk applies the same thing whatever its version.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import msgspec

from operator_tui.appeals.alarm import parse_alarm, parse_report
from operator_tui.appeals.card import FIELDS, GUARDED_FIELDS, WITHOUT_CALL, Card, Merge, Source, Status, missing_to_save
from operator_tui.appeals.catalogue import AppealType, Catalogue, Theme
from operator_tui.appeals.consent import demand_dates
from operator_tui.appeals.consequences import consequences
from operator_tui.appeals.deadlines import answer_deadline, local_date
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.hlc import stamp_ms
from operator_tui.appeals.lifecycle import MOVES, Act, make_move
from operator_tui.appeals.number import REGISTER
from operator_tui.appeals.operations import CARD_KINDS, REQUIRED_KEYS, Change, Kind, Operation
from operator_tui.appeals.organisations import demand_reach, fund_of, receiver
from operator_tui.appeals.papers import demand_papers
from operator_tui.appeals.people import Role
from operator_tui.appeals.promises import PROMISE_FIELDS, demand_due, parse_away
from operator_tui.appeals.reference_change import decide_change
from operator_tui.appeals.rights import Right, demand

# A text of an appeal longer than this is not an appeal but a mistake; it bounds what one operation can weigh.
MAX_TEXT = 100_000
# What every reader of JSON holds exactly, and every column of the server.
MAX_NUMBER = (1 << 53) - 1
MAX_DEPTH = 8
_MAX_ID = 32  # of an operation
_PROTECTED = GUARDED_FIELDS | {"status", "worker", "deadline", REGISTER}


@dataclass(frozen=True)
class Actor:
    """Who does it: the user's number, his role, the stream of his organisation and the groups he belongs to."""

    user: int
    role: Role
    organisation: str
    groups: tuple[str, ...] = ()


def decide(card: Card | None, operation: Operation, actor: Actor, catalogue: Catalogue) -> Change:
    """What the operation changes. ``card`` is the card as it stands, None when it does not exist yet.

    Refusals: UNKNOWN_KIND, UNKNOWN_CARD, FIELD_INVALID, FIELD_REQUIRED, STALE, LOCKED, those of the life-cycle and
    those of the reference data.
    """
    try:
        kind = Kind(operation.k)
    except ValueError:
        raise Refusal(Code.UNKNOWN_KIND, kind=operation.k) from None
    _demand_shape(kind, operation.x)
    if kind is Kind.PERSON_AWAY:
        demand(actor.role, Right.APPROVE)
        parse_away(operation.x)
    if kind is Kind.ALARM:
        demand(actor.role, Right.APPROVE)
        parse_alarm(operation.x)
    if kind is Kind.REPORTED:
        parse_report(operation.x, actor.user)
    if kind is Kind.REFERENCE_SET:
        _demand_reference(operation, actor, catalogue)
    if kind not in CARD_KINDS:
        return Change()
    if kind is Kind.CARD_NEW:
        return _create(card, operation, actor, catalogue)
    card = demand_reach(card, operation.c, organisation=actor.organisation, role=actor.role)
    if kind is Kind.CARD_SET:
        return _set(card, operation, actor, catalogue)
    return _move(card, operation, actor, catalogue)


def _demand_reference(operation: Operation, actor: Actor, catalogue: Catalogue) -> None:
    """The reference data are the region's: its fund keeps them."""
    demand(actor.role, Right.REFERENCE)
    if actor.organisation != fund_of(actor.organisation):
        raise Refusal(Code.REFERENCE_OF_FUND)
    decide_change(catalogue.reference, operation.x, operation.b)


def apply(card: Card | None, change: Change, *, op: str, at: str, by: int, stream: str) -> Card | None:
    """The card after the change; None when the change is not about a card."""
    if card is None:
        if not change.create:
            return None
        card = Card(
            id=op,
            stream=stream,
            rev=0,
            status=Status.IN_WORK,
            author=by,
            worker=by,
            fields={},
            stamps={},
            created=at,
        )
    fields = {**card.fields, **change.set}
    for field, items in change.add.items():
        fields[field] = [*card.fields.get(field, ()), *items]
    rival = {field: values for field, values in card.rival.items() if field not in change.set}
    for field, value in change.rival.items():
        rival[field] = [*rival.get(field, ()), value]
    # A value put beside another stamps the field as well: who writes next must have seen both.
    touched = [*change.set, *change.add, *change.rival, *(("status",) if change.status else ())]
    return msgspec.structs.replace(
        card,
        rev=card.rev + 1,
        status=Status(change.status) if change.status else card.status,
        worker=change.worker if change.status else card.worker,
        review=card.review if change.review is None else change.review,
        deadline=change.deadline or card.deadline,
        fields=fields,
        stamps={**card.stamps, **dict.fromkeys(touched, (op, at))},
        rival=rival,
        stream=change.home or card.stream,
    )


def _demand_shape(kind: Kind, given: Mapping[str, Any]) -> None:
    """Whatever JSON came: behind this, what the rules read has the shape they expect."""
    for key in REQUIRED_KEYS.get(kind, ()):
        if not given.get(key):
            raise Refusal(Code.FIELD_REQUIRED, field=key)
        if not isinstance(given[key], str | list):
            raise Refusal(Code.FIELD_INVALID, field=key)
    for key, value in given.items():
        _demand_bounds(key, value, MAX_DEPTH)


def _demand_bounds(key: str, value: Any, depth: int) -> None:
    """Refusal(FIELD_INVALID) for a text, a number or a nesting that no desk makes and a column cannot hold."""
    match value:
        case str():
            good = len(value) <= MAX_TEXT
        case int():
            good = abs(value) <= MAX_NUMBER
        case dict() | list():
            good = depth > 0
            for item in (value.values() if isinstance(value, dict) else value) if good else ():
                _demand_bounds(key, item, depth - 1)
        case _:
            good = True
    if not good:
        raise Refusal(Code.FIELD_INVALID, field=key)


def _create(card: Card | None, operation: Operation, actor: Actor, catalogue: Catalogue) -> Change:
    if card is not None:
        raise Refusal(Code.STALE, card=card.id)
    given = operation.x
    promised = _promised(given, operation.at, catalogue)
    plain, lists = _split({field: value for field, value in given.items() if field not in {"deadline", *promised}})
    way = catalogue.ways.get(str(plain.get("source", "")))
    without_call = way.without_call if way else plain.get("source") in WITHOUT_CALL
    demand(actor.role, Right.CARD_WITHOUT_CALL if without_call else Right.CARD_FROM_CALL)
    if way is not None and way.title not in set(Source):
        plain["written"] = int(way.written)  # kept with the card: the list may change after it
    _demand_zone(str(plain.get("zone") or ""))
    _demand_births(plain, operation)
    _demand_dates(plain, operation)
    _demand_papers(lists, operation, actor)
    for field in missing_to_save({**plain, **promised}):
        raise Refusal(Code.FIELD_REQUIRED, field=field)
    theme = _demand_pair(plain, catalogue) if plain.get("theme") or not promised else None
    return Change(
        create=True,
        set={**plain, **promised},
        add=lists,
        status=(Status.DEFERRED if promised else Status.IN_WORK).value,
        # A promise to a group waits for the first of it that takes it; every other card is its author's.
        worker=None if promised.get("group") else actor.user,
        deadline=_told_deadline(given) or _deadline(theme, operation.at, operation.z, catalogue),
        was=operation.was if len(operation.was) <= _MAX_ID else "",
    )


def _promised(given: Mapping[str, Any], stamp: str, catalogue: Catalogue) -> dict[str, Any]:
    """What a new card promises at once: the caller was gone, or a message was left (functions.md 1.2)."""
    if not given.get("promise_due"):
        return {}
    demand_due(given, stamp_ms(stamp))
    group = given.get("group")
    if group and group not in catalogue.groups:
        raise Refusal(Code.FIELD_INVALID, field="group")
    return {field: _plain(field, given[field]) for field in (*PROMISE_FIELDS, "group") if given.get(field)}


def _set(card: Card, operation: Operation, actor: Actor, catalogue: Catalogue) -> Change:
    # The answer goes out after the appeal was closed: its papers are added then.
    papers_alone = operation.x.keys() <= _PAPERS and card.status is not Status.VOID
    if card.status in (Status.IN_REVIEW, Status.CLOSED, Status.VOID) and not papers_alone:
        raise Refusal(Code.LOCKED, card=card.id, status=card.status.value)
    plain, lists = _split(operation.x)
    _demand_papers(lists, operation, actor)
    _demand_births(plain, operation)  # what stands there may be of before a rule, and holds up no other edit
    _demand_dates({**card.fields, **plain}, operation)
    for field in missing_to_save({**card.fields, **plain}):
        raise Refusal(Code.FIELD_REQUIRED, field=field)
    if "type" in plain:
        _demand_pair({"theme": card.value("theme"), **plain}, catalogue)
    accepted, rival, lost = _merge(card, plain, operation)
    if "theme" in accepted or "type" in accepted:
        _keep_pair(card, plain, accepted, lost, catalogue)
    deadline = ""
    if accepted.get("theme", card.value("theme")) != card.value("theme") and not card.value("new_date"):
        # An extension that was asked for outlives a change of theme; the term set by a theme does not.
        theme = catalogue.theme(str(accepted["theme"]))
        deadline = _deadline(theme, card.created, str(card.value("zone")), catalogue)
    return Change(
        set=accepted, add=lists, rival=rival, lost=lost, deadline=deadline if deadline != card.deadline else ""
    )


def _merge(
    card: Card, plain: Mapping[str, Any], operation: Operation
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """What is accepted, what is put beside another value, and what gives way, by the classes of design 1.6."""
    accepted: dict[str, Any] = {}
    rival: dict[str, Any] = {}
    lost: dict[str, Any] = {}
    for field, value in plain.items():
        merge = FIELDS.get(field, Merge.LAST_WRITER)
        writer, stamp = card.stamps.get(field, ("", ""))
        if merge is Merge.CREATE_ONLY and writer:
            raise Refusal(Code.FIELD_INVALID, field=field)
        same = card.value(field) == value and not card.rival.get(field)
        if writer == operation.b.get(field, "") or same:
            accepted[field] = value
        elif merge is Merge.KEEP_BOTH:
            if value not in (card.value(field), *card.rival.get(field, ())):
                rival[field] = value
        elif operation.at > stamp:
            accepted[field], lost[field] = value, card.value(field)
        else:
            lost[field] = value
    return accepted, rival, lost


def _keep_pair(
    card: Card, plain: Mapping[str, Any], accepted: dict[str, Any], lost: dict[str, Any], catalogue: Catalogue
) -> None:
    """The type follows the theme. Where two people each won one of them, the type that gave way is kept as lost."""
    type_ = catalogue.theme(str(accepted.get("theme", card.value("theme")))).type.value
    if accepted.get("type", card.value("type")) == type_:
        return
    accepted["type"] = type_
    if plain.get("type", type_) != type_:
        lost["type"] = plain["type"]


def _move(card: Card, operation: Operation, actor: Actor, catalogue: Catalogue) -> Change:
    writer, _ = card.stamps.get("status", ("", ""))
    if operation.b.get("status", "") != writer:
        raise Refusal(Code.STALE, card=card.id, field="status")
    try:
        act = Act(operation.x["act"])
    except ValueError:
        raise Refusal(Code.FIELD_INVALID, field="act") from None
    demand_due(operation.x, stamp_ms(operation.at))
    outcome = make_move(
        card, act, operation.x, user=actor.user, role=actor.role, catalogue=catalogue, groups=actor.groups
    )
    said = {
        key: _plain(key, operation.x[key]) for key in _said_with(act, operation.x, catalogue) if operation.x.get(key)
    }
    # The status guards the guarded fields; a comment of another's, written meanwhile, is kept beside this one.
    accepted, rival, lost = _merge(card, {key: said[key] for key in said.keys() - GUARDED_FIELDS}, operation)
    accepted |= {key: said[key] for key in said.keys() & GUARDED_FIELDS}
    accepted |= consequences(card, act, outcome, operation, actor.user, actor.role)
    answers = operation.x.get("answers")
    return Change(
        set=accepted,
        add={"answers": _list("answers", answers)} if answers else {},
        rival=rival,
        lost=lost,
        status=outcome.status.value,
        worker=outcome.worker,
        review=outcome.review,
        deadline=outcome.deadline if outcome.deadline != card.deadline else "",
        act=act.value,
        home=receiver(card, operation.x) if act is Act.SEND else "",
    )


def _said_with(act: Act, given: Mapping[str, Any], catalogue: Catalogue) -> set[str]:
    """The fields an act may write: what its row of the table asks for, and what the result asks for."""
    if act is Act.CLOSE:
        result = catalogue.result(str(given["result"]))
        handed = PROMISE_FIELDS if result.hands_on else ()
        return {"result", "comment", "measures", *handed, *result.required} - {"operator"}
    if act is Act.ASK_CORRECTION:
        return set()
    promised = PROMISE_FIELDS if act in (Act.DEFER, Act.PROMISE) else ()
    return {"comment", *promised, *MOVES[act].required} - {"operator", "to"}


def _split(given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    """Plain values and lists to add, after a look at the shape of each."""
    plain: dict[str, Any] = {}
    lists: dict[str, list[Any]] = {}
    for field, value in given.items():
        if field in _PROTECTED:
            raise Refusal(Code.FIELD_INVALID, field=field)
        if FIELDS.get(field) is Merge.APPEND:
            lists[field] = _list(field, value)
        else:
            plain[field] = _plain(field, value)
    return plain, lists


def _plain(field: str, value: Any) -> Any:
    """A known field holds a text or a number; what a newer program means by an unknown one is its own affair."""
    if field in FIELDS and not isinstance(value, str | int | float | None):
        raise Refusal(Code.FIELD_INVALID, field=field)
    return value


def _list(field: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise Refusal(Code.FIELD_INVALID, field=field)
    return list(value)


# The oldest people of the registry were born after this year.
_EARLIEST_BIRTH = 1895
# «00» is how a month or a day that is not known is written.
_WHOLE_DATE = re.compile(r"\d{4}-(?!00)\d\d-(?!00)\d\d", re.ASCII)


def _latest(operation: Operation) -> date:
    # A day of grace: the instant is UTC, the caller's calendar may be ahead of it.
    return local_date(stamp_ms(operation.at), "UTC") + timedelta(days=1)


def _demand_births(written: Mapping[str, Any], operation: Operation) -> None:
    """A part of a date of birth stays as it was heard; one that is whole is a day of the calendar, a possible one."""
    latest = _latest(operation)
    for field in ("birth_date", "insured_birth"):
        text = str(written.get(field, ""))
        try:
            born = date.fromisoformat(text)
        except ValueError:
            if _WHOLE_DATE.fullmatch(text):
                raise Refusal(Code.FIELD_INVALID, field=field) from None
            continue
        if born.year < _EARLIEST_BIRTH or born > latest:
            raise Refusal(Code.FIELD_INVALID, field=field)


def _demand_dates(fields: Mapping[str, Any], operation: Operation) -> None:
    """Dates of the past are possible ones."""
    latest = _latest(operation)
    for field in ("received", "in_date"):
        if fields.get(field):
            _demand_past(field, fields[field], latest)
    demand_dates(fields, latest)


_PAPERS = frozenset({"files", "replies"})


def _demand_papers(lists: Mapping[str, list[Any]], operation: Operation, actor: Actor) -> None:
    """Files and answers are level 2's (functions.md 1.2), and each has its number and date (K-5.2.1.3)."""
    if _PAPERS.isdisjoint(lists):
        return
    demand(actor.role, Right.CARD_WITHOUT_CALL)
    demand_papers(lists, _latest(operation))


def _demand_past(field: str, value: Any, latest: date) -> None:
    try:
        possible = date.fromisoformat(str(value)) <= latest
    except ValueError:
        possible = False
    if not possible:
        raise Refusal(Code.FIELD_INVALID, field=field)


def _demand_pair(fields: Mapping[str, Any], catalogue: Catalogue) -> Theme:
    """The theme, which must be of the type beside it (K-5.1.4.3)."""
    if fields["type"] not in set(AppealType):
        raise Refusal(Code.FIELD_INVALID, field="type")
    theme = catalogue.theme(str(fields["theme"]))
    if theme.type != fields["type"]:
        raise Refusal(Code.FIELD_INVALID, field="theme")
    return theme


def _told_deadline(given: Mapping[str, Any]) -> str:
    """The date the citizen was told at the desk, empty when the desk left it to the rule."""
    told = given.get("deadline")
    if not told:
        return ""
    try:
        return date.fromisoformat(str(told)).isoformat()
    except ValueError:
        raise Refusal(Code.FIELD_INVALID, field="deadline") from None


def _demand_zone(zone: str) -> None:
    """What every later term of the card is counted in. Refusal(FIELD_INVALID) for a zone that is none."""
    try:
        local_date(0, zone or "UTC")
    except (ValueError, LookupError, OSError):  # ZoneInfoNotFoundError is a LookupError
        raise Refusal(Code.FIELD_INVALID, field="zone") from None


def _deadline(theme: Theme | None, stamp: str, zone: str, catalogue: Catalogue) -> str:
    try:
        return answer_deadline(catalogue.days_of(theme), stamp_ms(stamp), zone or "UTC")
    except (ValueError, LookupError, OSError):  # a zone that is none; ZoneInfoNotFoundError is a LookupError
        raise Refusal(Code.FIELD_INVALID, field="zone") from None
