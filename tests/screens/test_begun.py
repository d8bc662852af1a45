"""What was typed into a form is there again after the desk has died, for that form, that appeal and that person."""

from __future__ import annotations

import ast
import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from operator_tui.appeals.begun import Begun, FormOf, Laid, Typed
from operator_tui.appeals.errors import Code, Refusal
from screens.ask import AskScreen
from screens.begun import BegunScreen
from screens.content import ContentScreen
from screens.keeping import brought_back
from screens.person import Draft, PersonScreen
from screens.shift import ShiftScreen
from tests.screens.page import ON_CALL, DeskPage, List, Part, open_desk
from tests.screens.test_desk import QUIET, with_theme
from tests.screens.test_promises import deed, form

ROOT = Path(__file__).parents[2]
ASK_FOR = "#input-form-promise_ask"


async def journal_has(desk: DeskPage, *texts: str) -> list[Begun]:
    """Wait until these are the texts that the journal keeps, in their lines' order."""
    found: list[Begun] = []

    async def look() -> list[str]:
        found[:] = await desk.desk.on_journal(lambda journal: journal.begun())
        return [line.text for one in found for line in one.lines.values()]

    while await look() != list(texts):
        await desk.pilot.pause(0.02)
    return found


async def card_of(desk: DeskPage, surname: str) -> str:
    """A new card with that surname; its draft."""
    await desk.press("insert")
    await desk.until_screen("work")
    await desk.surname.type(surname)
    card = desk.desk.state.card
    assert card is not None
    return card.draft


async def promise(desk: DeskPage) -> Part:
    """The form of a promise above the card at hand; its line «Кого спросить»."""
    await deed(desk, "ответ себе")
    await form(desk)
    return Part(desk, ASK_FOR)


def said(desk: DeskPage) -> str:
    """What the form says of a text that was brought back."""
    line: Any = desk.app.screen.query_one("#begun")
    return str(line.text) if line.display else ""


async def test_a_promise_that_was_begun_is_there_again_with_its_card_and_is_sent_once() -> None:
    async with open_desk(phone=QUIET) as desk:
        await card_of(desk, "Первый")
        line = await promise(desk)
        assert said(desk) == ""
        await line.type("Анну")
        (kept,) = await journal_has(desk, "Анну")
        assert kept.title == "Отсроченный ответ себе"
    async with open_desk(phone=QUIET) as desk:
        await desk.until_screen("work")
        assert desk.notice.startswith("Черновик восстановлен: продолжайте с того же места.")
        assert desk.notice.endswith("Начатых форм: 1 (в журнале ^Y).")
        line = await promise(desk)
        assert line.value == "Анну"
        assert "восстановлено: продолжайте. F5 — начать заново." in said(desk)
        assert Part(desk, "#input-form-promise_due").value, "what was not typed is offered anew"
        await Part(desk, "#input-form-promise_phone").type("+78652000199")
        await desk.press("f9")
        await desk.until(lambda: "перезвоним до" in desk.notice, "and does what it was for")
        await journal_has(desk)
        (saved,) = await desk.desk.active()
        assert saved.value("promise_ask") == "Анну"
    async with open_desk(phone=QUIET) as desk:
        assert "Начатых форм" not in desk.notice


async def test_a_text_is_never_another_cards() -> None:
    async with open_desk(phone=QUIET) as desk:
        first = await card_of(desk, "Первый")
        await (await promise(desk)).type("Анну")
        (kept,) = await journal_has(desk, "Анну")
        assert kept.of == FormOf("promise_self", first)
    async with open_desk(phone=QUIET) as desk:
        await desk.until_screen("work")
        await card_of(desk, "Вторая")
        line = await promise(desk)
        assert (line.value, said(desk)) == ("", "")
        await line.type("Петра")
        await journal_has(desk, "Анну", "Петра")


