"""The card at hand as pure steps: what opening, typing, binding a person and choosing a theme make of it."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

from operator_tui.appeals.card import Card, Source
from operator_tui.appeals.catalogue import Catalogue, Theme
from operator_tui.appeals.draft import Draft
from operator_tui.desk.state import CardAtHand
from operator_tui.phone.line import Call
from operator_tui.registry.people import Person

_SAID_AT_CLOSE = ("result", "operator", "new_date")


def opened(call: Call | None) -> CardAtHand:
    """A new card, with the caller's number when a call brought it (K-5.0.2)."""
    fields: dict[str, Any] = {"source": Source.HAND.value}
    if call is not None:
        fields = {"source": Source.CALL.value, "call": call.id}
        if call.number:
            fields["phone"] = call.number
    return CardAtHand(draft=secrets.token_hex(8), call=call.id if call else "", fields=fields)


def reopened(card: Card) -> CardAtHand:
    """A card of the journal, to be edited (K-6.1.1)."""
    return CardAtHand(
        draft=secrets.token_hex(8),
        call=str(card.value("call")),
        fields=dict(card.fields),
        saved=card,
        typed=frozenset(card.fields),
        base={field: op for field, (op, _) in card.stamps.items()},
        seen=dict(card.fields),
    )


def saved_as(card: CardAtHand, saved: Card) -> CardAtHand:
    """The form after «Сохранить»: the journal's card, with what a save does not take (the result is the close's)."""
    fields = dict(saved.fields)
    for field in _SAID_AT_CLOSE:
        if card.fields.get(field) and not fields.get(field):
            fields[field] = card.fields[field]
    return replace(
        reopened(saved),
        fields=fields,
        call=card.call,
        person=card.person,
        history=card.history,
        script=card.script,
        edition=card.edition + 1,
    )


def refreshed(card: CardAtHand, saved: Card) -> CardAtHand:
    """The form when its card has changed in the journal: fields with unsaved typing keep it, the rest follows."""
    fields = {**card.fields}
    base, seen = dict(card.base), dict(card.seen)
    for field, value in saved.fields.items():
        if field in card.seen and card.fields.get(field) != card.seen.get(field) and field in card.fields:
            continue
        fields[field] = value
        if field in saved.stamps:
            base[field], seen[field] = saved.stamps[field][0], value
    return replace(card, fields=fields, base=base, seen=seen, saved=saved, edition=card.edition + 1)


def from_draft(draft: Draft, saved: Card | None) -> CardAtHand:
    """A card as it was left in a draft."""
    return CardAtHand(
        draft=draft.id,
        call=draft.call,
        fields=dict(draft.fields),
        typed=frozenset(draft.screen.get("typed", ())),
        saved=saved,
        script=str(draft.screen.get("script", "")),
        base=draft.base,
        seen=draft.seen,
    )


def to_draft(card: CardAtHand, now_ms: int) -> Draft:
    """The draft that keeps the card, with what of others' writing the operator has seen."""
    return Draft(
        id=card.draft,
        fields=dict(card.fields),
        call=card.call,
        card=card.saved.id if card.saved else "",
        base=dict(card.base),
        seen=dict(card.seen),
        updated_ms=now_ms,
        screen={"typed": sorted(card.typed), "script": card.script},
    )


def typed(card: CardAtHand, field: str, value: str) -> CardAtHand:
    """The operator wrote into a field."""
    if card.fields.get(field, "") == value:
        return card
    return replace(card, fields={**card.fields, field: value}, typed=card.typed | {field}, finished=False)


def filled_in(card: CardAtHand, field: str, value: str) -> CardAtHand:
    """The program writes into a field for the operator: the form shows it even where he is typing."""
    return replace(typed(card, field, value), edition=card.edition + 1)


def bound(card: CardAtHand, person: Person) -> CardAtHand:
    """«прикрепить» and «Применить» in one act: the caller is the insured. Typed values are not replaced unseen."""
    offered = {
        "surname": person.surname,
        "name": person.name,
        "patronymic": person.patronymic,
        "birth_date": person.birth_date,
        "address": person.address,
        "insurer": person.insurer,
        "clinic": person.clinic,
    }
    kept = {field: value for field, value in offered.items() if not (field in card.typed and card.fields.get(field))}
    fields = {**card.fields, **{field: value for field, value in kept.items() if value}, "enp": person.enp}
    if not fields.get("phone") and person.phone:
        fields["phone"] = person.phone
    return replace(card, fields=fields, person=person, edition=card.edition + 1)


_OF_REGISTRY = ("surname", "name", "patronymic", "birth_date", "address", "insurer", "clinic", "enp")


def unbound(card: CardAtHand) -> CardAtHand:
    """«Открепить»: what came from the registry is emptied, what the operator typed himself stays.

    Emptied, not left out: a saved card must be told that the values are gone.
    """
    was = card.person
    fields = dict(card.fields)
    for field in _OF_REGISTRY:
        own = field in card.typed and was is not None and fields.get(field) != getattr(was, field, None)
        if fields.get(field) and not own:
            fields[field] = ""
    return replace(card, fields=fields, person=None, edition=card.edition + 1)


def themed(card: CardAtHand, theme: Theme, catalogue: Catalogue) -> CardAtHand:
    """A theme was chosen: the type follows, its default result is offered, its first answer stands beside."""
    fields = {
        **card.fields,
        "type": theme.type.value,
        "theme": theme.code,
        "result": catalogue.default_result(theme).code,
    }
    if card.saved is None:
        fields["form"] = catalogue.forms.version_for(theme.type.value, theme.code)
    script = theme.scripts[0] if theme.scripts else ""
    return replace(card, fields=fields, script=script, edition=card.edition + 1)


def kept_values(left: CardAtHand, person: Person) -> list[str]:
    """Fields where what the operator typed differs from the registry, so that he can be told."""
    return [
        field
        for field in ("surname", "name", "patronymic", "birth_date")
        if field in left.typed and left.fields.get(field) and left.fields.get(field) != getattr(person, field)
    ]
