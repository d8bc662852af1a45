"""The packaged reference data is what the rules are tested on."""

from __future__ import annotations

import pytest

from operator_tui.appeals.catalogue import Catalogue
from operator_tui.reference import packaged_catalogue
from tests.appeals.making import Bench


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return packaged_catalogue()


@pytest.fixture
def bench(catalogue: Catalogue) -> Bench:
    return Bench(catalogue)