async def test_a_text_is_never_another_persons() -> None:
    of, another = FormOf("incident"), 999
    async with open_desk(phone=QUIET) as desk:
        theirs = Begun(of, another, "Нештатная ситуация", {"asked": Typed("Что случилось", "дым")}, 1)
        await desk.desk.on_journal(lambda journal: journal.keep_begun([theirs], [], another))
    async with open_desk(phone=QUIET) as desk:
        assert "Начатых форм" not in desk.notice
        await desk.press("shift+f9")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "what happened")
        assert (Part(desk, "#asked").value, said(desk)) == ("", "")
        await desk.type("потоп")
        await desk.press("enter")
        await desk.until(lambda: "Администратору сообщено: потоп" in desk.notice, "sent")
        await journal_has(desk, "дым")


async def test_a_locked_desk_that_is_left_keeps_what_stands_under_the_lock() -> None:
    async with open_desk(phone=QUIET) as desk:
        await desk.press("shift+f9")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "what happened")
        await desk.type("дым")
        desk.app.lock()
        await desk.until(lambda: desk.app.locked, "nobody sits there")
        await desk.press("ctrl+q")
        await desk.until(lambda: desk.app._exit, "somebody else wants to")
    async with open_desk(phone=QUIET) as desk:
        await desk.press("shift+f9")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "what happened")
        assert Part(desk, "#asked").value == "дым"


async def test_esc_throws_it_away_and_f5_begins_anew_and_takes_that_back() -> None:
    async with open_desk(phone=QUIET) as desk:
        await card_of(desk, "Первый")
        line = await promise(desk)
        await desk.press("f5")
        await line.type("Анну")
        await desk.press("f5")
        assert line.value == "Анну", "nothing was brought back: there is nothing to begin anew"
        await journal_has(desk, "Анну")
    async with open_desk(phone=QUIET) as desk:
        await desk.until_screen("work")
        line = await promise(desk)
        await desk.press("f5")
        assert (line.value, said(desk)) == ("", "Начато заново. F5 — вернуть прежнее.")
        await journal_has(desk)
        await line.type("Петра")
        await desk.press("f5")
        assert line.value == "Анну"
        await desk.press("f5")
        assert line.value == "Петра", "neither of the two is lost by the key"
        await journal_has(desk, "Петра")
        await desk.press("escape")
        await desk.until_screen("work")
        await journal_has(desk)
        assert (await promise(desk)).value == ""


async def test_what_was_refused_after_it_was_accepted_waits_in_its_form(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_desk(phone=QUIET) as desk:
        await card_of(desk, "Первый")
        await (await promise(desk)).type("Анну")
        phone = Part(desk, "#input-form-promise_phone")
        await phone.type("+78652000199")

        async def refused(_: Any) -> Any:
            raise Refusal(Code.PROMISE_PAST)

        with monkeypatch.context() as then:
            then.setattr(desk.desk.promises, "defer", refused)
            await desk.press("f9")
            await desk.until(lambda: "Введённое осталось: откройте форму снова." in desk.notice, "where it is")
        line = await promise(desk)
        assert (line.value, phone.value) == ("Анну", "+78652000199")
        assert "восстановлено" in said(desk)
        await desk.press("f9")
        await desk.until(lambda: "перезвоним до" in desk.notice, "now it is done")
        await journal_has(desk)


async def test_a_desk_that_dies_while_it_is_being_sent_does_not_say_that_nothing_came_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with open_desk(phone=QUIET) as desk:
        begun = asyncio.Event()

        async def never(*_: Any) -> None:
            begun.set()
            await asyncio.Event().wait()

        monkeypatch.setattr(desk.desk.alarms, "report", never)
        await desk.press("shift+f9")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "what happened")
        await desk.type("дым")
        await desk.press("enter")
        await desk.until(begun.is_set, "it is being sent")
        (kept,) = await journal_has(desk, "дым")
        assert kept.sent_ms
    async with open_desk(phone=QUIET) as desk:
        await desk.press("shift+f9")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "what happened")
        assert Part(desk, "#asked").value == "дым"
        assert "что вышло — неизвестно: проверьте, не сделано ли" in said(desk)


