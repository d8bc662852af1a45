"""A new desk far behind takes the appeals as they stand from a real server, also over a line that breaks off."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from operator_tui.appeals.draft import draft_of, new_draft
from operator_tui.appeals.errors import Code, Refusal
from operator_tui.journal.journal import Journal
from operator_tui.profiles import Profile
from operator_tui.sync import snapshot
from operator_tui.sync.enrol import enrol
from operator_tui.sync.link import Link
from operator_tui.sync.sender import ServerLight
from operator_tui.sync.settings import CentralSettings
from tests.peers.central import CentralServer
from tests.sync.conftest import until
from tests.sync.test_end_to_end import FIELDS, sending

COUNT = 60


class Cut(Link):
    """A line that breaks off in the first piece of a snapshot, so many times."""

    cuts = 2
    starts: list[int]

    @asynccontextmanager
    async def tagged(self, path: str, *, token: str = "", start: int = 0, tag: str = "") -> AsyncIterator[Any]:
        self.starts.append(start)
        async with super().tagged(path, token=token, start=start, tag=tag) as (first, found, chunks):
            yield first, found, self._cut(chunks) if self.cuts > 0 else chunks

    async def _cut(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        self.cuts -= 1
        async for chunk in chunks:
            yield chunk[:500]
            raise Refusal(Code.SERVER_AWAY)


def _watched(real: Callable[..., Any], seen: set[threading.Thread]) -> Callable[..., Any]:
    def watched(*given: Any) -> Any:
        seen.add(threading.current_thread())
        return real(*given)

    return watched


def _threads_of(monkeypatch: pytest.MonkeyPatch, *names: str) -> dict[str, set[threading.Thread]]:
    """In which threads these are called, for a content of any size."""
    seen: dict[str, set[threading.Thread]] = {}
    monkeypatch.setattr(snapshot, "_SMALL", 0)
    for name in names:
        monkeypatch.setattr(snapshot, name, _watched(getattr(snapshot, name), seen.setdefault(name, set())))
    return seen


async def test_a_new_desk_takes_a_snapshot_and_goes_on_behind_it(
    profile: Profile, open_journal: Callable[[str], Journal], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "FAR_BEHIND", 5)
    monkeypatch.setattr(snapshot, "_WAIT_S", 0.01)
    aside = _threads_of(monkeypatch, "_digest", "_cards")
    with CentralServer(profile.central_socket) as server:
        first, second = open_journal("one"), open_journal("two")
        link = Link(CentralSettings(), socket=profile.central_socket)
        first.enrol(await enrol(link, server.enrolment_code("Петрова Анна")))
        async with sending(first, link) as sender:
            cards = [first.save(new_draft(fields={**FIELDS, "text": f"вопрос {place}"})).id for place in range(COUNT)]
            sender.kick()
            await until(lambda: sender.state.light is ServerLight.ON and first.unsent() == 0)
            other = Cut(CentralSettings(), socket=profile.central_socket)
            other.starts = []
            second.enrol(await enrol(other, server.enrolment_code("Смирнов Олег")))
            own = second.save(new_draft(fields=FIELDS))
            async with sending(second, other) as catching:
                await until(lambda: second.cursors().get("26/tf", 0) > COUNT and not second.taking_snapshot)
                assert other.starts[0] == 0
                assert 0 < other.starts[1] <= other.starts[2], "it goes on where it was"
                assert second.unsent() == 0, "an operation waits for no snapshot"
                assert {card.id for card in second.active()} == {own.id, *cards}
                await until(lambda: all(second.card(id_) == first.card(id_) for id_ in cards))
                card = first.card(cards[-1])
                assert card is not None
                draft = draft_of(card)
                draft.fields["address"] = "Ставрополь"
                first.save(draft)
                sender.kick()
                await until(lambda: (found := second.card(cards[-1])) is not None and found.value("address") != "")
                await until(lambda: catching.state.light is ServerLight.ON)
    assert all(threads and threading.current_thread() not in threads for threads in aside.values())
    read = [entry.op for entry in second.timeline(cards[-1])]
    assert len(read) == 1, "what was before the snapshot was not paged"
