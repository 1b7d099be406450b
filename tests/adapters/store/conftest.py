"""The store on both databases: each test of the contract runs on SQLite, and on PostgreSQL where that is asked for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailflow.adapters.store.database import DatabaseStore, connect


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """Where a SQLite database may be made."""
    return f"sqlite:///{tmp_path / 'mailflow.db'}"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.servers)])
def store_url(request: pytest.FixtureRequest) -> str:
    """An empty database of either kind."""
    name = {"sqlite": "sqlite_url", "postgres": "fresh_postgres_database"}[request.param]
    return str(request.getfixturevalue(name))


@pytest.fixture
def store(store_url: str) -> Iterator[DatabaseStore]:
    """A store with its tables. The tables serve one database in a process: the newest store's."""
    built = connect(store_url)
    yield built
    built.disconnect()


@pytest.fixture
def postgres_store(fresh_postgres_database: str) -> Iterator[DatabaseStore]:
    """A store for what only PostgreSQL can do."""
    built = connect(fresh_postgres_database)
    yield built
    built.disconnect()
