"""The cluster of deploy/cluster loses its primary while desks work (bench.failover does it five times)."""

from __future__ import annotations

import pytest

from bench.failover import rehearse
from tests.peers.patroni import Cluster


@pytest.mark.needs("patroni", "postgresql")
def test_what_was_acknowledged_outlives_the_primary(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "XDG_DATA_HOME",
        "XDG_CONFIG_HOME",
        "XDG_STATE_HOME",
        "XDG_CACHE_HOME",
        "XDG_RUNTIME_DIR",
        "PGPASSFILE",
    ):
        monkeypatch.setenv(name, "")  # rehearse sets them; here they are put back
    asked: list[int] = []
    real = Cluster.lose

    def lose(cluster: Cluster, number: int) -> None:
        if not asked:
            asked.append(cluster.told_by_a_stranger(number, "restart"))
        real(cluster, number)

    monkeypatch.setattr(Cluster, "lose", lose)
    found = rehearse(1)
    assert asked == [401], "nobody restarts a node without its password"
    assert (len(found.gaps), found.lost, found.doubled, found.refused) == (1, 0, 0, 0)
    assert found.acknowledged > 40, "before the loss and behind it"
    assert found.not_durable == 0, "what the synchronous standby has on its disk is told as durable"
