"""Written appeals at the screen: a scan of the inbox, its number and date, the answer as a letter, the print."""

from __future__ import annotations

import io
from pathlib import Path

import docx
import pytest

from operator_tui.appeals.card import Source
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.people import Role
from operator_tui.desk.letters import Letter, render
from screens.ask import AskScreen
from tests.screens.elsewhere import become
from tests.screens.page import List, open_desk
from tests.screens.test_desk import QUIET, with_theme
from tests.screens.test_promises import deed, form

PDF = b"%PDF-1.7\n" + b"page " * 100


@pytest.mark.function("K-5.2.0.3", "K-5.2.1.1", "K-5.2.1.2", "K-5.2.1.3", "K-4.3")
async def test_a_letter_is_registered_answered_and_printed_without_a_call(tmp_path: Path) -> None:
    inbox, outbox = tmp_path / "in", tmp_path / "out"
    inbox.mkdir()
    (inbox / "жалоба.pdf").write_bytes(PDF)
    (inbox / "пусто.pdf").touch()
    async with open_desk(phone=QUIET, papers={"inbox": str(inbox), "outbox": str(outbox)}) as desk:
        await become(desk, Role.OPERATOR_2)
        await desk.press("insert")
        await desk.until_screen("work")
        await with_theme(desk)
        desk.desk.card.choose_source(Source.LETTER)
        await deed(desk, "Новые сканы")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "the inbox")
        assert {row[1] for row in List(desk, "#found").rows()} == {"жалоба.pdf", "пусто.pdf"}
        await desk.type("жал")
        await desk.press("enter")
        await form(desk)
        await desk.press("f9")
        await desk.until(lambda: "Входящий номер" in desk.line("#form-hint"), "the number is wanted")
        await desk.type("12/3")
        await desk.press("down")
        await desk.type("20.01.2026")
        await desk.press("f9")
        await desk.until(lambda: "приложен" in desk.notice, "attached")
        assert [scan.path.name for scan in await desk.desk.papers.inbox()] == ["пусто.pdf"], "attached: new no more"
        assert (inbox / "принято" / "жалоба.pdf").read_bytes() == PDF, "and not lost"
        await desk.press("ctrl+s")
        await desk.until(lambda: "Сохранено" in desk.notice, "saved")
        (card,) = await desk.desk.active()
        (paper,) = desk.desk.papers.papers(card)
        assert (paper.number, paper.date, paper.kind) == ("12/3", "2026-01-20", "pdf")
        assert await desk.desk.papers.read(paper) == PDF
        # the answer: file and reply are one act, and one operation
        written = await desk.desk.on_journal(lambda journal: len(journal.timeline(card.id)))
        await deed(desk, "Составить письмо")
        await form(desk)
        await desk.type("Отв")
        await desk.press("down")
        await desk.type("77")
        await desk.press("f9")
        await desk.until(lambda: "составлено" in desk.notice, "the letter")
        (card,) = await desk.desk.active()
        assert [(entry["kind"], entry["number"]) for entry in card.value("replies")] == [("final", "77")]
        assert await desk.desk.on_journal(lambda journal: len(journal.timeline(card.id))) == written + 1
        (printed,) = outbox.iterdir()
        text = "\n".join(paragraph.text for paragraph in docx.Document(str(printed)).paragraphs)
        assert "Исх. № 77" in text
        assert str(card.value("number")) in text
        assert "{{" not in text
        # a second answer that went out by another way
        await deed(desk, "Зарегистрировать ответ")
        await form(desk)
        await desk.type("пром")
        await desk.press("down")
        await desk.type("78")
        await desk.press("down")
        await desk.type("01.02.2026")
        await desk.press("f9")
        await desk.until(lambda: "Ответ записан" in desk.notice, "recorded")
        await deed(desk, "Печать")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "what to print")
        await desk.press("enter")
        await desk.until(lambda: "на печать" in desk.notice, "printed")
        assert len(list(outbox.iterdir())) == 2
        await desk.press("ctrl+f")
        await desk.until_screen("journal")
        await desk.until(lambda: desk.journal.rows(), "the journal")
        await deed(desk, "Печать")
        await desk.until(lambda: isinstance(desk.app.screen, AskScreen) and "Печать" in desk.text(), "what to print")
        await desk.press("down", "down", "down", "enter")
        await desk.until(lambda: "обращений 1" in desk.notice, "the list")
        (listed,) = [file for file in outbox.iterdir() if file.suffix == ".txt" and "журнал" in file.name]
        lines = listed.read_text(encoding="utf-8").splitlines()
        assert lines[0].startswith("Номер")
        assert lines[1].startswith(str(card.value("number")))


async def test_a_template_of_the_centre_goes_first_and_a_wrong_place_is_named(tmp_path: Path) -> None:
    own = docx.Document()
    own.add_paragraph("Уважаемый {{ кому }}, {{ нет_такого }}")
    own.save(str(tmp_path / "answer.docx"))
    with pytest.raises(Refusal) as refused:
        render(Letter.ANSWER, {"кому": "Иванов <И> & К"}, str(tmp_path))
    assert refused.value.code is Code.LETTER_FAILED
    assert "нет_такого" in refused.value.params["reason"]
    own = docx.Document()
    own.add_paragraph("Уважаемый {{ кому }}")
    own.save(str(tmp_path / "answer.docx"))
    made = docx.Document(io.BytesIO(render(Letter.ANSWER, {"кому": "Иванов <И> & К"}, str(tmp_path))))
    assert made.paragraphs[0].text == "Уважаемый Иванов <И> & К"
    (tmp_path / "answer.docx").write_bytes(b"not a document")
    with pytest.raises(Refusal) as refused:
        render(Letter.ANSWER, {}, str(tmp_path))
    assert refused.value.code is Code.LETTER_FAILED
