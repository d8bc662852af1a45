"""«Справочники» on the real desk, over a real server: keys in, versions out, every desk told."""

from __future__ import annotations

from pathlib import Path

import pytest

from central.reference import references
from operator_tui.answers.answers import answers_of
from operator_tui.appeals.catalogue import Catalogue
from operator_tui.appeals.people import Role
from operator_tui.appeals.reference_forms import LISTS
from operator_tui.reference import packaged_catalogue
from screens.ask import AskScreen
from screens.form import FormScreen
from screens.reference_words import in_words, of_words
from tests.registry.test_federal import INSURERS, written
from tests.screens.live import OpenLive, keyring_as_it_was, office, open_live, take_the_seat
from tests.screens.page import DeskPage, List
from tests.signin.conftest import Office

__all__ = ["keyring_as_it_was", "office", "open_live"]


def at_centre(office: Office) -> Catalogue:
    with office.database.read() as connection:
        return references(office.database, packaged_catalogue()).now(connection, "26")


async def lists_of(desk: DeskPage, office: Office) -> List:
    await take_the_seat(desk, office.hire("orlova", Role.ADMINISTRATOR))
    await desk.press("alt+f")
    await desk.until_screen("reference")
    return List(desk, "#reference")


async def into(desk: DeskPage, words: str, name: str) -> None:
    """Into a list by the words of its title."""
    found = List(desk, "#reference")
    await desk.type(words)
    await desk.until(lambda: found.keys() == [name], name)
    await desk.press("enter")
    await desk.until(lambda: name not in set(found.keys()), "the rows")


async def form(desk: DeskPage, title: str) -> None:
    await desk.until(lambda: isinstance(desk.app.screen, FormScreen) and title in desk.text(), title)


@pytest.mark.function("K-1.2")
async def test_a_row_is_added_changed_closed_and_gone_back_from(office: Office, open_live: OpenLive) -> None:
    async with open_live() as desk:
        found = await lists_of(desk, office)
        await desk.until(lambda: {"results", "reasons", "terms", "calendar", "breaks", "organisations", "groups",
                                  "directory", "fields"} <= set(found.keys()), "the lists")  # fmt: skip
        await into(desk, "групп", "groups")
        await desk.press("f5")
        await form(desk, "Новая запись")
        await desk.type("courts")
        await desk.press("enter")
        await desk.type("Суды")
        await desk.press("enter", "1", "f9")
        await desk.until(lambda: "courts" in set(found.keys()), "the new row")
        assert "Записано новой версией" in desk.notice
        await desk.until(lambda: "courts" in at_centre(office).groups, "at the centre")
        await desk.type("courts")
        await desk.until(lambda: found.keys() == ["courts"], "found")
        await desk.press("f9")
        await desk.until(lambda: "ЗАКРЫТО" in desk.text(), "closed")
        await desk.until(lambda: not at_centre(office).groups["courts"].offered, "closed at the centre")
        await desk.press("ctrl+g")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "the versions")
        shown = List(desk, "#found")
        assert shown.keys() == ["2", "1", "0"]
        assert "courts" in shown.rows()[0][1]
        desk.app.screen.query_one("#found").focus()
        await desk.press("down", "enter")
        await desk.until(lambda: "к версии 1" in desk.text(), "the question")
        await desk.press("enter")
        await desk.until(lambda: at_centre(office).groups["courts"].offered, "back at the centre")
        await desk.until_screen("reference")
        assert all(len(line) <= 80 for line in desk.text().splitlines())


async def test_what_is_wrong_is_said_in_the_form_and_nothing_typed_is_lost(office: Office, open_live: OpenLive) -> None:
    async with open_live() as desk:
        found = await lists_of(desk, office)
        await into(desk, "срок", "terms")
        await desk.press("down", "down", "f6")
        await form(desk, "Изменить запись")
        days = desk.app.screen.query_one("#input-form-days")
        days.focus()
        days.value = "много"
        await desk.press("f9")
        await desk.until(lambda: "Дней (календарных)» заполнено неверно" in desk.text(), "the reason")
        assert days.value == "много"
        days.value = "20"
        await desk.press("f9")
        await desk.until(lambda: desk.desk.catalogue.terms.answer == 20, "the new term")
        await desk.until(lambda: at_centre(office).terms.answer == 20, "at the centre")
        await desk.press("escape")
        await desk.until(lambda: "terms" in set(found.keys()), "the lists")
        await desk.press("escape")
        await desk.until_screen("journal")


async def test_a_federal_register_is_loaded_from_its_file(office: Office, open_live: OpenLive, tmp_path: Path) -> None:
    file = written(tmp_path, INSURERS)
    async with open_live() as desk:
        await lists_of(desk, office)
        await desk.press("ctrl+v")
        await form(desk, "Загрузить федеральный реестр")
        await desk.press("enter")
        desk.app.screen.query_one("#input-form-path").value = str(file)
        await desk.press("f9")
        await desk.until(lambda: "F002: новых 1, изменено 0, без изменений 0" in desk.notice, "taken")
        await desk.until(lambda: "26003" in at_centre(office).reference.open("organisations"), "at the centre")
        file.write_bytes(INSURERS.replace("26003", "2600").encode("cp1251"))
        await desk.press("ctrl+v")
        await form(desk, "Загрузить федеральный реестр")
        await desk.press("enter")
        desk.app.screen.query_one("#input-form-path").value = str(file)
        await desk.press("f9")
        await desk.until(lambda: "строка 1: поле SMOCOD" in desk.notice, "the row in the sentence")


async def test_one_answer_is_changed_as_a_version_and_gone_back_from(office: Office, open_live: OpenLive) -> None:
    async with open_live() as desk:
        await lists_of(desk, office)
        await into(desk, "ответ", "answers")
        before = answers_of(desk.desk.catalogue)
        script = before.script("R-02")
        await desk.type(script.title[:12])
        found = List(desk, "#reference")
        await desk.until(lambda: set(found.keys()) == {f"{script.id}:ru"}, "the program's own")
        await desk.press("f6")
        await form(desk, "Изменить запись")
        line = desk.app.screen.query_one("#input-form-say")
        assert line.value == "|".join(script.say)
        line.focus()
        line.value = "Добрый день.|Возьмите паспорт и полис."
        await desk.press("f9")
        key = f"{script.id}:ru"
        await desk.until(lambda: key in at_centre(office).reference.open("answers"), "at the centre")
        said = answers_of(desk.desk.catalogue)
        assert said.script(script.id).say == ("Добрый день.", "Возьмите паспорт и полис.")
        assert said.script(script.id).themes == script.themes, "the rest is as it was"
        await desk.until(lambda: "Записано новой версией" in desk.notice, "said")
        await desk.press("ctrl+g")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "the versions")
        desk.app.screen.query_one("#found").focus()
        await desk.press("down", "enter")
        await desk.until(lambda: "к версии 0" in desk.text(), "the question")
        await desk.press("enter")
        book = "|".join(script.say)
        await desk.until(lambda: at_centre(office).reference.open("answers")[key]["say"] == book, "the program's again")
        assert answers_of(desk.desk.catalogue).script(script.id).say == script.say


def test_no_code_of_a_list_has_to_be_known_to_be_chosen() -> None:
    for form in LISTS.values():
        for column in form.columns:
            if column.options and not column.apart:
                words = [in_words(column, value) for value in column.options]
                assert [of_words(column, word) for word in words] == list(column.options)
                assert not any(letter.isascii() and letter.isalpha() for word in words for letter in word), words
