"""How well a call is heard now: of its last reports, not of the whole call. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from baresip import CallStats

from operator_tui.phone.line import CallId, Quality

_REPORTS = 3  # some fifteen seconds (RFC 3550 6.2): a talk of ten good minutes must not hide that it breaks now


class Hearing:
    """Of one call: the stack's totals become what the last reports say."""

    def __init__(self, call: CallId) -> None:
        self._call = call
        self._totals: deque[tuple[int, int]] = deque([(0, 0)], maxlen=_REPORTS)

    def reported(self, stats: CallStats) -> Quality:
        """``mos`` by the stack's simplified E-model (ITU-T G.107) of these reports' loss and of the delays now."""
        packets, lost = self._totals[0]
        # A late copy can make the total of the lost smaller.
        recent = replace(stats, rx_packets=max(0, stats.rx_packets - packets), rx_lost=max(0, stats.rx_lost - lost))
        self._totals.append((stats.rx_packets, stats.rx_lost))
        expected = recent.rx_packets + recent.rx_lost
        return Quality(
            self._call,
            mos=round(recent.mos_estimate, 2),
            loss=round(100 * recent.rx_lost / max(1, expected), 2),
            jitter=stats.rx_jitter_ms,
            rtt=stats.rtt_ms,
        )
