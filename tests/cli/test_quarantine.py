"""quarantine: mail that was set aside, and what a person does with it."""

import json
from datetime import UTC, datetime

import pytest

from tests.cli.conftest import Office

NOW = datetime(2026, 11, 30, 15, 0, tzinfo=UTC)
MAIL = "1"  # the story's first mail


@pytest.fixture
def aside(office: Office) -> Office:
    """A firm with one mail in quarantine."""
    store = office.store()
    with store.transaction():
        store.mailroom.quarantine(int(MAIL), "failed 3 times", NOW)
    store.disconnect()
    return office


def state(office: Office) -> str:
    store = office.store()
    try:
        mail = store.mailroom.inbound(int(MAIL))
        assert mail is not None
        return mail.state
    finally:
        store.disconnect()


def test_what_was_set_aside_is_listed_with_its_reason(aside: Office) -> None:
    """DESIGN 1.5: a person sees what was set aside, and why."""
    row = aside.verb("quarantine", "list").stdout.splitlines()[1]
    assert row.split()[0] == MAIL
    assert "failed 3 times" in row
    listed = json.loads(aside.verb("quarantine", "list", "--json").stdout)
    assert [(str(m["id"]), m["mailbox"], m["reason"]) for m in listed] == [(MAIL, "noc@msp.example", "failed 3 times")]


def test_a_mail_is_shown_byte_for_byte(aside: Office) -> None:
    """DESIGN 1.5: the bytes are the ones that came, so that they can be looked at elsewhere."""
    store = aside.store()
    mail = store.mailroom.inbound(int(MAIL))
    assert mail is not None
    raw = store.mailroom.content(mail.hash)
    store.disconnect()
    result = aside.verb("quarantine", "show", MAIL)
    assert result.exit_code == 0
    assert result.stdout_bytes == raw


def test_a_mail_whose_bytes_are_gone(aside: Office) -> None:
    """DESIGN 2: after keep_raw_days one line says so."""
    store = aside.store()
    with store.transaction():
        assert store.mailroom.discard(int(MAIL), NOW)
        mail = store.mailroom.inbound(int(MAIL))
        assert mail is not None
        store.mailroom.replace_content(mail.hash, b"other", NOW)
    store.disconnect()
    result = aside.verb("quarantine", "show", MAIL)
    assert result.exit_code == 1
    assert "store.keep_raw_days" in result.stderr


def test_a_mail_gets_a_fresh_start(aside: Office) -> None:
    """DESIGN 1.5: retry gives it back to the daemon, once."""
    assert aside.verb("quarantine", "retry", MAIL).exit_code == 0
    assert state(aside) == "kept"
    assert aside.verb("quarantine", "retry", MAIL).exit_code == 1
    assert aside.verb("quarantine", "list").stdout == "Nothing is in quarantine.\n"


def test_a_mail_is_discarded(aside: Office) -> None:
    """DESIGN 1.5: a discarded mail is ignored for good and still counted."""
    assert aside.verb("quarantine", "discard", MAIL).exit_code == 0
    assert state(aside) == "ignored"
    assert aside.verb("quarantine", "discard", MAIL).exit_code == 1


@pytest.mark.parametrize("what", ["retry", "discard"])
def test_only_what_is_in_quarantine(office: Office, what: str) -> None:
    """DESIGN 3: a mail that was decided is left alone; one line, exit 1."""
    result = office.verb("quarantine", what, MAIL)
    assert result.exit_code == 1
    assert result.stderr == f"mail {MAIL} is not in quarantine\n"
    assert state(office) == "processed"


def test_a_mail_that_is_not_there(office: Office) -> None:
    """DESIGN 3: one line, exit 1, and where to look."""
    result = office.verb("quarantine", "show", "999")
    assert result.exit_code == 1
    assert result.stderr == "there is no mail 999; `mailflow quarantine list` shows them\n"
