"""learned and whose: what liaisons taught, and what belongs to whom."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailflow.domain.ownership import Lesson, Sign
from tests.cli.conftest import Office, Verb
from tests.house import VALERY, write_config

NOW = datetime(2026, 11, 30, 15, 0, tzinfo=UTC)


@pytest.fixture
def taught(office: Office) -> Office:
    """Valery said that UNKNOWN-7 is Contoso's."""
    store = office.store()
    with store.transaction():
        store.lessons.teach(Lesson(sign=Sign.HOST, value="unknown-7", client_key="contoso"), VALERY, 1, NOW)
    store.disconnect()
    return office


def test_whose_says_what_a_liaison_taught(taught: Office) -> None:
    """S4.9: `whose` answers as an alert would be, lessons included, until they are taken back."""
    said = taught.verb("whose", "UNKNOWN-7")
    assert "contoso" in said.stdout
    assert "lesson 1" in said.stdout
    (found,) = json.loads(taught.verb("whose", "unknown-7", "--json").stdout)
    assert (found["client"], found["by"]) == ("contoso", "lesson 1")
    taught.verb("learned", "--revoke", "1")
    assert taught.verb("whose", "UNKNOWN-7").stdout == "UNKNOWN-7 is nobody's that we know.\n"


def test_whose_needs_no_records(verb: Verb, tmp_path: Path) -> None:
    """S4.9: what the configuration says is told before the first start too, and nothing is made for it."""
    config = write_config(tmp_path, imap_port=1, smtp_port=1)
    result = verb("whose", "NW-FS01", "-c", config)
    assert result.exit_code == 0
    assert "file server" in result.stdout
    assert "no records yet" in result.stderr
    assert not (tmp_path / "data").exists()
