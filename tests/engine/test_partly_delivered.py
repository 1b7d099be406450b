"""A debrief that reaches some of its readers: nobody is said to have it who does not."""

from datetime import timedelta
from pathlib import Path

from mailflow.demo.story import VALERY
from tests.house import MORNING, NOC, by_hand, write_mail

FROM_VALERY = f"Valery Stufano <{VALERY}>"
# Put at the end of the configuration, it belongs to its last client.
SECOND = """
[[client.contact]]
name = "Bert Cole"
first_name = "Bert"
address = "bert@contoso.example"
wants = "debriefs"
"""


def test_only_those_who_have_the_letter_are_named(tmp_path: Path) -> None:
    """N.9: one of two readers is refused; the other's debrief counts, and the liaison hears of each rightly."""
    with by_hand(tmp_path, SECOND) as on:
        on.mail.faults.append(
            lambda _, recipients: "550 5.1.1 no such user" if recipients[0].startswith("bert@") else None
        )
        command = "OPEN contoso: upgrade was not announced\n"
        on.send(VALERY, write_mail(FROM_VALERY, NOC, "new", command, on.now))
        on.turn()
        on.replies(on.sent_to(VALERY)[-1], "RESOLVED")
        on.move_to(MORNING + timedelta(minutes=30))
        on.turn()
        answers = "1: Nobody was told.\n2: We tell you a week ahead now."
        on.replies(on.sent_to(VALERY)[-1], answers)
        on.replies(on.sent_to(VALERY)[-1], "SEND")
        on.move_to(on.now + timedelta(minutes=4))
        on.turn()
        assert len(on.sent_to("ann@contoso.example")) == 1
        subjects = [mail.subject for mail in on.sent_to(VALERY)]
        assert "Ann has the letter (INC-1)" in subjects
        assert any("Not delivered" in subject and "Bert" in subject for subject in subjects)
        assert on.app.store.records.incident(1).why_closed == "debrief sent"
