"""A server of today and a desk of the version before: it hears what it knows, and is refused in words when too old."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import zstandard

from central.devices import Device
from central.feed import Feed
from operator_tui.appeals.people import Role
from operator_tui.sync.protocol import SYNC_PATH
from tests.central.desks import Desk, Office

FROZEN: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "sync" / "frozen" / "version1.json").read_text(encoding="utf-8")
)


def said_by(office: Office, desk: Desk, request: dict[str, Any]) -> list[dict[str, Any]]:
    """The frames of an answer, as JSON."""
    headers = {"Authorization": f"Bearer {desk.identity.token}", "Content-Encoding": "zstd"}
    body = zstandard.compress(json.dumps({**request, "d": desk.code}).encode())
    answer = office.client.post(SYNC_PATH, content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    raw = answer.content  # httpx unpacks zstd where it can
    if raw.startswith(zstandard.FRAME_HEADER):
        raw = zstandard.ZstdDecompressor().decompressobj().decompress(raw)
    return [json.loads(line) for line in raw.splitlines()]


def kind_of(frame: dict[str, Any]) -> str:
    return next(name for key, name in (("end", "end"), ("r", "results"), ("q", "event"), ("e", "head")) if key in frame)


def test_a_desk_of_the_version_before_hears_what_it_knows(office: Office) -> None:
    admin = office.desk("Лазарева", Role.ADMINISTRATOR)
    rows = {"courts": {"code": "courts", "title": "Суды", "owner": "fund"}}
    admin.send(admin.operation("reference.set", {"list": "groups", "rows": rows}))
    desk = office.desk("Петрова")
    frames = said_by(office, desk, FROZEN["request"])
    for frame in frames:
        assert set(frame) <= set(FROZEN["frames"][kind_of(frame)]), frame
    assert [kind_of(frame) for frame in frames] == ["head", "results", "event", "end"]
    (outcome,) = frames[1]["r"]
    assert set(outcome) <= set(FROZEN["frames"]["outcome"])
    assert (outcome["s"], frames[2]["s"], list(frames[3]["end"])) == ("applied", "26/tf", ["26/tf"])


def test_its_open_stream_brings_no_more_than_that(office: Office) -> None:
    admin = office.desk("Лазарева", Role.ADMINISTRATOR)
    rows = {"courts": {"code": "courts", "title": "Суды", "owner": "fund"}}
    admin.send(admin.operation("reference.set", {"list": "groups", "rows": rows}))
    for version, streams in ((1, ["26/tf"]), (2, ["26/tf", "26/ref"])):
        feed = Feed(Device(admin.code, admin.identity.operator), {}, "", version)
        feed.look(office.database, office.clock.now_ms())
        assert feed.streams == streams
