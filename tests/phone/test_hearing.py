"""How a call is heard now, by what the stack has counted since it began."""

from __future__ import annotations

import pytest

baresip = pytest.importorskip("baresip")
pytestmark = pytest.mark.needs("sound")


def test_ten_good_minutes_do_not_hide_a_line_that_breaks_now() -> None:
    from operator_tui.phone.hearing import Hearing

    hearing = Hearing("c1")
    packets = lost = 0
    for _ in range(120):
        packets += 250
        told = hearing.reported(baresip.CallStats(rx_packets=packets, rx_lost=lost, rx_jitter_ms=2.0, rtt_ms=20.0))
    assert (told.loss, told.jitter, told.rtt) == (0.0, 2.0, 20.0)
    assert told.mos > 4.2
    for _ in range(3):
        packets, lost = packets + 225, lost + 25
        told = hearing.reported(baresip.CallStats(rx_packets=packets, rx_lost=lost, rx_jitter_ms=30.0, rtt_ms=20.0))
    assert told.loss == 10.0, "of the last reports, where the whole call has lost two in a thousand"
    assert told.mos < 3.6
    for _ in range(4):
        packets += 250
        told = hearing.reported(baresip.CallStats(rx_packets=packets, rx_lost=lost - 5, rx_jitter_ms=2.0, rtt_ms=20.0))
    assert told.loss == 0.0, "it is good again, and what came late is no loss below nothing"


def test_before_the_first_packet_nothing_is_lost() -> None:
    from operator_tui.phone.hearing import Hearing

    assert Hearing("c1").reported(baresip.CallStats()).loss == 0.0
