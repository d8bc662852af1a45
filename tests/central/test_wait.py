"""The long poll: an answer that would tell nothing is held until there is something."""

from __future__ import annotations

import json
import threading
import time

import httpx
import pytest

from operator_tui.sync.packing import pack
from operator_tui.sync.protocol import SyncRequest
from tests.central.desks import Desk, Office
from tests.timing import tell_if_slow


def test_a_waiting_desk_hears_of_a_new_card_at_once(office: Office, desk: Desk) -> None:
    other = office.desk("Другая")
    heard: list[float] = []

    def wait() -> None:
        assert [event.k for event in other.send(wait=20).events] == ["card.new"]
        heard.append(time.monotonic())

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.3)  # the request is under way
    assert heard == []
    # The manual clock stands still: only a bell can end the wait.
    desk.send(desk.new_card())
    done = time.monotonic()
    thread.join(60)
    assert heard
    tell_if_slow("news for a held request", heard[0] - done, 1.5)


def test_what_is_there_already_is_not_waited_for(office: Office, desk: Desk) -> None:
    desk.send(desk.new_card())
    before = time.monotonic()
    assert office.desk("Другая").send(wait=20).events
    assert desk.send(desk.new_card(), wait=20).states == ["applied"]
    assert time.monotonic() - before < 20, "neither was held"


@pytest.mark.parametrize("wait", [-1, 0, 0.0])
def test_no_wait_is_no_wait(desk: Desk, wait: float) -> None:
    assert desk.send(wait=wait).status == 200


def test_an_answer_can_be_read_by_any_http_client(office: Office, desk: Desk) -> None:
    """httpx unpacks zstd by itself: a plain client sees JSON lines."""
    body = pack(SyncRequest(v=1, d=desk.code))
    headers = {"Authorization": f"Bearer {desk.identity.token}", "Content-Encoding": "zstd"}
    answer: httpx.Response = office.client.post("/v1/sync", content=body, headers=headers)
    head, end = answer.text.splitlines()
    assert (json.loads(head)["next"], json.loads(end)["more"]) == (1, False)
