"""A talk recorded and a paper attached at one desk, listened to and opened by an administrator at another."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from central.files import FOLDER_VARIABLE
from central.store import tables as t
from central.voicemail import Collector
from central.voicemail import Office as Group
from operator_tui.appeals.calendar import Country, OfficeHours, WorkingCalendar
from operator_tui.appeals.card import Card
from operator_tui.appeals.catalogue import AppealType
from operator_tui.appeals.clock import SystemClock
from operator_tui.appeals.draft import new_draft
from operator_tui.appeals.operations import Kind
from operator_tui.appeals.people import Role
from operator_tui.desk.files import CardFile, Way
from operator_tui.journal.journal import Journal
from operator_tui.phone.recording import wav_header
from operator_tui.phone.tones import tone
from operator_tui.profiles import open_profile
from operator_tui.reference import packaged_catalogue
from operator_tui.secrets.address import FileKind
from operator_tui.secrets.running import RunningFile
from screens.ask import AskScreen
from screens.files import FilesScreen, PlayerScreen, way_words
from screens.promises import PromisesScreen
from tests.peers.tones import strength
from tests.screens.live import Office, OpenLive, keyring_as_it_was, office, open_live, take_the_seat
from tests.screens.page import DeskPage, List

__all__ = ["keyring_as_it_was", "office", "open_live"]

THEME = packaged_catalogue().themes_of(AppealType.CONSULTATION)[0]
FIELDS = {"type": THEME.type.value, "theme": THEME.code, "phone": "+7 8652 000001"}
RATE = 8000
ALWAYS = {"papers": "always", "recordings": "always"}


def talk() -> bytes:
    left, right = tone(440, RATE, 20.0), tone(1000, RATE, 20.0)
    sides = b"".join(left[at : at + 2] + right[at : at + 2] for at in range(0, len(left), 2))
    return wav_header(RATE) + sides


async def recorded(desk: DeskPage, call: str) -> None:
    """The engine has recorded that call, sealed for the fund."""
    folder = desk.desk.profile.recordings
    folder.mkdir(parents=True, exist_ok=True)
    address = await desk.desk.run_journal(desk.desk.keys.fund_address, FileKind.RECORDING)
    assert len(address) == 64, "for the fund, and not for this desk"
    file = RunningFile(folder / f"{call}.otr", address)
    file.write(talk())
    about = {"call": call, "file": f"{call}.otr", "sha256": file.close(), "size": file.size, "ms": 20_000}
    await desk.desk.on_journal(lambda journal: journal.record(Kind.CALL_RECORDED, about))
    await desk.desk.refresh_journal()


async def of(desk: DeskPage, card: Card) -> list[CardFile]:
    return await desk.desk.files.of(card)


async def opened(desk: DeskPage, row: int, number: str) -> None:
    """By the key, the row and the purpose's number."""
    await desk.press("shift+f11")
    await desk.until(lambda: isinstance(desk.app.screen, FilesScreen), "the files")
    for _ in range(row):
        await desk.press("down")
    await desk.press("enter")
    await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "the purpose is asked")
    await desk.type(number)
    await desk.press("enter")


def audited(office: Office) -> list[tuple[str, str]]:
    with office.database.read() as connection:
        rows = connection.execute(sa.select(t.audit.c.action, t.audit.c.detail)).all()
    return [
        (row.action, row.detail)
        for row in rows
        if row.action.partition(".")[0] in ("recording", "attachment", "voice_mail")
    ]


