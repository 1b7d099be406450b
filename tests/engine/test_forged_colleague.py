"""A colleague who has a liaison's mail cannot speak as her."""

from datetime import timedelta
from pathlib import Path

from mailflow.demo.clients import gmail_on_top
from mailflow.demo.story import JOHN, VALERY
from tests.house import MORNING, RECOVERY, house


def test_a_colleagues_login_does_not_publish_in_a_liaisons_name(tmp_path: Path) -> None:
    """DESIGN 3, who may publish: the login must be the author's; else the listed address is asked, and nothing goes."""
    with house(tmp_path) as on:
        on.alert()
        on.expect(VALERY, "restarted")
        on.move_to(MORNING + timedelta(minutes=4))
        on.expect(JOHN, "your file server")
        on.alert(RECOVERY, "Resolved in 9m 4s: NW-FS01 has been restarted")
        on.settle()
        on.move_to(MORNING + timedelta(minutes=30))
        form = on.expect(VALERY, "[1] What was the problem?")
        answers = "1: An update restarted it.\n2: We moved updates to Sunday."
        on.send(VALERY, gmail_on_top(form, f"Valery Stufano <{VALERY}>", answers, on.now))
        preview = on.expect(VALERY, "word for word")
        on.send("paul@msp.example", gmail_on_top(preview, f"Valery Stufano <{VALERY}>", "SEND", on.now))
        asked = on.expect(VALERY, "Was this you?")
        on.settle()
        on.move_to(MORNING + timedelta(hours=1))
        assert len(on.sent_to(JOHN)) == 1
        on.send(VALERY, gmail_on_top(asked, f"Valery Stufano <{VALERY}>", "SEND", on.now))
        on.settle()
        on.move_to(on.now + timedelta(minutes=4))
        assert "Problem Identified" in on.expect(JOHN, "Problem Identified").text
