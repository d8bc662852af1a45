"""A desk of today and a server of the version before: they go on by what both know."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zstandard

from operator_tui.appeals.errors import Code, Refusal
from operator_tui.appeals.operations import Kind
from operator_tui.journal.journal import Journal
from operator_tui.sentences import sentence
from operator_tui.sync.packing import unpack
from operator_tui.sync.protocol import SPOKEN_VERSIONS, SYNC_VERSION, SyncRequest
from operator_tui.sync.sender import ServerLight
from tests.journal.making import identity
from tests.sync.test_sender import light, sender_of

FROZEN: dict[str, Any] = json.loads((Path(__file__).parent / "frozen" / "version1.json").read_text(encoding="utf-8"))


class ServerOfVersionOne:
    """Answers as a server of version 1 did, and refuses every other."""

    def __init__(self, *, spoken: tuple[int, ...] = (1,)) -> None:
        self.spoken = spoken
        self.heard: list[SyncRequest] = []

    @asynccontextmanager
    async def post(
        self, path: str, body: bytes, *, token: str = "", packed: bool = True
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        asked = msgspec.json.decode(unpack(body), type=SyncRequest)
        self.heard.append(asked)
        if asked.v not in self.spoken:
            raise Refusal(Code.PROTOCOL_VERSION, got=asked.v, spoken=list(self.spoken))
        yield self._chunks()

    async def _chunks(self) -> AsyncIterator[bytes]:
        yield zstandard.compress("".join(f"{line}\n" for line in FROZEN["answer"]).encode())


@pytest.fixture
def journal(open_journal: Callable[[str], Journal]) -> Journal:
    opened = open_journal("journal")
    opened.enrol(identity())
    opened.record(Kind.SHIFT_BEGUN, {})
    return opened


def test_the_version_and_the_one_before_are_spoken() -> None:
    assert {SYNC_VERSION, SYNC_VERSION - 1} == SPOKEN_VERSIONS


async def test_a_desk_goes_on_with_a_server_of_the_version_before(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = ServerOfVersionOne()
    sender = sender_of(journal, server)
    sender._asking.dictionary = False  # the frozen answer is plain
    await sender.round()
    assert light(sender) == (ServerLight.ON, None)
    assert [asked.v for asked in server.heard[:2]] == [SYNC_VERSION, 1]
    assert {asked.v for asked in server.heard[1:]} == {1}, "it is not asked in vain again"
    assert journal.unsent() == 0
    card = journal.card("zzzzzz:7")
    assert card is not None
    assert (card.value("phone"), journal.cursors()) == ("+78652000002", {"26/tf": 1})


async def test_a_server_that_knows_none_of_ours_is_told_in_a_sentence(journal: Journal) -> None:
    sender = sender_of(journal, ServerOfVersionOne(spoken=(SYNC_VERSION + 1, SYNC_VERSION + 2)))
    sender._asking.dictionary = False
    await sender.round()
    assert light(sender) == (ServerLight.TROUBLE, Code.PROTOCOL_VERSION)
    assert sender.state.refusal is not None
    assert "Обновите программу" in sentence(sender.state.refusal)
    assert journal.unsent() == 1, "what waits is kept"
