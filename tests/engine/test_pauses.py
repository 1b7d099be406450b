"""Waiting for somebody else: the debrief's clock stands still, the client hears of it, and nothing is forgotten."""

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from mailflow.domain.incident import Promise, PromiseKind, PromiseState
from mailflow.domain.letters import LetterKind
from tests.engine.test_desk import ANSWERS
from tests.house import DANA, JOHN, ROBIN, SECOND_LIAISON, VALERY, ByHand, by_hand

pytestmark = pytest.mark.soak

CHICAGO = ZoneInfo("America/Chicago")
NOTICE, OPENED, PREVIEW, UPDATE = LetterKind.NOTICE, LetterKind.OPENED, LetterKind.PREVIEW, LetterKind.UPDATE


def day(number: int, hour: int, minute: int = 0) -> datetime:
    """November 2026 in Chicago; the 24th is the Tuesday of the story, on which John is told."""
    return datetime(2026, 11, number, hour, minute, tzinfo=CHICAGO)


def promised(on: ByHand) -> None:
    """John was told on Tuesday, and promised a debrief by Wednesday, 17:00."""
    on.alert()
    on.later(minutes=4)


def debrief(on: ByHand) -> Promise:
    return next(p for p in on.app.store.promises.of(1) if p.kind is PromiseKind.DEBRIEF)


def waits_for_the_provider(on: ByHand) -> None:
    """Told to John, so that the clock stands still."""
    on.replies(on.last(OPENED), "WAITING FOR the provider")
    on.replies(on.last(PREVIEW), "SEND")
    on.later(minutes=4)
    assert debrief(on).waits_since is not None


def words(on: ByHand, kind: LetterKind = NOTICE, who: str = VALERY) -> str:
    return " ".join(on.last(kind, who).text.split())


def late(on: ByHand, who: str = VALERY) -> list[str]:
    return [m.subject for m in on.got(who, NOTICE) if "Late" in m.subject or "Due soon" in m.subject]


def test_the_clock_stands_still_and_the_client_hears_of_it(tmp_path: Path) -> None:
    """N.4: WAITING FOR stops reminders, offers the client an honest letter, and owes the next word; GO ON moves the
    debrief by the working time in between."""
    with by_hand(tmp_path) as on:
        promised(on)
        on.at(day(25, 10))
        on.replies(on.last(OPENED), "WAITING FOR the provider\nThey replace the line on Friday.")
        assert "a short letter that says so waits for your SEND" in words(on)
        preview = words(on, PREVIEW)
        assert "To go on with your file server we are waiting for the provider." in preview
        assert "They replace the line on Friday." in preview
        on.replies(on.last(PREVIEW), "SEND")
        on.later(minutes=4)
        assert "again by the end of tomorrow" in words(on, UPDATE, JOHN)  # Thursday, in whichever phrasing
        on.at(day(25, 18))
        assert late(on) == []
        on.at(day(26, 17, 1))  # but the word that was promised in between is due
        assert late(on)
        on.at(day(27, 9))
        on.replies(on.last(OPENED), "GO ON")
        assert "The debrief is due by" in words(on)
        # What was promised by Wednesday's end is, two days later, promised by Friday's.
        moved = debrief(on)
        assert moved.waits_since is None
        assert abs(moved.due_at - day(27, 17)) < timedelta(minutes=1)


def test_another_priority_does_not_end_the_wait(tmp_path: Path) -> None:
    """N.4: PRIORITY brings the debrief forward; whom it waits for is waited for still."""
    with by_hand(tmp_path) as on:
        on.writes(VALERY, "OPEN contoso: the upgrade was not announced\n")
        on.replies(on.last(OPENED), "PRIORITY P4")
        on.replies(on.last(OPENED), "WAITING FOR the provider")
        on.replies(on.last(OPENED), "PRIORITY P1, the whole office waits")
        assert debrief(on).waits_for == "the provider"
        on.replies(on.last(OPENED), "GO ON")
        assert "The debrief is due by" in words(on)


def test_the_clients_own_mail_ends_the_wait_for_it(tmp_path: Path) -> None:
    """N.4: who waited for John goes on when John writes, and not before; waiting for a vendor is not ended by him."""
    with by_hand(tmp_path) as on:
        promised(on)
        on.replies(on.last(OPENED), "WAITING FOR John: when may we restart it?")
        assert "To go on with your file server we need to hear from you first. when may we restart it?" in words(
            on, PREVIEW
        )
        on.replies(on.last(PREVIEW), "SEND")
        on.later(minutes=4)
        assert debrief(on).waits_for == "client"
        on.replies(on.last(UPDATE, JOHN), "Tonight after eight.", JOHN)
        assert debrief(on).waits_since is None
        assert "It goes on" in words(on)
        waits_for_the_provider(on)
        on.replies(on.last(UPDATE, JOHN), "Any news?", JOHN)
        assert debrief(on).waits_for == "the provider"


