"""Two databases of PostgreSQL, each empty: of the server, and of one that a region goes to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from central.store.database import Database
from tests.peers.postgres import Postgres
from tests.peers.tables import postgres_of


@pytest.fixture
def database(postgres: Postgres) -> Iterator[Database]:
    opened = Database.postgres(postgres_of(postgres))
    yield opened
    opened.close()


@pytest.fixture
def elsewhere(postgres: Postgres) -> Iterator[Database]:
    """The database of a server of its own."""
    opened = Database.postgres(postgres_of(postgres))
    yield opened
    opened.close()
