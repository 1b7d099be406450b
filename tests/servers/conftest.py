"""Fixtures that give tests a real Dovecot, Postfix, PostgreSQL and Chromium, once a run each.

A server that is not installed skips its tests and says what to install. With MAILFLOW_REQUIRE_SERVERS=1, as in CI,
it fails them instead: a green run then proves that every one of them was there.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import pytest

from tests.servers.certificates import Certificates, make_certificates
from tests.servers.chromium import Chromium, find_chromium
from tests.servers.daemon import Missing, folder_for
from tests.servers.dovecot import Dovecot, running_dovecot
from tests.servers.postfix import Postfix, running_postfix
from tests.servers.postgres import Postgres, running_postgres


def absent(missing: Missing) -> NoReturn:
    """Skip, or where servers are required fail, with the word on what to install."""
    if os.environ.get("MAILFLOW_REQUIRE_SERVERS") == "1":
        pytest.fail(f"{missing} (MAILFLOW_REQUIRE_SERVERS=1 allows no skipping)", pytrace=False)
    pytest.skip(str(missing))


@contextmanager
def or_absent() -> Iterator[None]:
    """Turn Missing, raised while a server is being started, into that skip or failure."""
    try:
        yield
    except Missing as missing:
        absent(missing)


@pytest.fixture(scope="session")
def certificates() -> Iterator[Certificates]:
    """A throw-away authority, and the certificate that every server here shows."""
    with or_absent(), folder_for("certificates", "root") as folder:
        yield make_certificates(folder)


@pytest.fixture(scope="session")
def dovecot(certificates: Certificates) -> Iterator[Dovecot]:
    """A Dovecot in which every address is a user."""
    with or_absent(), running_dovecot(certificates) as server:
        yield server


@pytest.fixture(scope="session")
def postfix(certificates: Certificates, dovecot: Dovecot) -> Iterator[Postfix]:
    """A Postfix that delivers into `dovecot` and discards what is for the rest of the world."""
    with or_absent(), running_postfix(certificates, dovecot) as server:
        yield server


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


@pytest.fixture(scope="session")
def chromium() -> Chromium:
    """The machine's Chromium, with playwright to drive it."""
    with or_absent():
        return find_chromium()
    raise AssertionError("or_absent lets nobody through")
