"""What becomes of a test whose server is not installed: it is skipped, or fails where servers are required."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import pytest

from tests.servers.daemon import Missing


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
