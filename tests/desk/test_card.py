"""The card at hand: opening, typing, binding a person, choosing a theme."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from operator_tui.desk import card as steps
from operator_tui.phone.line import Call, CallState, Direction
from operator_tui.reference import packaged_catalogue
from operator_tui.registry.people import Person

CALL = Call(id="c1", direction=Direction.INCOMING, number="+78652012345", state=CallState.TALKING, started_ms=1)
PERSON = Person(
    enp="2656240885900014",
    surname="Смирнова",
    name="Анна",
    patronymic="Викторовна",
    birth_date="1958-03-12",
    phone="+78652054321",
    insurer="Альфа",
    clinic="ГП 3",
)


@pytest.mark.function("K-5.0.2")
def test_a_card_from_a_call_carries_its_number() -> None:
    card = steps.opened(CALL)
    assert card.fields["phone"] == "+78652012345"
    assert card.fields["call"] == card.call == "c1"


def test_a_card_without_a_call_says_so() -> None:
    assert steps.opened(None).fields == {"source": "Добавлено вручную"}


@pytest.mark.function("K-5.1.3.8", "K-5.1.6.1")
def test_binding_a_person_fills_the_personal_information() -> None:
    card = steps.bound(steps.opened(CALL), PERSON)
    assert card.person is PERSON
    assert card.fields["enp"] == PERSON.enp
    assert (card.fields["surname"], card.fields["birth_date"]) == ("Смирнова", "1958-03-12")
    assert card.fields["phone"] == "+78652012345", "the number he calls from stays"


def test_a_second_card_of_the_call_is_of_the_same_person_and_of_nothing_else() -> None:
    first = steps.bound(steps.typed(steps.opened(CALL), "phone", "+78652099999"), PERSON)
    first = steps.typed(first, "comment", "о другом")
    second = steps.opened(CALL, first)
    assert second.draft != first.draft
    assert (second.call, second.person, second.saved) == ("c1", PERSON, None)
    assert (second.fields["enp"], second.fields["surname"], second.fields["clinic"]) == (PERSON.enp, "Смирнова", "ГП 3")
    assert second.fields["phone"] == "+78652099999", "as the operator has put it right"
    assert second.typed == {"phone"}
    assert "comment" not in second.fields
    unknown = steps.typed(steps.opened(CALL), "surname", "Начатый")
    assert "surname" not in steps.opened(CALL, unknown).fields, "nobody knows yet who he is"
    assert "enp" not in steps.opened(replace(CALL, id="c2"), first).fields
    assert steps.opened(None, first).fields == steps.opened(None).fields


def test_what_the_operator_typed_is_not_replaced_unseen() -> None:
    card = steps.typed(steps.opened(CALL), "surname", "Смирнова-Ким")
    assert steps.kept_values(card, PERSON) == ["surname"]
    assert steps.bound(card, PERSON).fields["surname"] == "Смирнова-Ким"


def test_of_a_representative_only_the_insured_is_bound() -> None:
    card = steps.represented(steps.typed(steps.opened(CALL), "surname", "Дочкина"), {"representative": "сын или дочь"})
    card = steps.bound(card, PERSON)
    assert card.fields["enp"] == PERSON.enp
    assert (card.fields["insured_name"], card.fields["insured_birth"]) == (PERSON.full_name, PERSON.birth_date)
    assert (card.fields["surname"], card.fields.get("name", "")) == ("Дочкина", ""), "the caller's own"
    caller = replace(PERSON, enp="2656240885900022", surname="Дочкина", name="Вера", birth_date="1985-01-02")
    after = steps.applied(card, caller)
    assert (after.fields["name"], after.fields["enp"], after.person) == ("Вера", PERSON.enp, PERSON)
    assert after.fields["insured_name"] == PERSON.full_name


def test_who_was_taken_for_the_caller_is_the_insured_once_a_representative_is_named() -> None:
    card = steps.typed(steps.bound(steps.opened(CALL), PERSON), "address", "Ставрополь, Лесная 1")
    card = steps.represented(card, {"representative": "родитель"})
    assert card.fields["insured_name"] == PERSON.full_name
    assert not card.fields["surname"], "his data leave the caller's personal information"
    assert card.fields["address"] == "Ставрополь, Лесная 1", "what was typed stays"
    assert card.fields["phone"] == CALL.number


def test_apply_tells_what_was_typed_before_and_detaching_keeps_who_it_was() -> None:
    typed = steps.typed(steps.opened(CALL), "surname", "Смернова")
    after = steps.applied(steps.bound(typed, PERSON), PERSON)
    assert after.fields["surname"] == "Смирнова"
    assert steps.replaced(typed, after) == {"surname": "Смернова"}
    off = steps.unbound(after)
    assert (off.fields["enp"], off.fields["surname"], off.person) == ("", "", None)
    assert off.fields["detached"] == [{"enp": PERSON.enp, "name": PERSON.full_name}]
    other = replace(PERSON, enp="2656240885900022", surname="Иная")
    again = steps.bound(steps.bound(steps.opened(CALL), PERSON), other)
    assert again.fields["detached"] == [{"enp": PERSON.enp, "name": PERSON.full_name}], "bound over another: both kept"


def test_detaching_the_insured_leaves_the_representative() -> None:
    card = steps.represented(steps.typed(steps.opened(CALL), "surname", "Дочкина"), {"representative": "сын или дочь"})
    off = steps.unbound(steps.bound(card, PERSON))
    assert (off.fields["insured_name"], off.fields["insured_birth"], off.fields["insurer"]) == ("", "", "")
    assert (off.fields["surname"], off.fields["representative"]) == ("Дочкина", "сын или дочь")


@pytest.mark.function("K-5.1.4.3")
def test_a_theme_brings_its_type_result_and_answer() -> None:
    catalogue = packaged_catalogue()
    theme = next(theme for theme in catalogue.themes.values() if theme.scripts)
    card = steps.themed(steps.opened(None), theme, catalogue)
    assert card.fields["type"] == theme.type.value
    assert card.fields["result"] in catalogue.results
    assert card.script == theme.scripts[0]


def test_a_draft_brings_the_card_back_as_it_was() -> None:
    card = steps.typed(steps.bound(steps.opened(CALL), PERSON), "comment", "перезвонить")
    back = steps.from_draft(steps.to_draft(card, 5), None)
    assert (back.draft, back.call, dict(back.fields), back.typed) == (
        card.draft,
        card.call,
        dict(card.fields),
        card.typed,
    )
