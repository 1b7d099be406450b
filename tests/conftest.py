"""The PostgreSQL that the store's contract and the servers' own tests share, once a run."""

from collections.abc import Iterator

import pytest

from tests.servers.absent import or_absent
from tests.servers.postgres import Postgres, running_postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL without a password."""
    with or_absent(), running_postgres() as server:
        yield server


@pytest.fixture
def fresh_postgres_database(postgres: Postgres) -> Iterator[str]:
    """The address of a new empty database, gone after the test."""
    url = postgres.create_database()
    yield url
    postgres.drop_database(url)