async def test_a_long_text_is_kept_whole_and_a_password_is_not() -> None:
    async with open_desk(phone=QUIET) as desk:
        await card_of(desk, "Первый")
        await deed(desk, "содержание")
        await desk.until(lambda: isinstance(desk.app.screen, ContentScreen) and desk.app.focused, "the content")
        Part(desk, "#content").widget.insert("Первая строка\nВторая")
        await journal_has(desk, "Первая строка\nВторая")
        await desk.press("escape")
        await journal_has(desk)
        draft = Draft(zone="Europe/Moscow")

        async def save() -> None:
            draft.demand_whole()

        person = PersonScreen(draft, save, new=True, organisations=(), of=FormOf("person"))
        desk.app.push_screen(person)
        await desk.until(lambda: desk.app.screen is person and person.is_mounted, "the form")
        await Part(desk, "#input-sip").type("тайна")
        await Part(desk, "#input-name").type("Синичкина")
        (kept,) = await journal_has(desk, "Синичкина")
        assert "тайна" not in str(kept)
        await desk.press("escape")
        again = PersonScreen(Draft(zone="Europe/Moscow"), save, new=True, organisations=(), of=FormOf("person"))
        desk.app.push_screen(again)
        await desk.until(lambda: desk.app.screen is again and again.is_mounted, "the form")
        assert Part(desk, "#input-name").value == "Синичкина", "of a person Esc leaves what was typed"
        assert Part(desk, "#input-sip").value == ""


async def test_a_form_goes_on_where_the_disk_takes_nothing_and_says_so_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_desk(phone=QUIET) as desk:
        await card_of(desk, "Первый")
        await desk.desk.card.flush_draft()
        line = await promise(desk)
        journal, tries = desk.desk.parts.journal, 0
        assert journal is not None

        def full(*_: Any) -> None:
            nonlocal tries
            tries += 1
            raise Refusal(Code.DISK_FULL)

        with monkeypatch.context() as then:
            then.setattr(type(journal), "keep_begun", full)
            await line.type("Ан")
            await desk.until(lambda: "не записывается на диск" in said(desk), "said in the form")
            form_above: Any = desk.app.screen
            form_above.say_begun("")
            once = tries
            await line.type("ну")
            await desk.until(lambda: tries > once, "tried once more")
            await desk.pilot.pause()
            assert said(desk) == "", "and not said again"
            assert line.value == "Анну"
        await line.type("!")
        await journal_has(desk, "Анну!")


async def test_what_was_begun_is_listed_read_opened_and_thrown_away() -> None:
    async with open_desk(phone=QUIET) as desk:
        await card_of(desk, "Первый")
        await with_theme(desk)
        await desk.press("f9")
        await desk.until_screen("journal")
        (card,) = await desk.desk.active()
        assert desk.desk.state.operator is not None
        user = desk.desk.state.operator.user
        kept = Begun(FormOf("correction", card.id), user, "Просить исправить", {"value": Typed("Новое", "Вторая")}, 1)
        lost = Begun(FormOf("promise_self", "gone"), user, "Отсроченный ответ себе", {"ask": Typed("Кого", "Анну")}, 2)
        await desk.desk.on_journal(lambda journal: journal.keep_begun([kept, lost], [], user))
    async with open_desk(phone=QUIET) as desk:
        await desk.until(lambda: desk.notice == "Начатых форм: 2 (в журнале ^Y).", "said where one begins")
        await desk.press("ctrl+y")
        await desk.until(lambda: isinstance(desk.app.screen, ShiftScreen), "what waits")
        waits = List(desk, "#waiting")
        texts = [text for kind, text in waits.rows() if kind == "начатая форма"]
        assert texts[0] == "Отсроченный ответ себе · Анну"
        assert texts[1].startswith(f"Просить исправить · {card.value('number')} · Первый")
        place = [kind for kind, _ in waits.rows()].index("начатая форма")
        await desk.press(*["down"] * place, "enter")
        await desk.until(lambda: isinstance(desk.app.screen, BegunScreen), "what was typed")
        assert "Кого: Анну" in desk.text()
        await desk.press("enter")
        assert isinstance(desk.app.screen, BegunScreen), "its card is nowhere any more"
        await desk.press("f9", "f9")
        await desk.until(lambda: isinstance(desk.app.screen, ShiftScreen), "the list again")
        assert [text for kind, text in waits.rows() if kind == "начатая форма"] == texts[1:]
        await journal_has(desk, "Вторая")
        place = [kind for kind, _ in waits.rows()].index("начатая форма")
        await desk.press(*["down"] * place, "enter")
        await desk.until(lambda: isinstance(desk.app.screen, BegunScreen), "what was typed")
        await desk.press("enter")
        await desk.until_screen("work")
        await desk.until(lambda: "Начата форма «Просить исправить»" in desk.notice, "how one goes on")
        at_hand = desk.desk.state.card
        assert at_hand is not None
        assert at_hand.known_as == card.id


