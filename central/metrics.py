"""Figures of this server process in Prometheus' text format (exposition format 0.0.4).

They are taken where the log is written (central/log.py): every kind of line is counted, and so are its numbers. What
cannot be logged cannot be measured either, so no name, number or text of an appeal is ever in a figure.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Mapping

CONTENT_TYPE = "text/plain; version=0.0.4"
_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_PREFIX = "operator_tui_central"
_SUMMED = ("taken", "refused", "sent")
_LABELS = ("code", "path", "status")


class Metrics:
    """One for each process; any thread may count."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines: Counter[tuple[str, ...]] = Counter()
        self._sums: Counter[str] = Counter()
        self._times: dict[str, list[int]] = defaultdict(lambda: [0] * (len(_BOUNDS) + 1))
        self._seconds: Counter[str] = Counter()

    def said(self, event: str, fields: Mapping[str, str | int | float]) -> None:
        """A line of the log."""
        with self._lock:
            self._lines[event, *(str(fields.get(label, "")) for label in _LABELS)] += 1
            for name in _SUMMED:
                self._sums[name] += int(fields.get(name, 0))

    def answered(self, path: str, seconds: float) -> None:
        """A request was answered."""
        with self._lock:
            self._times[path][bisect_left(_BOUNDS, seconds)] += 1
            self._seconds[path] += seconds  # type: ignore[assignment]  # a Counter of fractions adds just as well

    def text(self, gauges: Mapping[str, float]) -> str:
        """Everything, with ``gauges`` of the moment by name."""
        with self._lock:
            lines = [f"# TYPE {_PREFIX}_log_lines_total counter"]
            for (event, *values), count in sorted(self._lines.items()):
                labels = {"event": event, **dict(zip(_LABELS, values, strict=True))}
                lines.append(f"{_PREFIX}_log_lines_total{braces(labels)} {count}")
            for name in _SUMMED:
                lines.append(f"# TYPE {_PREFIX}_{name}_total counter")
                lines.append(f"{_PREFIX}_{name}_total {self._sums[name]}")
            lines.append(f"# TYPE {_PREFIX}_request_seconds histogram")
            for path, counts in sorted(self._times.items()):
                lines += self._histogram(path, counts)
        for name, value in sorted(gauges.items()):
            lines += [f"# TYPE {_PREFIX}_{name} gauge", f"{_PREFIX}_{name} {value:g}"]
        return "\n".join(lines) + "\n"

    def _histogram(self, path: str, counts: list[int]) -> list[str]:
        name = f"{_PREFIX}_request_seconds"
        lines, total = [], 0
        for bound, count in zip((*map(str, _BOUNDS), "+Inf"), counts, strict=True):
            total += count
            lines.append(f"{name}_bucket{braces({'path': path, 'le': bound})} {total}")
        where = braces({"path": path})
        return [*lines, f"{name}_sum{where} {self._seconds[path]:.6f}", f"{name}_count{where} {total}"]


def braces(labels: Mapping[str, str]) -> str:
    """Labels as they stand behind a figure's name; empty ones are left out."""
    quoted = (f'{name}="{_escaped(value)}"' for name, value in labels.items() if value)
    return "{" + ",".join(quoted) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


METRICS = Metrics()
