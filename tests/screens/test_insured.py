"""The registry on the work screen: four fields, a whole person, the centre, views, hand-filled cards, wrong records."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from central.registry.share import FOLDER_VARIABLE
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import Kind
from operator_tui.desk.keys import REGISTRY_KEY
from operator_tui.desk.state import Light, Topic
from operator_tui.registry.asked import INSURED_PATH, Answer, Asked
from operator_tui.registry.delta import apply
from operator_tui.registry.identifiers import make_enp
from operator_tui.registry.packages import add
from operator_tui.registry.people import Attachment, Found, Hit, Person, Policy, Previous, cell_of, more_of
from operator_tui.registry.records import Change
from screens.insured import InsuredScreen, folded
from screens.insured_words import facts
from tests.screens.page import DeskPage, List, Part, open_desk
from tests.screens.test_call import answered
from tests.timing import tell_if_slow
from widgets.person_search import PersonSearch

QUIET = {"simulated_first_seconds": 600.0}


def made(serial: int, surname: str, name: str, *, born: date = date(1971, 4, 5), enp: str = "", **cells: str) -> Person:
    """A person no generator makes. ``cells`` are columns of MORE."""
    from operator_tui.registry.people import MORE

    more = more_of([cells.get(column, "") for column in MORE])
    number = enp or make_enp(26, born, "m", 99_000 + serial)
    return Person(number, surname, name, "Тестович", born.isoformat(), "m", insurer="Опора-Мед (26991)", more=more)


LIVING = made(1, "Щукарь-Живой", "Ждан")
MERGED = made(2, "Щукарь-Живой", "Ждан", born=date(1971, 5, 4), merged_with=LIVING.enp)
WHOLE = made(
    3, "Щедролюбов", "Ждан",
    previous=cell_of(Previous("Неждановский", until="2001-02-03")),
    policies=cell_of(
        Policy("С", "07", "123456", "1999-05-06", "2012-01-01", "НСД", "26993"), Policy("П", since="2012-01-01")
    ),
    attachments=cell_of(Attachment("1", "2", "ДПП", "2015-02-03", "", "260101")),
)  # fmt: skip


def changed(desk: DeskPage, *people: Person) -> None:
    """A delta comes from outside, as the administrator's timer brings it."""
    parts = desk.desk.parts
    changes = [Change(person.enp, person) for person in people]
    assert parts.registry is not None
    apply(desk.desk.profile.registry_file, desk.desk.keys.key(REGISTRY_KEY), changes, parts.registry.as_of)


async def views(desk: DeskPage) -> list[dict[str, Any]]:
    await desk.desk.insured.flush()
    operations = await desk.desk.on_journal(lambda journal: journal.outbox(500))
    return [operation.x for operation in operations if operation.k == Kind.PERSON_VIEWED.value]


async def searched(desk: DeskPage, text: str) -> None:
    await desk.press("f5")
    await desk.type(text)
    await desk.until(lambda: desk.hits.rows(), "people")


@pytest.mark.function("K-5.1.3.1", "K-5.1.3.2", "K-5.1.3.4", "K-5.1.3.5", "K-5.1.3.6")
async def test_the_manuals_four_fields() -> None:
    async with open_desk(phone=QUIET) as desk:
        changed(desk, LIVING, WHOLE)
        await desk.press("insert")
        await desk.until_screen("work")
        search: PersonSearch = desk.app.screen.query_one(PersonSearch)
        await desk.press("f5")
        await desk.until(lambda: not search.folded and desk.search.focused, "the line")
        await desk.press("f5")
        await desk.until(lambda: search.four, "the second F5 shows the four fields")
        surname, name = Part(desk, "#input-find-surname"), Part(desk, "#input-find-name")
        await desk.until(lambda: surname.focused, "the first of them")
        await desk.press("enter")
        await desk.until(lambda: "одно" in desk.notice.lower() or "пуст" in desk.notice.lower(), "a sentence")
        await surname.type("щукарь")
        await name.type("жд")
        await Part(desk, "#input-find-birth_date").type("05.04.1971")
        await desk.until(lambda: [LIVING.enp] == desk.hits.keys(), "the person")
        assert desk.desk.state.card is not None
        assert not desk.desk.state.card.fields.get("surname"), "a field of the search is none of the card's"
        await desk.press("ctrl+o")
        await desk.until(lambda: search.folded, "folded")
        await desk.press("ctrl+o")
        await desk.until(lambda: not search.folded and desk.hits.keys() == [LIVING.enp], "unfolded as it was")
        await desk.press("ctrl+u")
        await desk.until(lambda: not desk.hits.rows() and surname.value == "", "empty fields")


