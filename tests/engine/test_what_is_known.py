"""What an "opened" mail brings along: what was changed lately, and what was behind trouble that looks alike."""

from pathlib import Path

import pytest

from mailflow.domain.letters import LetterKind
from tests.house import VALERY, by_hand

pytestmark = pytest.mark.soak

OPENED, PREVIEW = LetterKind.OPENED, LetterKind.PREVIEW
ALERT = "Problem: NW-FS01 has been restarted"


def test_trouble_that_looks_alike_is_suggested(tmp_path: Path) -> None:
    """S4.27: the same thing with the same symptom, debriefed before, is shown with what was behind it."""
    with by_hand(tmp_path) as on:
        on.alert()
        on.later(minutes=4)
        on.recovery()
        on.later(minutes=11)
        assert "looks like" not in on.last(OPENED).text
        on.replies(on.last(LetterKind.FORM), "1: The power supply was loose.\n2: We fixed it in place.")
        on.replies(on.last(PREVIEW), "SEND")
        on.later(days=3)
        on.alert()
        on.later(minutes=4)
        text = " ".join(on.last(OPENED).text.split())
        assert "It looks like INC-1 (on Tuesday morning): The power supply was loose." in text


def test_planned_work_of_the_last_day_is_shown(tmp_path: Path) -> None:
    """S4.26: what was changed at the client's in the last hours stands beside the alert, and no other client's work."""
    with by_hand(tmp_path) as on:
        on.writes(VALERY, "MAINTENANCE northwind file server: today 10:00 to 11:00, new firmware")
        on.writes(VALERY, "MAINTENANCE contoso: today 10:00 to 11:00, a new switch")
        on.later(hours=5)
        on.alert()
        on.later(minutes=4)
        text = " ".join(on.last(OPENED).text.split())
        assert "Planned work of the last day: file server, new firmware" in text
        assert "switch" not in text
        on.later(days=2)
        on.recovery()
        on.later(hours=6)
        on.alert()
        on.later(minutes=4)
        assert "Planned work" not in on.last(OPENED).text


def test_an_older_send_is_refused_with_the_difference(tmp_path: Path) -> None:
    """N.6: what was changed since the preview that she answered is shown line by line."""
    with by_hand(tmp_path) as on:
        on.alert()
        on.later(minutes=4)
        on.recovery()
        on.later(minutes=11)
        on.replies(on.last(LetterKind.FORM), "1: A cable was loose.\n2: We fixed it in place.")
        older = on.last(PREVIEW)
        on.replies(older, "1: The power supply was loose.")
        on.replies(older, "SEND")
        text = on.last(PREVIEW).text
        assert "\N{MINUS SIGN} A cable was loose." in text
        assert "+ The power supply was loose." in text
        assert "We fixed it" not in text.partition("--- to John")[0]
