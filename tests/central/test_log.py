"""Names, telephones and texts of people never get into the log, whatever goes wrong."""

from __future__ import annotations

import io
import json
import logging
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from central.app import create_app
from central.log import alarm, log, open_log
from central.store.database import Database
from operator_tui.appeals.catalogue import Catalogue
from operator_tui.appeals.clock import ManualClock
from tests.central.desks import Office

PLANTED = ["Абрамовоград", "Елизаветиния", "+7 8652 012345", "2612345678990123", "набранный оператором текст"]


class _Breaks(Catalogue):
    """Reference data that fails with a person's words in its mouth."""

    def __init__(self) -> None:
        super().__init__([], [], [], "")

    def theme(self, code: str) -> Any:
        raise RuntimeError(f"cannot find {PLANTED[0]}")


@pytest.fixture
def lines(tmp_path: Path) -> Iterator[Callable[[], str]]:
    file = tmp_path / "central.log"
    open_log(file)
    yield lambda: file.read_text(encoding="utf-8")
    open_log(None)


def test_no_planted_person_is_found(
    database: Database, clock: ManualClock, lines: Callable[[], str], caplog: pytest.LogCaptureFixture
) -> None:
    fields = {"surname": PLANTED[0], "name": PLANTED[1], "phone": PLANTED[2], "enp": PLANTED[3], "text": PLANTED[4]}
    with TestClient(create_app(database, clock=clock, catalogue=_Breaks()), raise_server_exceptions=False) as client:
        desk = Office(database, client, clock).desk(PLANTED[1])
        answer = desk.send(desk.new_card(**fields), desk.operation("shift.ended"))
        assert answer.states == ["rejected", "applied"], "a mistake of the rules costs one operation, not the queue"
        assert (answer.outcomes[0].w, answer.outcomes[0].p) == ("server_refused", {"reason": "RuntimeError"})
        desk.post(PLANTED[4].encode())
        client.get(f"/v1/{PLANTED[0]}?phone={PLANTED[2]}")
        client.get(f"/{PLANTED[0]}")
        client.post("/v1/enroll", json={"v": 1, "code": PLANTED[0]})
    text = lines() + caplog.text
    assert "RuntimeError" in text
    for planted in PLANTED:
        assert planted not in text
        assert json.dumps(planted)[1:-1] not in text
    for line in lines().splitlines():
        assert {"at", "event"} <= json.loads(line).keys()


def test_a_failing_database_says_nothing_of_what_it_failed_on(
    database: Database, clock: ManualClock, lines: Callable[[], str], caplog: pytest.LogCaptureFixture
) -> None:
    with TestClient(create_app(database, clock=clock), raise_server_exceptions=False) as client:
        desk = Office(database, client, clock).desk(PLANTED[1])
        database.write(lambda connection: connection.exec_driver_sql("DROP TABLE event_body"))
        assert desk.send(desk.new_card(text=PLANTED[4])).status == 500
        assert (
            database.write(lambda connection: connection.exec_driver_sql("SELECT count(*) FROM op_log").scalar()) == 0
        )
    assert '"event": "failed"' in lines()
    for planted in PLANTED:
        assert planted not in lines() + caplog.text


def test_a_field_that_is_not_listed_cannot_be_logged() -> None:
    with pytest.raises(ValueError, match="surname"):
        log("pushed", surname=PLANTED[0])


def test_the_journal_finds_by_priority_what_somebody_has_to_look_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    logger = logging.getLogger("operator_tui.central")

    def lines() -> list[str]:
        open_log(None)
        (handler,) = logger.handlers
        assert isinstance(handler, logging.StreamHandler)
        handler.setStream(io.StringIO())
        log("collected", taken=1)
        alarm("chain broken", stream="26/tf", seq=2, expected="00", seen="")
        return handler.stream.getvalue().splitlines()

    plain = lines()
    assert [json.loads(said)["level"] for said in plain] == ["info", "error"]
    stands = os.fstat(2)
    monkeypatch.setenv("JOURNAL_STREAM", f"{stands.st_dev}:{stands.st_ino}")
    told = [re.match(r"<(.)>(.*)", said) for said in lines()]
    assert [found[1] for found in told if found] == ["6", "3"]
    broke = json.loads(told[1][2] if told[1] else "")
    assert {name: broke[name] for name in ("event", "stream", "seq", "expected", "seen")} == {
        "event": "chain broken", "stream": "26/tf", "seq": 2, "expected": "00", "seen": "",
    }  # fmt: skip
    monkeypatch.setenv("JOURNAL_STREAM", "1:1")  # the journal's once, and redirected since
    assert not lines()[0].startswith("<")
    open_log(None)