async def test_nobody_found_by_the_line_is_taken_from_the_fields() -> None:
    async with open_desk(phone=QUIET) as desk:
        changed(desk, LIVING)
        await desk.press("insert")
        await desk.until_screen("work")
        await searched(desk, "щукарь")
        await desk.press("f5")
        await desk.until(lambda: desk.app.screen.query_one(PersonSearch).four, "the fields")
        await desk.until(lambda: not desk.hits.rows(), "the fields are empty, and so is their list")
        await desk.press("enter")
        await desk.until(lambda: "одно" in desk.notice.lower(), "a sentence")
        assert desk.desk.state.card is not None
        assert desk.desk.state.card.person is None
        await desk.press("f5")
        await desk.until(lambda: desk.hits.keys() == [LIVING.enp], "the line stands as it stood, and its people")


async def test_a_whole_person_and_an_appeal_about_two_records() -> None:
    async with open_desk(phone=QUIET, size=(120, 40)) as desk:
        changed(desk, LIVING, MERGED, WHOLE)
        await desk.press("insert")
        await desk.until_screen("work")
        await searched(desk, "неждановск")
        assert "прежде Неждановский" in desk.hits.rows()[0][1]
        await desk.press("ctrl+a")
        await desk.until(lambda: isinstance(desk.app.screen, InsuredScreen), "the sheet")
        told = dict(List(desk, "#facts").rows())
        assert told["Прежде"] == "Неждановский (по 03.02.2001)"
        assert "260101" in told["Прикрепл."]
        assert told["Полис"].endswith("(с 01.01.2012)")
        await desk.press("escape")
        await desk.press("f5", "ctrl+u")
        await searched(desk, "щукарь-жив")
        both = desk.hits.keys()
        assert set(both) == {LIVING.enp, MERGED.enp}
        assert any("объединён" in cells[1] for cells in desk.hits.rows())
        desk.hits.widget.focus()
        await desk.press("space", "down", "space")
        await desk.until(lambda: "Отмечено: 2" in desk.line("#hits-note"), "two records")
        await desk.press("ctrl+a")
        await desk.until(lambda: isinstance(desk.app.screen, InsuredScreen), "the sheet")
        await desk.press("f8")
        await desk.until(lambda: desk.desk.state.card and desk.desk.state.card.fields.get("theme"), "an appeal")
        card = desk.desk.state.card
        assert card is not None
        assert card.fields["theme"] == "З-05.1"
        await desk.until(lambda: "Запись 2" in str(desk.desk.state.card and desk.desk.state.card.fields["comment"]))
        comment = str(desk.desk.state.card and desk.desk.state.card.fields["comment"])
        assert "Двойник / ошибка в регистре" in comment
        assert LIVING.enp in comment
        assert MERGED.enp in comment


def test_a_policy_is_told_to_its_end_on_eighty_columns() -> None:
    told = facts(WHOLE)
    lines = folded(told, 66)
    assert max(len(text) for _, text in lines) <= 66
    joined: list[str] = []
    for label, text in lines:
        joined = [*joined, text] if label else [*joined[:-1], f"{joined[-1]} {text}"]
    assert joined == [text for _, text in told]


async def test_a_merged_person_leads_to_the_one_that_lives() -> None:
    async with open_desk(phone=QUIET) as desk:
        changed(desk, LIVING, MERGED)
        await desk.press("insert")
        await desk.until_screen("work")
        await searched(desk, "щукарь-жив 04.05.1971")
        assert desk.hits.keys() == [MERGED.enp]
        await desk.press("enter")
        await desk.until(lambda: desk.desk.state.card and desk.desk.state.card.person, "a person")
        card = desk.desk.state.card
        assert card is not None
        assert card.fields["enp"] == LIVING.enp
        assert "объединена" in desk.notice


