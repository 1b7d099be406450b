"""The test PostgreSQL answers, and every test that asks for one gets an empty database of its own."""

import importlib
from types import ModuleType

import pytest

from tests.servers.postgres import Postgres

pytestmark = pytest.mark.servers


@pytest.fixture
def psycopg() -> ModuleType:
    """The client, imported only when a test runs: `make test` collects this module where it is not installed."""
    return importlib.import_module("psycopg")


def test_it_answers(psycopg: ModuleType, postgres: Postgres) -> None:
    """The shared database can be asked, and speaks UTF-8."""
    with psycopg.connect(postgres.url) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
        assert connection.execute("show server_encoding").fetchone() == ("UTF8",)


@pytest.mark.parametrize("turn", [1, 2])
def test_a_fresh_database_is_empty(psycopg: ModuleType, fresh_postgres_database: str, turn: int) -> None:
    """What one test leaves behind, another never finds; an open connection does not keep the database alive."""
    connection = psycopg.connect(fresh_postgres_database)
    try:
        connection.execute("create table trace (turn integer)")
        connection.execute("insert into trace values (%s)", [turn])
        assert connection.execute("select turn from trace").fetchall() == [(turn,)]
        connection.commit()
    finally:
        connection.close()


def test_a_stopped_server_comes_back_with_its_data(
    psycopg: ModuleType, postgres: Postgres, fresh_postgres_database: str
) -> None:
    """A test may restart the server under its connections and finds what was committed."""
    with psycopg.connect(fresh_postgres_database) as connection:
        connection.execute("create table kept (word text)")
    with psycopg.connect(fresh_postgres_database, autocommit=True) as connection:
        postgres.daemon.stop()
        postgres.daemon.start()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")
    with psycopg.connect(fresh_postgres_database) as connection:
        assert connection.execute("select * from kept").fetchall() == []
