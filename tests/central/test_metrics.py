"""What Prometheus is told, to whom, and what it is never told."""

from __future__ import annotations

import re

import pytest

from central.metrics import Metrics
from tests.central.desks import Office


def test_figures_of_what_happened_and_nobody_in_them(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = office.desk("Петрова Тайная")
    desk.send(desk.new_card(surname="Тайная"), desk.operation("card.set", card="нет:1"))
    text = office.client.get("/v1/metrics", headers={"host": "centre"}).text
    assert '"right_missing"' in text, "the test's client is another machine"
    monkeypatch.setattr("central.api.metrics._here", lambda request: True)
    text = office.client.get("/v1/metrics").text
    assert "operator_tui_central_database_up 1" in text
    assert re.search(r"^operator_tui_central_events_stored [1-9]", text, re.MULTILINE)
    assert "operator_tui_central_desks_active 1" in text
    assert 'request_seconds_count{path="/v1/sync"}' in text
    assert "Тайная" not in text
    assert desk.code not in text


def test_the_format(office: Office) -> None:
    metrics = Metrics()
    metrics.said("refused", {"path": "/v1/sync", "status": 401, "code": 'a"\n', "refused": 2})
    metrics.answered("/v1/sync", 0.03)
    metrics.answered("/v1/sync", 60)
    lines = metrics.text({"open_streams": 3}).splitlines()
    assert (
        'operator_tui_central_log_lines_total{event="refused",code="a\\"\\n",path="/v1/sync",status="401"} 1' in lines
    )
    assert "operator_tui_central_refused_total 2" in lines
    assert 'operator_tui_central_request_seconds_bucket{path="/v1/sync",le="0.05"} 1' in lines
    assert 'operator_tui_central_request_seconds_bucket{path="/v1/sync",le="+Inf"} 2' in lines
    assert "operator_tui_central_open_streams 3" in lines
