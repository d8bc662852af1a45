"""The kernel's keyring: kept for its time, read by a process started anew, gone when told."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from operator_tui.secrets import kernel

NAME = "test-of-the-kernel"


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    yield
    kernel.drop(NAME)


def _kept() -> None:
    if not kernel.put(NAME, b"s" * 48, 600):
        pytest.skip("this kernel, or the filter of this container, keeps no keys")


def test_another_process_of_the_user_reads_it_until_it_is_dropped() -> None:
    _kept()
    assert kernel.get(NAME) == b"s" * 48
    code = f"from operator_tui.secrets import kernel; print(kernel.get({NAME!r})); kernel.drop({NAME!r})"
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert told.stdout.strip() == repr(b"s" * 48)
    assert kernel.get(NAME) is None


def test_a_second_secret_takes_the_place_of_the_first() -> None:
    _kept()
    assert kernel.put(NAME, b"t", 600)
    assert kernel.get(NAME) == b"t"


def test_it_is_gone_after_its_time() -> None:
    _kept()
    assert kernel.put(NAME, b"t", 1)
    from time import monotonic, sleep

    deadline = monotonic() + 10
    late = False  # looked at before the key is: whoever was kept from the processor looks once more
    while kernel.get(NAME) is not None:
        assert not late
        late = monotonic() > deadline
        sleep(0.05)


def test_a_kernel_without_keyrings_keeps_nothing_and_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "_calls", lambda: None)
    assert kernel.put(NAME, b"t", 60) is False
    assert kernel.get(NAME) is None
    kernel.drop(NAME)
