"""``python -m operator_tui.registry.taking``: takes one package into a registry, in a process of its own.

The desk starts it, so that a load of millions holds none of its keys up. What is to be done comes as JSON on stdin (the
keys are no arguments), and a refusal goes out as JSON on stdout; nothing on stdout means that it is done.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec

from operator_tui.appeals.errors import Refusal
from operator_tui.registry.packages import Package, take


class Order(msgspec.Struct, frozen=True):
    """What is to be taken where; ``key`` is the registry's own (hex)."""

    file: str
    path: str
    key: str
    package: Package


def main() -> None:
    """Do what stdin says."""
    os.nice(10)
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    try:
        take(Path(order.file), order.package, Path(order.path), bytes.fromhex(order.key))
    except Refusal as refusal:
        sys.stdout.buffer.write(msgspec.json.encode(refusal.wire()))


if __name__ == "__main__":
    main()
