"""What a fault of our own costs: one mail's reading or one look, never the daemon, and somebody hears of it."""

from pathlib import Path

import pytest

from mailflow.domain.letters import LetterKind
from mailflow.engine.reminders import Reminders
from tests.house import DANA, Received, by_hand

pytestmark = pytest.mark.soak


def fails(*_: object) -> None:
    """The fault."""
    raise ValueError("a bug")


def words(mail: Received) -> str:
    """A mail's text without its line ends."""
    return " ".join(mail.text.split())


def test_what_our_reader_fails_on_is_set_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DESIGN 3: the mail lies in quarantine, the administrator hears of it, and a retry after the mend reads it."""
    with by_hand(tmp_path) as on:
        with monkeypatch.context() as reader:
            reader.setattr("mailflow.intake.read.body", fails)  # also for the copy of the mail that tells of it
            on.alert()
        mail, _ = on.app.store.mailroom.quarantined()
        assert mail.reason == "could not be read: ValueError"
        assert mail.reason in words(on.last(LetterKind.NOTICE, DANA))
        assert on.incidents() == []
        assert on.app.store.mailroom.retry(mail.id)
        on.turn()
        assert len(on.incidents()) == 1


def test_one_failing_look_stops_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DESIGN 3: what is due is looked at one by one: the others go on, and the administrator is told once a day."""
    with by_hand(tmp_path) as on:
        on.alert()
        on.later(minutes=4)
        monkeypatch.setattr(Reminders, "tick", fails)
        for _ in range(3):
            on.later(days=1)
        assert on.got(DANA, LetterKind.DIGEST)
        told = [m for m in on.got(DANA, LetterKind.NOTICE) if "ValueError: a bug" in words(m)]
        assert len(told) == 3
