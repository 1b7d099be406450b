"""What is close to a command is never dropped in silence; what could have been STOP holds."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from mailflow.demo.clients import Received, gmail_on_top
from mailflow.demo.story import JOHN, SHIRLEY, VALERY
from mailflow.domain.letters import LetterKind, LetterState
from tests.house import MORNING, NOC, RECOVERY, ByHand, by_hand, write_mail

pytestmark = pytest.mark.soak

FROM_VALERY = f"Valery Stufano <{VALERY}>"


@pytest.fixture
def on(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ByHand]:
    """A house whose file server has restarted; John's letter rests."""
    with by_hand(tmp_path_factory.mktemp("house")) as built:
        built.alert()
        built.turn()
        yield built


def to_valery(on: ByHand) -> Received:
    """Her newest mail."""
    return on.sent_to(VALERY)[-1]


@pytest.mark.parametrize("text", ["Stop, please.", "STOP this one, I called John already", "Hi,\nSTPO", "do not send"])
def test_what_could_have_been_stop_holds(on: ByHand, text: str) -> None:
    """DESIGN 4, what was understood is said back: holding is the safe side, and she hears what was held and why."""
    on.replies(to_valery(on), text)
    assert "I held this back" in " ".join(to_valery(on).text.split())
    on.move_to(MORNING + timedelta(minutes=10))
    on.turn()
    assert on.sent_to(JOHN) == []
    letters = on.app.store.outbox.letters(incident_id=1, limit=9)
    assert [x.state for x in letters if x.kind is LetterKind.ACKNOWLEDGEMENT] == [LetterState.DROPPED]


def test_words_below_an_opened_mail_are_kept_and_said_back(on: ByHand) -> None:
    """DESIGN 4: what is not a command is a note, and she hears that nobody outside has it."""
    on.replies(to_valery(on), "I spoke to John about the update.")
    assert "kept this in the record" in " ".join(to_valery(on).text.split())
    notes = [e.text for e in on.app.store.records.timeline(1) if e.what == "note"]
    assert notes == ["I spoke to John about the update."]


def test_resolved_is_never_in_the_time_to_come(on: ByHand) -> None:
    """S1.5: an end that has not come yet, or lies before the beginning, is asked about; the last word counts."""
    on.move_to(MORNING + timedelta(minutes=20))
    opened = to_valery(on)
    for wrong in ("RESOLVED 10:42", "RESOLVED 7:30"):
        on.replies(opened, wrong)
        assert "I changed nothing" in " ".join(to_valery(on).text.split())
    on.replies(opened, "resolved at 9:20")
    on.replies(opened, "Resolved 9:25")
    ended = on.app.store.records.incident(1).ended_at
    assert ended == (MORNING + timedelta(minutes=13)).astimezone(ended.tzinfo if ended else None)


def test_a_change_of_mind_behind_send_is_shown_back(on: ByHand) -> None:
    """N.5: words beside SEND, or close to it, are never lost, and never sent around."""
    on.move_to(MORNING + timedelta(minutes=4))
    on.turn()
    on.alert(RECOVERY, "Resolved in 4m: NW-FS01 has been restarted")
    on.turn()
    on.move_to(MORNING + timedelta(minutes=30))
    on.turn()
    on.replies(to_valery(on), "1: An update restarted it.\n2: We moved updates to Sunday.")
    preview = to_valery(on)
    on.replies(preview, 'Please send it, but change 2 to "Rolled back"')
    assert "Rolled back" in to_valery(on).text
    on.replies(to_valery(on), "SEND\nbut drop the second sentence")
    assert "drop the second sentence" in to_valery(on).text
    on.replies(to_valery(on), "Send it!\nMit freundlichen Gruessen\nValery Stufano\n555 0100")
    on.move_to(on.now + timedelta(minutes=4))
    on.turn()
    assert "Problem Identified" in on.sent_to(JOHN)[-1].text


def test_open_takes_its_first_line_as_the_title(on: ByHand) -> None:
    """S0.1: OPEN's first line names it, the rest is a note."""
    text = "OPEN contoso: accounting system down.\n\nAnn reports 'database locked' since ten."
    on.send(VALERY, write_mail(FROM_VALERY, NOC, "new", text, on.now))
    on.turn()
    found = on.app.store.records.by_reference("INC-2")
    assert found
    assert found.title == "accounting system down"
    assert "database locked" in to_valery(on).text


def test_an_answer_to_a_closed_incident_says_that_nothing_is_open(on: ByHand) -> None:
    """S4.21: trouble told in the thread of a closed incident is not lost among thanks."""
    on.move_to(MORNING + timedelta(minutes=4))
    on.turn()
    told = on.sent_to(JOHN)[-1]
    on.replies(on.sent_to(VALERY)[0], "NO DEBRIEF: it was a test")
    on.send(JOHN, gmail_on_top(told, f"John Harper <{JOHN}>", "It is down again, nobody can work!", on.now))
    on.turn()
    shown = " ".join(to_valery(on).text.split())
    assert "That is closed, so nothing is open for this now." in shown
    assert "OPEN northwind:" in shown


def test_our_first_letter_answers_the_clients_own_mail(on: ByHand) -> None:
    """S0.2: who wrote to us finds our letter in the thread of their mail."""
    subject = "The printer on the second floor is dead"
    raw = write_mail(f"Shirley Lane <{SHIRLEY}>", NOC, subject, "Please call me.\n", on.now)
    on.move_to(MORNING + timedelta(hours=5))
    on.alert(RECOVERY, "Resolved in 4m: NW-FS01 has been restarted")
    on.turn()
    on.move_to(MORNING + timedelta(hours=10))
    on.send(SHIRLEY, raw)
    on.turn()
    preview = next(m for m in reversed(on.sent_to(VALERY)) if "word for word" in m.text)
    on.replies(preview, "SEND")
    on.move_to(on.now + timedelta(minutes=4))
    on.turn()
    letter = on.sent_to(SHIRLEY)[-1]
    assert letter.subject == f"Re: {subject}"
    assert str(letter.message["In-Reply-To"]) in raw.decode()
