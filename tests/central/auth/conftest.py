"""Cheap passwords: these tests are not about the price of a guess (test_passwords is)."""

from __future__ import annotations

import pytest

from central.auth import passwords


@pytest.fixture(autouse=True)
def _cheap(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "test_passwords" not in request.module.__name__:
        monkeypatch.setattr(passwords, "_MEMORY_KIB", 64)
        monkeypatch.setattr(passwords, "_PASSES", 1)
        monkeypatch.setattr(passwords, "_LANES", 1)
    passwords._nobody.cache_clear()
