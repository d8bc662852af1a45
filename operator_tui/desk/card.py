"""The card at hand as pure steps: what opening, typing, binding a person and choosing a theme make of it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from operator_tui.appeals.begun import Typed
from operator_tui.appeals.card import FIELD_TITLES, Card, Source, full_name
from operator_tui.appeals.catalogue import Catalogue, Theme
from operator_tui.appeals.draft import Draft
from operator_tui.desk.state import CardAtHand
from operator_tui.i18n import tr
from operator_tui.phone.line import Call
from operator_tui.registry.people import Person

_SAID_AT_CLOSE = ("result", "operator", "new_date")


# Who calls and for whom: the same in every appeal of one call.
_OF_THE_CALLER = (
    "phone", "surname", "name", "patronymic", "birth_date", "address", "enp", "insurer", "clinic", "language",
    "representative", "insured_name", "insured_birth", "power_kind", "power_date", "power_withdrawn", "escort_kind",
    "escort_date", "escort_withdrawn",
)  # fmt: skip


def opened(call: Call | None, before: CardAtHand | None = None) -> CardAtHand:
    """A new card, with the caller's number when a call brought it (K-5.0.2). Behind ``before``, a card of the same call
    whose caller is known (bound, or the card is saved), it is of the same person."""
    fields: dict[str, Any] = {"source": Source.HAND.value}
    if call is not None:
        fields = {"source": Source.CALL.value, "call": call.id}
        if call.number:
            fields["phone"] = call.number
    card = CardAtHand(draft=secrets.token_hex(8), call=call.id if call else "", fields=fields)
    if call is None or before is None or before.call != call.id or not (before.fields.get("enp") or before.saved):
        return card
    same = {name: value for name in _OF_THE_CALLER if (value := before.fields.get(name))}
    return replace(card, fields={**fields, **same}, person=before.person, typed=before.typed & same.keys())


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
        former=card.draft,
    )


def typed_since(after: CardAtHand, before: CardAtHand, now: CardAtHand) -> CardAtHand:
    """The saved form with what was typed while it was being saved: ``before`` went to the journal, ``now`` stands in
    the form. Not where the card can not be changed any more."""
    written = written_since(before, now)
    if not written or not after.editable:
        return after
    fields, typed = {**after.fields, **written}, after.typed | (now.typed & written.keys())
    return replace(after, fields=fields, typed=typed, finished=False)


def written_since(before: CardAtHand, now: CardAtHand) -> dict[str, Any]:
    """What stands in the form ``now`` and did not ``before``."""
    return {field: value for field, value in now.fields.items() if value != before.fields.get(field)}


def too_late(before: CardAtHand, now: CardAtHand) -> dict[str, Typed]:
    """The words typed while the card was being closed: it takes them no more, and they are not lost for that."""
    return {
        field: Typed(tr(FIELD_TITLES[field]), value, str(before.fields.get(field, "")))
        for field, value in written_since(before, now).items()
        if isinstance(value, str) and field in now.typed and field in FIELD_TITLES
    }


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


def all_typed(card: CardAtHand, values: Mapping[str, str]) -> CardAtHand:
    """The operator wrote several fields in a window: the form shows them even where he stands."""
    for field, value in values.items():
        card = typed(card, field, value)
    return replace(card, edition=card.edition + 1)


def filled_in(card: CardAtHand, field: str, value: str) -> CardAtHand:
    """The program writes into a field for the operator: the form shows it even where he is typing."""
    return replace(typed(card, field, value), edition=card.edition + 1)


_NAMES = ("surname", "name", "patronymic", "birth_date", "address")
_COVER = ("insurer", "clinic")


def bound(card: CardAtHand, person: Person) -> CardAtHand:
    """«прикрепить». The caller is the insured: his personal information is filled in with the same act. Of a caller
    who speaks for somebody else only the insured is bound. Typed values are never replaced here."""
    if card.represented:
        offered = {"insured_name": person.full_name, "insured_birth": person.birth_date}
    else:
        offered = {field: getattr(person, field) for field in _NAMES}
    offered |= {field: getattr(person, field) for field in _COVER}
    fields = {**card.fields, **_unwritten(card, offered), "enp": person.enp}
    if card.fields.get("enp") not in (None, "", person.enp):
        fields["detached"] = _detached(card)
    if not card.represented and not fields.get("phone") and person.phone:
        fields["phone"] = person.phone
    return replace(card, fields=fields, person=person, edition=card.edition + 1)


def _unwritten(card: CardAtHand, offered: dict[str, str]) -> dict[str, str]:
    """What may be filled in: values where the operator has written nothing himself."""
    return {
        field: value
        for field, value in offered.items()
        if value and not (field in card.typed and card.fields.get(field))
    }


def applied(card: CardAtHand, person: Person) -> CardAtHand:
    """«Применить»: the personal information of the caller is that person's, also where something else was typed.

    Who is bound as the insured stays.
    """
    fields = {**card.fields, **{field: value for field in _NAMES if (value := getattr(person, field))}}
    return replace(card, fields=fields, typed=card.typed - set(_NAMES), edition=card.edition + 1)


def replaced(before: CardAtHand, after: CardAtHand) -> dict[str, str]:
    """What an operator had written and «Применить» wrote over: field and the value before."""
    return {
        field: str(value)
        for field in _NAMES
        if field in before.typed and (value := before.fields.get(field)) and value != after.fields.get(field)
    }


def unbound(card: CardAtHand) -> CardAtHand:
    """«Открепить»: what came from the registry is emptied, what the operator typed himself stays; who it was is kept
    on the card for its history.

    Emptied, not left out: a saved card must be told that the values are gone.
    """
    was = card.person
    fields = dict(card.fields)
    of_registry = {field: getattr(was, field, None) for field in _COVER}
    if card.represented:
        of_registry |= {"insured_name": was and was.full_name, "insured_birth": was and was.birth_date}
    else:
        of_registry |= {field: getattr(was, field, None) for field in _NAMES}
    for field, theirs in of_registry.items():
        own = field in card.typed and was is not None and fields.get(field) != theirs
        if fields.get(field) and not own:
            fields[field] = ""
    fields |= {"enp": "", "detached": _detached(card)}
    return replace(card, fields=fields, person=None, edition=card.edition + 1)


def _detached(card: CardAtHand) -> list[dict[str, str]]:
    """Who was taken off the card, the one bound now included: the history keeps them all."""
    name = card.person.full_name if card.person else str(card.fields.get("insured_name") or full_name(card.fields))
    return [*(card.fields.get("detached") or ()), {"enp": str(card.fields.get("enp") or ""), "name": name}]


def represented(card: CardAtHand, values: dict[str, str]) -> CardAtHand:
    """Somebody speaks for the insured: ``values`` are the fields of the representative and of the consents.

    Who was bound as the caller is the insured from now on, and his data leave the caller's personal information.
    """
    was, person = card.represented, card.person
    fields = {**card.fields, **values}
    after = replace(card, fields=fields, typed=card.typed | {name for name, value in values.items() if value})
    if person is not None and after.represented and not was:
        taken = {name: "" for name in _NAMES if name not in card.typed and fields.get(name) == getattr(person, name)}
        named = {"insured_name": person.full_name, "insured_birth": person.birth_date}
        taken |= {name: value for name, value in named.items() if not fields.get(name)}
        after = replace(after, fields={**fields, **taken})
    return replace(after, edition=card.edition + 1, finished=False)


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
    theirs = {name: getattr(person, name) for name in ("surname", "name", "patronymic", "birth_date")}
    if left.represented:
        theirs = {"insured_name": person.full_name, "insured_birth": person.birth_date}
    return [
        name for name, value in theirs.items() if name in left.typed and left.fields.get(name) not in (None, "", value)
    ]