def test_what_waits_stands_in_the_week_and_in_status(tmp_path: Path) -> None:
    """Deadlines: a debrief that waits for somebody is in the managers' week, with whom and since when."""
    with by_hand(tmp_path) as on:
        promised(on)
        waits_for_the_provider(on)
        on.replies(on.last(OPENED), "STATUS")
        assert "The debrief waits for the provider since Tuesday 24 November." in words(on)
        on.at(day(30, 8, 1))
        assert "Northwind, file server: waits for the provider since Tuesday 24 November (INC-1)." in words(
            on, LetterKind.WEEKLY, DANA
        )


def test_the_debrief_ends_the_wait(tmp_path: Path) -> None:
    """S0.8: whoever waited and has the answer sends the debrief: nothing more is owed, nothing waits."""
    with by_hand(tmp_path) as on:
        promised(on)
        on.recovery()
        on.later(minutes=15)
        on.replies(on.last(LetterKind.FORM), "WAITING FOR the provider")
        on.replies(on.last(LetterKind.FORM), ANSWERS)
        on.replies(on.last(PREVIEW), "SEND")
        on.later(minutes=4)
        assert debrief(on).state is PromiseState.KEPT
        assert on.app.store.promises.waiting() == []


def test_what_waits_moves_to_a_stand_in(tmp_path: Path) -> None:
    """N.4: what waits is handed over with everything else of who is away."""
    with by_hand(tmp_path, SECOND_LIAISON) as on:
        promised(on)
        waits_for_the_provider(on)
        on.writes(VALERY, "AWAY tomorrow to 30 November, Robin\n", "Holiday")
        on.at(day(25, 8))
        assert debrief(on).owner == ROBIN


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("WAITING FOR", "For whom?"),
        ("GO ON", "Nothing here waits for anybody"),
    ],
)
def test_what_was_not_said_is_asked(tmp_path: Path, said: str, answer: str) -> None:
    """S1.13: a command that lacks what it needs changes nothing, and says so."""
    with by_hand(tmp_path) as on:
        promised(on)
        on.replies(on.last(OPENED), said)
        assert answer in words(on)
        assert debrief(on).waits_since is None


def test_until_the_client_knows_the_promise_counts(tmp_path: Path) -> None:
    """N.4: a letter that says we wait, and never leaves, stops no clock: the liaison is reminded as ever."""
    with by_hand(tmp_path) as on:
        promised(on)
        on.replies(on.last(OPENED), "WAITING FOR the provider")
        assert debrief(on).waits_since is None
        on.at(day(25, 17, 1))
        assert late(on)


def test_no_letter_says_that_we_wait_once_it_goes_on(tmp_path: Path) -> None:
    """N.6: GO ON, or the client's own mail, takes back the letter that was to say so, held or resting."""
    with by_hand(tmp_path) as on:
        promised(on)
        for release in (False, True):
            on.replies(on.last(OPENED), "WAITING FOR the provider")
            preview = on.last(PREVIEW)
            if release:
                on.replies(preview, "SEND")
            on.replies(on.last(OPENED), "GO ON")
            on.replies(preview, "SEND")
            on.later(minutes=10)
            assert on.got(JOHN, UPDATE) == []
        on.replies(on.last(OPENED), "WAITING FOR John, when may we restart it?")
        on.replies(on.got(JOHN)[0], "Tonight after eight.", JOHN)
        on.replies(on.last(PREVIEW), "SEND")
        on.later(minutes=10)
        assert on.got(JOHN, UPDATE) == []


def test_the_next_word_is_owed_on_the_day_of_the_debrief_too(tmp_path: Path) -> None:
    """N.4: "again by the end of tomorrow", said on the day before the debrief is due, is owed by then."""
    with by_hand(tmp_path) as on:
        promised(on)
        waits_for_the_provider(on)
        assert "again by the end of tomorrow" in words(on, UPDATE, JOHN)
        on.at(day(25, 17, 1))
        assert late(on)


def test_words_of_another_day_are_shown_again(tmp_path: Path) -> None:
    """N.6: "by the end of tomorrow", sent a day later, would name another day: made anew, it is shown first."""
    with by_hand(tmp_path) as on:
        promised(on)
        on.replies(on.last(OPENED), "WAITING FOR the provider")
        on.at(day(26, 9))
        on.replies(on.last(PREVIEW), "SEND")
        assert "its words about days are made anew" in words(on, PREVIEW)
        on.later(minutes=4)
        assert on.got(JOHN, UPDATE) == []
        on.replies(on.last(PREVIEW), "SEND")
        on.later(minutes=4)
        assert "again by the end of tomorrow" in words(on, UPDATE, JOHN)


def test_waiting_in_an_answer_is_an_answer(tmp_path: Path) -> None:
    """S3.2: "waiting for the new disk" in small letters, in a form's answer, is an answer and stops no clock."""
    with by_hand(tmp_path) as on:
        promised(on)
        on.recovery()
        on.later(minutes=15)
        on.replies(on.last(LetterKind.FORM), "1: The disk failed.\n2: waiting for the new disk")
        assert "waiting for the new disk" in words(on, PREVIEW)
        assert debrief(on).waits_since is None
