"""A figure of a bench as it is printed, with its target and the peer beside it."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One figure. ``least``: the target is a least value, not a greatest; without a target nothing is judged."""

    name: str
    value: float
    unit: str
    target: float | None = None
    peer: float | None = None
    least: bool = False

    @property
    def met(self) -> bool:
        if self.target is None:
            return True
        return self.value >= self.target if self.least else self.value <= self.target

    def __str__(self) -> str:
        target = "-" if self.target is None else f"{'>=' if self.least else '<='}{self.target:g}"
        peer = "-" if self.peer is None else f"{self.peer:g}"
        verdict = "-" if self.target is None else "met" if self.met else "short"
        return "\t".join([self.name, f"{self.value:.4g}", self.unit, target, peer, verdict])


def percentile(values: list[float], share: float) -> float:
    """Nearest rank."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def say(what: str) -> None:
    """Progress, for the person who waits."""
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)


def resident_mb() -> float:
    """Resident memory of this process."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024