async def test_every_view_is_recorded_once_with_the_call_it_served() -> None:
    async with open_desk() as desk:
        told: list[int] = []

        def named(topic: Topic) -> None:
            call = desk.desk.state.call
            if topic is Topic.NOTICE and call is not None and desk.desk.state.notice.text.startswith("По номеру"):
                told.append(desk.desk.clock.now_ms() - call.started_ms)

        desk.desk.listen(named)
        await answered(desk)
        await desk.until(lambda: desk.hits.rows(), "candidates by the number")
        card = desk.desk.state.card
        assert card is not None
        assert card.call
        assert told, "who may be calling is said while it rings"
        assert "По номеру" not in desk.notice, "and not after it: they stand below the search"
        tell_if_slow("naming the caller at the ring", told[0] / 1000, 0.1)
        seen = await views(desk)
        assert {view["call"] for view in seen} == {card.call}
        assert set(desk.hits.keys()) <= {enp for view in seen for enp in view["people"]}
        for letter in "ив":
            await desk.type(letter)
        await desk.until(lambda: desk.hits.rows() and desk.search.value == "ив", "people")
        shown = {enp for view in await views(desk) for enp in view["people"]}
        assert set(desk.hits.keys()) <= shown
        everybody = [enp for view in await views(desk) for enp in view["people"]]
        assert len(everybody) == len(set(everybody)), "once for a card"


async def test_a_card_filled_by_hand_is_offered_people_after_the_next_delta() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.press("insert")
        await desk.until_screen("work")
        work = desk.desk.card
        for field, value in (("surname", WHOLE.surname), ("name", WHOLE.name), ("birth_date", WHOLE.birth_date)):
            work.type_field(field, value)
        work.choose_theme(desk.desk.catalogue.theme("З-05.1"))
        saved = await work.save()
        await work.leave()
        assert await desk.desk.insured.search("ив") is not None
        changed(desk, WHOLE)
        await desk.desk.insured.search("ива")
        await desk.until(lambda: "внесённых вручную" in desk.notice, "the desk says so")
        assert str(saved.value("number")) in desk.notice
        await work.edit(saved.id)
        await desk.until(lambda: desk.hits.keys() == [WHOLE.enp], "offered")
        card = desk.desk.state.card
        assert card is not None
        assert card.person is None, "nobody is bound without a key"
        assert not card.fields.get("enp")


async def test_one_key_asks_the_centre(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.press("insert")
        await desk.until_screen("work")
        await desk.press("f5")
        await desk.type("щедролюб")
        await desk.until(lambda: "F8" in desk.line("#hits-note"), "nobody here: the note leads to the centre")
        await desk.press("f8")  # the desk's own embedded server holds no region
        await desk.until(lambda: "нет реестра" in desk.notice, "a sentence")
        asked: list[Asked] = []

        async def answer(path: str, body: bytes) -> bytes:
            assert path == INSURED_PATH
            asked.append(msgspec.json.decode(body, type=Asked))
            return msgspec.json.encode(Answer(Found((Hit(WHOLE),)), "2026-01-15", 3_000_000))

        monkeypatch.setattr(desk.desk.parts, "ask", answer)
        await desk.press("f8")
        await desk.until(lambda: desk.hits.keys() == [WHOLE.enp], "the centre's person")
        assert asked[-1].line == "щедролюб"
        assert asked[-1].call == "", "no call was on the line, and the appeal has no id yet"
        assert "Ответ центра" in desk.line("#hits-note")
        assert "15.01.2026" in desk.line("#hits-note")
        assert WHOLE.enp in {enp for view in await views(desk) for enp in view["people"]}
        monkeypatch.setattr(desk.desk.parts, "ask", away)
        await desk.press("f8")
        await desk.until(lambda: "Ответ центра" not in desk.notice and desk.notice, "the line is down: a sentence")
        assert desk.hits.keys() == [WHOLE.enp], "what was found stays"


async def away(path: str, body: bytes) -> bytes:
    raise Refusal(Code.SERVER_AWAY)


async def test_a_days_changes_come_from_the_centre_while_one_searches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    add(tmp_path / "26", "whole", [], date(2020, 1, 1))
    async with open_desk(phone=QUIET) as desk:
        await desk.until(lambda: desk.desk.state.lights.server is Light.ON, "the server")
        assert await desk.desk.updates.once() == 0
        add(tmp_path / "26", "delta", [Change(WHOLE.enp, WHOLE)], date(2030, 1, 2))
        assert await desk.desk.updates.once() == 1
        assert desk.desk.state.lights.registry_day == "02.01.2030"
        found = await desk.desk.insured.search("щедролюб")
        assert found is not None
        assert [hit.person for hit in found.hits] == [WHOLE]
        assert not list(desk.desk.profile.registry_file.parent.glob(".package-*"))