async def test_a_recording_and_a_paper_go_to_the_server_and_are_opened_for_a_logged_purpose(
    office: Office, open_live: OpenLive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(open_profile("demo").data / "central-files"))  # the collector's
    code = office.hire("petrova", Role.OPERATOR_2)
    boss = office.hire("orlova", Role.ADMINISTRATOR, groups=["policy"])
    paper_file = tmp_path / "жалоба.txt"
    paper_file.write_text("Прошу разобраться.", encoding="utf-8")
    async with open_live(files=ALWAYS) as desk:
        await take_the_seat(desk, code)
        await desk.until(lambda: desk.desk.state.lights.server.value == "on", "the server")

        def save(journal: Journal) -> Card:
            return journal.save(new_draft(call="c1", fields={**FIELDS, "surname": "Тестова"}))

        card = await desk.desk.on_journal(save)
        await desk.desk.card.edit(card.id)
        await desk.desk.papers.attach(paper_file, "12/3", "2026-01-20")
        await recorded(desk, "c1")
        assert desk.desk.state.lights.files > 0, "unsent files count"
        desk.desk.parts.kick()
        await desk.until(lambda: desk.desk.state.lights.files == 0, "both went")
        card = await desk.desk.on_journal(lambda journal: journal.card(card.id))
        assert card is not None
        assert [(one.way, way_words(one)) for one in await of(desk, card)] == [(Way.THERE, "на сервере")] * 2
        desk.desk.parts.kick()
        await desk.until(lambda: desk.desk.state.lights.unsent == 0, "all went")
    speak, heard = tmp_path / "speak.wav", tmp_path / "heard.wav"
    _write_mono(speak, tone(100, RATE, 0.1))
    ear = {"sound": "wav", "input_device": str(speak), "output_device": str(heard)}
    async with open_live(at="tfoms26b", phone=ear) as desk:
        await take_the_seat(desk, boss)
        await desk.until(lambda: bool(desk.desk.state.counts) and sum(desk.desk.state.counts.values()) == 1, "the card")
        await desk.until(lambda: len(List(desk, "#journal").rows()) == 1, "its row")
        await opened(desk, 1, "2")
        await desk.until(lambda: isinstance(desk.app.screen, PlayerScreen), "the player")
        await desk.until(lambda: "0:0" in desk.line("#place") and "/ 0:20" in desk.line("#place"), "it plays")
        await desk.press("up")
        await desk.until(lambda: "1,25" in desk.line("#place"), "faster")
        await desk.press("space")
        await desk.until(lambda: "пауза" in desk.line("#place"), "paused")
        await desk.press("escape")
        await desk.until(lambda: not isinstance(desk.app.screen, PlayerScreen), "ended")
        pcm = heard.read_bytes()[44:]
        assert min(strength(pcm[: RATE * 2], RATE, 440), strength(pcm[: RATE * 2], RATE, 1000)) > 500, "both sides"
        await opened(desk, 0, "1")
        await desk.until(lambda: "Прошу разобраться." in desk.text(), "the paper")
        await desk.press("escape")
        found = audited(office)
        assert [action for action, _ in found] == ["recording.opened", "attachment.opened"]
        assert [msgspec.json.decode(detail)["purpose"] for _, detail in found] == ["quality", "appeal"]
        _nothing_plain(desk)
        await a_night_message_is_heard(desk, office, tmp_path)
        assert [action for action, _ in audited(office)][2:] == ["voice_mail.opened"]


async def a_night_message_is_heard(desk: DeskPage, office: Office, tmp_path: Path) -> None:
    """It comes by the collector beside the server, and stands in the list of promises."""
    spool = tmp_path / "spool"
    spool.mkdir()
    key = f"{office.now() // 1000 - 60}-1700000000.1"
    (spool / f"{key}.txt").write_text("caller=+78652000077\nended=1\n")
    _write_mono(spool / f"{key}.wav", tone(600, RATE, 9.0))

    def collect() -> int:
        group = Group("26/tf", "policy", "Europe/Moscow", WorkingCalendar(Country.RUSSIA), OfficeHours())
        return Collector(office.database, spool, group, packaged_catalogue(), SystemClock()).collect()

    assert await asyncio.to_thread(collect) == 1
    await desk.until(lambda: sum(desk.desk.state.counts.values()) == 2, "the message's appeal")
    await desk.press("alt+p")
    await desk.until(lambda: isinstance(desk.app.screen, PromisesScreen), "the promises")
    await desk.press("f6")
    await desk.until(lambda: isinstance(desk.app.screen, AskScreen), "the purpose is asked")
    await desk.press("enter")
    await desk.until(lambda: isinstance(desk.app.screen, PlayerScreen), "the player")
    await desk.until(lambda: "/ 0:09" in desk.line("#place"), "the message is heard")
    await desk.press("escape")
    await desk.until(lambda: not isinstance(desk.app.screen, PlayerScreen), "ended")
    await desk.press("alt+p")
    await desk.until(lambda: isinstance(desk.app.screen, PromisesScreen), "the promises again")
    await desk.press("f5")
    await desk.until(lambda: "Взять" in desk.notice, "it is his own")
    (own,) = [card for card in await desk.desk.active() if card.value("group") == "policy"]
    assert own.worker == desk.desk.state.operator.user if desk.desk.state.operator else False


def _nothing_plain(desk: DeskPage) -> None:
    """Neither talk nor paper lies anywhere in the folders of the profile."""
    profile = desk.desk.profile
    for folder in (profile.data, profile.state, profile.runtime):
        for file in folder.rglob("*"):
            if file.is_file():
                content = file.read_bytes()
                assert "Прошу разобраться".encode() not in content
                assert talk()[44:444] not in content


def _write_mono(path: Path, pcm: bytes) -> None:
    import wave

    with wave.open(str(path), "wb") as sound:
        sound.setparams((1, 2, RATE, 0, "NONE", ""))
        sound.writeframes(pcm)
