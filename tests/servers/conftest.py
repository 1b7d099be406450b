"""Fixtures that give tests a real Dovecot, Postfix and Chromium, once a run each (PostgreSQL: tests/conftest.py).

A server that is not installed skips its tests and says what to install. With MAILFLOW_REQUIRE_SERVERS=1, as in CI,
it fails them instead: a green run then proves that every one of them was there.
"""

from collections.abc import Iterator

import pytest

from tests.servers.absent import or_absent
from tests.servers.certificates import Certificates, make_certificates
from tests.servers.chromium import Chromium, find_chromium
from tests.servers.daemon import folder_for
from tests.servers.dovecot import Dovecot, running_dovecot
from tests.servers.postfix import Postfix, running_postfix


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
def chromium() -> Chromium:
    """The machine's Chromium, with playwright to drive it."""
    with or_absent():
        return find_chromium()
    raise AssertionError("or_absent lets nobody through")
