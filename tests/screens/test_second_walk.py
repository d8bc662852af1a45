"""Where a new user stumbled next: words that came late, were about something else, or had no room."""

from __future__ import annotations

from dataclasses import replace

from msgspec.structs import replace as replace_call

from operator_tui.desk.card import opened
from operator_tui.desk.line_words import LineWords
from operator_tui.desk.state import Topic
from operator_tui.phone.line import Call, CallState, Direction
from screens.ask import AskScreen
from screens.card_words import history_title
from screens.directory import DirectoryScreen
from tests.screens.page import ON_CALL, DeskPage, List, open_desk
from tests.screens.test_call import answered
from tests.screens.test_desk import QUIET
from tests.screens.test_handover import written
from widgets.rows import Rows


async def free(desk: DeskPage) -> None:
    await desk.until(lambda: "свободен" in desk.line("#who"), "free")


async def test_a_transfer_says_at_once_to_whom_and_how_the_caller_comes_back() -> None:
    async with open_desk() as desk:
        await written(desk)
        await desk.press("f7")
        await desk.type("2003")
        await desk.press("enter")
        await desk.until(lambda: desk.notice.startswith("Переводится: Крюкова"), "to whom")
        assert "2003" in desk.notice
        assert "вернётся к вам" in desk.notice
        await desk.until_quiet()
        assert "Переводится" in desk.notice, "it stands until somebody takes him"


async def test_somebody_outside_is_named_and_does_not_send_the_caller_back() -> None:
    async with open_desk() as desk:
        await answered(desk)
        one = desk.desk.colleagues.outside()[0]
        await desk.press("f7")
        await desk.type(one.extension)
        await desk.press("enter")
        await desk.until(lambda: "Вернуть вызов будет нельзя" in desk.notice, "that he is gone")
        assert one.name in desk.notice


async def test_enter_takes_who_stands_under_the_cursor_and_nobody_is_offered_himself() -> None:
    async with open_desk() as desk:
        await answered(desk)
        await desk.press("f7")
        await desk.until(lambda: isinstance(desk.app.screen, DirectoryScreen), "the directory")
        rows = List(desk, "#colleagues")
        assert desk.desk.state.registration.extension not in set(rows.keys())
        await desk.type("2004")
        await desk.until(lambda: rows.keys()[:1] == ["2004"], "a whole number stands first")
        await desk.press("backspace")
        await desk.until(lambda: len(rows.rows()) > 1, "who begins so")
        first = rows.keys()[0]
        await desk.press("enter")
        await desk.until(lambda: f"{first}. " in desk.notice, "who stood there")


async def test_while_it_rings_a_key_of_the_telephone_says_what_comes_first() -> None:
    async with open_desk() as desk:
        await desk.until_ringing()
        for key in ("alt+d", "ctrl+e", "f3", "alt+c"):
            desk.desk.notice("")
            await desk.press(key)
            await desk.until(lambda: "Звонят: сначала ответьте (F2) или отклоните (F4)" in desk.notice, "what is first")


async def test_what_wants_a_saved_card_says_so_and_a_new_card_begins_without_the_words_of_another() -> None:
    async with open_desk(phone=QUIET) as desk:
        await free(desk)
        desk.desk.notice("Сохранено: обращение 13-1 закрыто.")
        await desk.press("insert")
        await desk.until_screen("work")
        await desk.until(lambda: not desk.notice, "nothing of the other")
        for key in ("shift+f11", "shift+f1", "alt+q", "alt+z"):
            desk.desk.notice("")
            await desk.press(key)
            await desk.until(lambda: "Сначала сохраните карту (Ctrl+S)" in desk.notice, "what is missing")


async def test_the_next_caller_does_not_find_what_was_said_of_the_one_before() -> None:
    async with open_desk(phone=ON_CALL) as desk:
        await free(desk)
        desk.desk.notice("Сохранено: обращение 13-1 закрыто.", urgent=True)
        await desk.ring()
        await answered(desk)
        await desk.until(lambda: "13-1" not in desk.notice, "nothing of the other")


async def test_what_is_said_in_a_talk_stays_while_another_one_rings() -> None:
    async with open_desk(phone=QUIET) as desk:
        await free(desk)
        call = Call(
            id="talk", direction=Direction.INCOMING, number="+78652000041", state=CallState.TALKING,
            started_ms=1, answered_ms=2,
        )  # fmt: skip
        other = replace_call(call, id="rings", number="+78652000107", state=CallState.RINGING, answered_ms=None)
        desk.desk.notice("Об угрозе сообщено администратору.")
        words = LineWords(desk.desk)
        await words.ringing(other)
        said = desk.desk.state.notice
        assert said.text == "Об угрозе сообщено администратору."
        words.rings_no_more(call)  # who is talked to has been muted, heard, held
        assert desk.desk.state.notice is said


async def test_quick_classes_are_found_by_number_and_by_a_word() -> None:
    async with open_desk() as desk:
        await answered(desk)
        await desk.press("ctrl+p")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "the classes")
        assert "Номер строки или слово" in desk.text()
        found = List(desk, "#found")
        await desk.type("тиш")
        await desk.until(lambda: found.keys() == ["silence"], "by a word")
        await desk.press(*["backspace"] * 3, "3")
        await desk.until(lambda: [row[0] for row in found.rows()] == ["3"], "by its number")


async def test_f6_pressed_before_the_card_is_painted_is_not_overtaken_and_no_theme_is_cut_at_half_the_screen() -> None:
    async with open_desk(phone=QUIET) as desk:
        await free(desk)
        # All at once, as a bad line delivers them: nothing is painted between the two.
        await desk.press("insert", "f6", "п", "о", "т", "е", "р")
        await desk.until(lambda: desk.theme.value == "потер", "the letters are the theme's")
        assert desk.theme.focused
        rows: Rows = desk.themes.widget
        await desk.until(lambda: desk.themes.rows() and rows.region.width == 80, "themes")


async def test_the_header_never_cuts_what_the_operator_is_for_the_queue() -> None:
    async with open_desk(phone=QUIET) as desk:
        await free(desk)
        desk.desk.change(Topic.JOURNAL, unfinished=2, reports=1)
        await desk.desk.phone.states.choose(next(one.code for one in desk.desk.phone.states.kinds))
        await desk.until(lambda: "Активен: перерыв" in desk.line("#who"), "the state")
        assert "…" not in desk.text().splitlines()[0]
        assert "Черновиков: 2" in desk.line("#who")


def test_where_the_history_begins_has_room() -> None:
    card = opened(None)
    away = replace(card, history_since="2026-11-21")
    for again in (1, 3):
        title, hint = history_title(away, again, 40)
        assert len(title) + len(hint) <= 40
        assert "21.11.2026" in title
        assert "центр недоступен" in title
    assert "Звонит 3-й раз" in history_title(away, 3, 80)[0]
    assert history_title(card, 1, 40) == ("История обращений", "")
