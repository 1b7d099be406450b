"""Loops end: how many letters nobody approved may leave, and robots that answer everything."""

from pathlib import Path

import pytest

from mailflow.domain.letters import LetterKind, LetterState
from tests.house import JOHN, PROBLEM, SHIRLEY, VALERY, ByHand, by_hand

pytestmark = pytest.mark.soak

ACK, NOTICE = LetterKind.ACKNOWLEDGEMENT, LetterKind.NOTICE


def storm(on: ByHand, count: int, first: int = 1) -> None:
    """As many outages of one machine, each under a number of its own."""
    for event in range(first, first + count):
        on.alert(
            PROBLEM.replace("184467", str(event)).replace("restarted", "restarted " + str(event)),
            "Problem: NW-FS01 has been restarted",
        )


def test_nobody_is_acknowledged_twice_about_one_incident(tmp_path: Path) -> None:
    """DESIGN 3, idempotency: repeats, relapses, restarts, jumps of the clock: one letter, by a unique key."""
    with by_hand(tmp_path, storm_count="1") as on:
        on.alert()
        on.later(minutes=4)
        for _ in range(2):
            on.alert()
            on.recovery()
            on.restart()
            on.alert()
            on.later(hours=2)
        assert len(on.incidents()) == 1
        assert len(on.got(JOHN)) == 1
        (letter,) = on.letters(ACK)
        with on.app.store.transaction():
            assert on.app.store.outbox.put(letter, on.now) is None


def test_the_fourth_letter_in_an_hour_is_held(tmp_path: Path) -> None:
    """DESIGN 3, caps: three unapproved letters to an address in an hour; more are held, and the liaison hears of it."""
    with by_hand(tmp_path, storm_count="1") as on:
        storm(on, 6)
        on.later(minutes=4)
        assert len(on.got(JOHN, ACK)) == 3
        held = on.letters(ACK, states=(LetterState.HELD,))
        assert [letter.reason for letter in held] == ["cap-address-hour"] * 3
        assert len(on.got(VALERY, NOTICE)) == 1  # a warning that repeats itself is no warning
        on.later(minutes=70)
        storm(on, 1, first=7)
        on.later(minutes=4)
        assert len(on.got(JOHN, ACK)) == 4
        assert len({m.text.partition("INC-")[0] for m in on.got(JOHN, ACK)[:3]}) == 3


def test_an_approved_letter_is_not_capped(tmp_path: Path) -> None:
    """DESIGN 3, caps: they count only what nobody approved: a debrief that Valery sent leaves, whatever came before."""
    with by_hand(tmp_path, storm_count="1") as on:
        storm(on, 4)
        on.later(minutes=4)
        for event in (1, 2, 3):
            body = PROBLEM.replace("Problem started", "Problem has been resolved").replace("184467", str(event))
            on.alert(body, "Resolved in 4m: NW-FS01 has been restarted")
        on.later(minutes=11)
        on.replies(on.last(LetterKind.FORM), "1: A cable was loose.\n2: We fixed it.")
        on.replies(on.last(LetterKind.PREVIEW), "SEND")
        on.later(minutes=4)
        assert len(on.got(JOHN, LetterKind.DEBRIEF)) == 1


def test_a_robot_at_the_clients_that_answers_everything_falls_silent(tmp_path: Path) -> None:
    """DESIGN 3, loops: an unmarked robot answers each of our letters, threaded or not: no letter begets a letter."""
    with by_hand(tmp_path, client='"auto"', storm_count="1") as on:
        answered = 0
        on.writes(JOHN, "Your request was received.", "Ticket 1")
        on.alert()
        for turn in range(12):
            on.later(minutes=4)
            mails = on.got(JOHN)
            for mail in mails[answered:]:
                on.replies(mail, f"Your request was received. Ticket {turn}", who=JOHN)
                on.writes(JOHN, f"Your request {turn} was received.", f"Ticket {turn}")
            answered = len(mails)
        assert 1 <= len(on.got(JOHN)) <= 2
        assert len(on.incidents()) <= 2
        assert len(on.got(VALERY)) <= 4 * answered + 4


def test_a_marked_robot_opens_nothing(tmp_path: Path) -> None:
    """MAIL-WORLD 3: an out-of-office in answer to our letter is no client's word: nothing opens, nobody is mailed."""
    with by_hand(tmp_path, storm_count="1") as on:
        on.alert()
        on.later(minutes=4)
        before = len(on.letters())
        for mark in ("Auto-Submitted: auto-replied", "X-Autoreply: yes", "Precedence: auto_reply"):
            raw = f"{mark}\r\nFrom: <{SHIRLEY}>\r\nSubject: Away\r\nMessage-ID: <{mark[:3]}@x.example>\r\n\r\nAway.\r\n"
            on.arrives(raw.encode())
        assert len(on.letters()) == before
        assert len(on.incidents()) == 1


def test_a_robot_in_our_own_house_falls_silent(tmp_path: Path) -> None:
    """DESIGN 3, caps: an unmarked robot in Valery's name that answers each of our mails: so many an hour, no more."""
    with by_hand(tmp_path, staff_hour="5", storm_count="1") as on:
        on.writes(VALERY, "I am a robot.", "Hello")
        on.alert()
        answered = 0
        for turn in range(8):
            mails = on.got(VALERY)
            for mail in mails[answered:]:
                on.replies(mail, "I am a robot.")
            on.writes(VALERY, f"I am robot number {turn}.", "Hello")
            answered = len(mails)
        assert 2 <= len([m for m in on.got(VALERY) if on.kind_of(m) is not NOTICE]) <= 5
        assert len(on.got(VALERY, NOTICE)) <= 2
        assert on.got(JOHN) == []


def test_what_the_cap_on_our_own_people_holds_up_still_arrives(tmp_path: Path) -> None:
    """DESIGN 3, caps: mails to a liaison beyond the hour's number come later; none is lost in silence."""
    with by_hand(tmp_path, staff_hour="3", storm_count="1") as on:
        storm(on, 5)
        assert len(on.got(VALERY, LetterKind.OPENED)) == 3
        on.later(minutes=70)
        assert len(on.got(VALERY, LetterKind.OPENED)) == 5
