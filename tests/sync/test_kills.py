"""Desk, server and PostgreSQL killed in turn, as real processes: every card that was said to be saved is there once."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from bench.sync_kills import play
from tests.peers.postgres import Postgres

ROUNDS = 9


@pytest.mark.needs("postgresql")
def test_every_saved_card_is_there_once(tmp_path: Path) -> None:
    # A server of its own: others' databases are none of this.
    with tempfile.TemporaryDirectory(prefix="ot-pg-") as folder:
        server = Postgres(Path(folder), durable=True)
        server.start()
        try:
            found = play(tmp_path, server, ROUNDS, seed=1)
        finally:
            server.kill()
    assert found.good, found
    assert found.cards > ROUNDS
