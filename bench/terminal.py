"""What the desk costs on the wire and in time at its terminal, with stock Textual beside it in the same run.

`python -m bench.terminal [demo]`: the real desk, or the small one of tests/wire. Prints `name value unit target peer
verdict`, tab-separated. The peer of a letter, of idleness and of the echo is Textual as it comes (driver and field)
in the small desk; the peer of other bytes is what Textual's own driver would have sent in the very same walk, that of
other times the same desk on that driver. Bytes repeat exactly; times depend on the machine.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.peers.pty import PtyDesk
from tests.wire.scenes import DEMO, DESK, Driver, Kind, Scene, Seen, go_to_the_field, shows, sixteen, started, walk
from tests.wire.test_identity import unlike

IDLE_S = 5.0
LETTERS = "абвгдежзиклмнопрстуф"
SERIAL = {"OPERATOR_TUI_TERMINAL_PROFILE": "serial"}
SERIAL_BITS = 9_600
AS_IT_COMES = {"DEMO_FIELDS": "stock"}
STOCK_FIELD = "\n▊  "  # what stands before the first letter in Textual's own field: its border


@dataclass(frozen=True)
class Row:
    """One figure; the target is met when the value is not above it."""

    name: str
    value: float
    unit: str
    target: float
    peer: float | None = None

    @property
    def met(self) -> bool:
        return self.value <= self.target

    def __str__(self) -> str:
        peer = "-" if self.peer is None else f"{self.peer:g}"
        verdict = "met" if self.met else "short"
        return "\t".join([self.name, f"{self.value:g}", self.unit, f"{self.target:g}", peer, verdict])


def typical(name: str, seen: tuple[Seen, ...], kind: Kind, target: float, peer: float) -> Row:
    """The median: on the real desk a light may change while a letter is typed."""
    return Row(name, statistics.median(step.size for step in seen if step.kind == kind), "B", target, peer)


def most(name: str, seen: tuple[Seen, ...], kind: Kind, target: float) -> Row:
    """The dearest act of a kind, and the dearest on Textual's own driver."""
    sizes = [(step.size, step.stock_size) for step in seen if step.kind == kind]
    return Row(name, max(size for size, _ in sizes), "B", target, max(peer for _, peer in sizes))


def type_letters(desk: PtyDesk, before: str, letters: str = LETTERS) -> list[float]:
    """Type letter by letter; seconds from each key to the output that shows it."""
    times = []
    for count, letter in enumerate(letters, 1):
        start = time.monotonic()
        desk.type(letter)
        desk.wait(shows(before + letters[:count]), what=f"the letter {letter}")
        times.append(desk.last_output - start)
    return times


def keys(scene: Scene, driver: Driver) -> tuple[float, float, float]:
    """Milliseconds from key to paint (median and 95th percentile), and of CPU for one key."""
    with started(scene, driver=driver) as desk:
        before = go_to_the_field(scene, desk)
        cpu = desk.cpu_seconds()
        times = type_letters(desk, before)
        desk.wait_quiet()
        cpu = desk.cpu_seconds() - cpu
    late = statistics.quantiles(times, n=20)[-1]
    return 1_000 * statistics.median(times), 1_000 * late, 1_000 * cpu / len(LETTERS)


def textual_letter() -> int:
    """Bytes of a letter in Textual's own field on its own driver."""
    with started(DEMO, driver="stock", env=AS_IT_COMES) as desk:
        desk.type("И")
        desk.wait_text("И")
        desk.wait_quiet()
        return desk.cost(lambda: desk.type("в"), lambda screen: "Ив" in screen)


def idle(scene: Scene, driver: Driver, env: dict[str, str]) -> int:
    """Bytes of a desk that nobody touches."""
    with started(scene, driver=driver, env=env) as desk:
        mark = desk.mark()
        end = time.monotonic() + IDLE_S
        desk.wait(lambda _screen: time.monotonic() >= end, timeout=2 * IDLE_S)
        return len(desk.bytes_since(mark))


def echo(scene: Scene, driver: Driver, env: dict[str, str]) -> float:
    """Milliseconds from key to paint on a line of 9,600 bit/s (median), typing as fast as the echo allows."""
    with started(scene, driver=driver, env=env, bits_per_second=SERIAL_BITS) as desk:
        before = STOCK_FIELD if env == AS_IT_COMES else go_to_the_field(scene, desk)
        return 1_000 * statistics.median(type_letters(desk, before, LETTERS[:8]))


def rows(scene: Scene) -> Iterator[Row]:
    """All figures of a scene."""
    seen = walk(scene, driver="tee")
    in_16 = walk(scene, driver="tee", env=tuple(sixteen(scene).items()))
    wide = walk(scene, driver="tee", rows=40, cols=120)
    letter = textual_letter()
    yield typical("letter_256_bytes", seen, "letter", 40, letter)
    yield typical("letter_16_bytes", in_16, "letter", 12, letter)
    yield most("search_letter_bytes", seen, "search", 1_000)
    yield most("cursor_bytes", seen, "cursor", 12)
    yield most("list_row_bytes", seen, "row", 300)
    yield most("focus_bytes", seen, "focus", 1_700)
    yield most("screen_switch_bytes", seen, "screen", 6_000)
    yield most("screen_switch_16_bytes", in_16, "screen", 5_000)
    yield most("screen_switch_120x40_bytes", wide, "screen", 10_000)
    yield Row("first_paint_bytes", seen[0].size, "B", 5_000, seen[0].stock_size)
    yield Row("first_paint_16_bytes", in_16[0].size, "B", 4_500, in_16[0].stock_size)
    yield Row("idle_bytes", idle(scene, "thin", {}), f"B/{IDLE_S:g}s", 0, textual_idle())
    cells = [cell for walked in (seen, in_16, wide) for step in walked for cell in unlike(step)]
    yield Row("cells_unlike_stock", len(cells), "cells", 0)
    paint, late, cpu = keys(scene, "thin")
    their_paint, their_late, their_cpu = keys(scene, "stock")
    yield Row("key_to_paint_p50_ms", round(paint, 1), "ms", 10, round(their_paint, 1))
    yield Row("key_to_paint_p95_ms", round(late, 1), "ms", 50, round(their_late, 1))
    yield Row("key_cpu_ms", round(cpu, 1), "ms", 8, round(their_cpu, 1))
    serial, their_serial = echo(scene, "thin", sixteen(scene) | SERIAL), echo(DEMO, "stock", AS_IT_COMES)
    yield Row("echo_9600_p50_ms", round(serial, 1), "ms", 60, round(their_serial, 1))


def textual_idle() -> int:
    """Bytes of Textual as it comes, whose cursor blinks."""
    return idle(DEMO, "stock", AS_IT_COMES | {"DEMO_BLINK": "1"})


def told(rows: Iterable[Row]) -> int:
    """Print each as it comes and how many targets are met; the exit code, 1 when one is short."""
    met = []
    for row in rows:
        print(row, flush=True)
        met.append(row.met)
    print(f"{sum(met)} of {len(met)} targets met")
    return 0 if all(met) else 1


def main(arguments: list[str]) -> int:
    """Print all rows; 1 when a target is short."""
    return told(rows(DEMO if "demo" in arguments else DESK))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