async def test_a_form_set_aside_for_a_call_is_not_listed_and_not_given_to_a_second_one() -> None:
    async with open_desk(phone=ON_CALL) as desk:
        await desk.press("shift+f9")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "what happened")
        asked = desk.app.screen
        await desk.type("дым")
        await journal_has(desk, "дым")
        assert desk.desk.begun.waiting() == []
        await desk.ring()
        await desk.press("f2")
        await desk.until_talking()
        await desk.until_screen("work")
        assert desk.desk.begun.waiting() == []
        await desk.press("shift+f9")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "what else happened")
        assert (Part(desk, "#asked").value, said(desk)) == ("", "")
        await desk.type("потоп")
        await desk.press("enter")
        await desk.until(lambda: "Администратору сообщено: потоп" in desk.notice, "sent")
        await journal_has(desk)
        await with_theme(desk)
        await desk.nobody_else()
        await desk.press("f9", "f4")
        await desk.until(lambda: desk.app.screen is asked, "the first one is back")
        await journal_has(desk, "дым")
        await desk.press("escape")
        await journal_has(desk)


async def test_what_is_begun_of_a_card_is_the_appeals_when_the_card_is_saved_under_it() -> None:
    async with open_desk(phone=QUIET) as desk:
        await card_of(desk, "Первый")
        await with_theme(desk)
        line = await promise(desk)
        await line.type("Анну")
        saved = await desk.desk.card.save()  # as a transfer does, under a form that was set aside
        await line.type("!")
        (kept,) = await journal_has(desk, "Анну!")
        assert kept.of == FormOf("promise_self", saved.id)
        await Part(desk, "#input-form-promise_phone").type("+78652000199")
        await desk.press("f9")
        await desk.until(lambda: "перезвоним до" in desk.notice, "sent")
        await journal_has(desk)


def test_what_has_changed_and_what_has_no_line_any_more_is_said() -> None:
    lines = {"old": Typed("Прежняя", "текст " * 30)}
    begun = Begun(FormOf("reference", "results", "R02"), 1, "Изменить запись", lines, 1_700_000_000_000)
    words = brought_back(begun, Laid(changed={"Название": "Иное"}, gone=begun.lines), "Europe/Moscow")
    assert words.startswith("Введённое 15.11 01:13 восстановлено")
    assert "«Название» изменено с тех пор, теперь там: «Иное»." in words
    assert "Строки «Прежняя» больше нет, в ней было: «текст текст" in words
    assert words.endswith("…».")


# --- the house -----------------------------------------------------------------------------------------------------

# Questions in words that are of the moment: what they are about is gone when a desk has died (decision 0060).
_OF_THE_MOMENT = {
    "operator_tui/acts.py:_pause_record",  # why the recording of this talk stands still
    "operator_tui/acts.py:_ask_number",  # tones of this call: they may be a code
    "screens/journal.py:keep_sieve",  # the name of a filter that stands on the screen only
}


def _kept_nowhere() -> Iterator[str]:
    """Where a form, or a question in words of one's own, is opened that does not say what it is of."""
    for file in [*(ROOT / "screens").glob("*.py"), *(ROOT / "operator_tui").glob("*.py")]:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for function in (one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)):
            offers = any(isinstance(one, ast.Name) and one.id == "offering" for one in ast.walk(function))
            for call in (one for one in ast.walk(function) if isinstance(one, ast.Call)):
                name = call.func.id if isinstance(call.func, ast.Name) else ""
                words = name == "AskScreen" and (offers or len(call.args) < 3)  # no list, or words beside one's own
                opens = words or name in ("FormScreen", "ContentScreen", "PersonScreen")
                if opens and not any(given.arg == "of" for given in call.keywords):
                    yield f"{file.relative_to(ROOT)}:{function.name}"


def test_no_form_is_left_out() -> None:
    assert set(_kept_nowhere()) == _OF_THE_MOMENT
