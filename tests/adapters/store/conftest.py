"""The store on both databases: each test of the contract runs on SQLite, and on PostgreSQL where that is asked for."""

import shutil
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


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database with its tables, to be copied: making them anew for each test would cost more than the test."""
    path = tmp_path_factory.mktemp("migrated") / "mailflow.db"
    connect(f"sqlite:///{path}").disconnect()
    return path


@pytest.fixture
def store(store_url: str, migrated_sqlite: Path) -> Iterator[DatabaseStore]:
    """A store with its tables. The tables serve one database in a process: the newest store's."""
    if store_url.startswith("sqlite"):
        shutil.copy(migrated_sqlite, store_url.removeprefix("sqlite:///"))
    built = connect(store_url)
    yield built
    built.disconnect()


@pytest.fixture
def postgres_store(fresh_postgres_database: str) -> Iterator[DatabaseStore]:
    """A store for what only PostgreSQL can do."""
    built = connect(fresh_postgres_database)
    yield built
    built.disconnect()
