"""Times that a liaison writes, in a command or in an answer to the form."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mailflow.demo.story import VALERY
from mailflow.domain.letters import LetterKind
from tests.house import MORNING, RECOVERY, ByHand, by_hand

pytestmark = pytest.mark.soak


@pytest.fixture
def on(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ByHand]:
    """A house whose file server restarted 40 minutes ago, at 9:12 on Tuesday 24 November."""
    with by_hand(tmp_path_factory.mktemp("house")) as built:
        started(built)
        yield built


def started(on: ByHand) -> None:
    """The file server restarts; 40 minutes go by."""
    on.alert()
    on.turn()
    on.move_to(MORNING + timedelta(minutes=40))
    on.turn()


def answer(on: ByHand, text: str) -> str:
    """What is said to her reply to the first mail about it."""
    on.replies(on.sent_to(VALERY)[0], text)
    return " ".join(on.last(LetterKind.NOTICE).text.split())


def ended(on: ByHand) -> datetime | None:
    """When it was over, in the house's zone."""
    at = on.app.store.records.incident(1).ended_at
    return at.astimezone(on.now.tzinfo) if at else None


def said_in_full(at: datetime) -> str:
    """ "Tuesday 24 November at 9:20"."""
    return f"{at:%A} {at.day} {at:%B} at {at.hour}:{at:%M}"


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("RESOLVED {at.hour}:{at:%M}", 20),
        ("RESOLVED {at:%d/%m} {at.hour}.{at:%M}", 20),
        ("RESOLVED this morning at {at.hour}:{at:%M}", 20),
        ("Resolved {at:%B} {at.day}, {at:%Y} at {at.hour}:{at:%M}", 20),
        ("RESOLVED 10 minutes ago", 10),
        ("fixed 10 minutes ago", 10),
        ("RESOLVED just now", 0),
    ],
)
def test_resolved_is_said_back_with_its_day(on: ByHand, text: str, ago: int) -> None:
    """S1.5: RESOLVED is understood as people write times, and said back in full."""
    at = on.now - timedelta(minutes=ago)
    said = answer(on, text.format(at=at))
    assert f"it was over on {said_in_full(at)}." in said
    found = ended(on)
    assert found
    assert abs(found - at) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("RESOLVED 9", "“9” can be in the morning or in the evening."),
        ("RESOLVED 5/6 9:20", "“5/6 9:20” can be two dates."),
        ("RESOLVED 9:20 UTC", "“9:20 UTC” names a time zone."),
        ("RESOLVED 31/11 9:20", "There is no such date: “31/11 9:20”."),
        ("RESOLVED tomorrow 9:20", "That is still to come: “tomorrow 9:20”."),
        ("RESOLVED Tuesday midnight", "“Tuesday midnight” can be the midnight before or after that day."),
        ("RESOLVED soonish", "I could not read “soonish” as a time"),
        ("RESOLVED yesterday 9:20", "is not between its beginning"),
    ],
)
def test_what_resolved_cannot_mean_changes_nothing(on: ByHand, text: str, sentence: str) -> None:
    """N.5: an unclear time is answered with what is unclear in it, and nothing is changed."""
    assert sentence in answer(on, text)
    assert ended(on) is None


def test_dates_are_read_in_her_own_order(tmp_path_factory: pytest.TempPathFactory) -> None:
    """S1.5: with a known order 11/12 is one date and no question."""
    with by_hand(tmp_path_factory.mktemp("house"), date_order='"mdy"') as on:
        started(on)
        assert "is not between its beginning" in answer(on, "RESOLVED 11/12 9:20")
        assert "can be two dates" not in answer(on, "RESOLVED 11/24 9:20")


def test_an_unclear_answer_is_asked_about_with_its_field(on: ByHand) -> None:
    """S1.5, N.5: a start or an end that can be two moments is asked about by its words, then taken as corrected."""
    on.alert(RECOVERY, "Resolved in 40m: NW-FS01 has been restarted")
    on.turn()
    on.later(minutes=20)
    form = on.last(LetterKind.FORM)
    on.replies(form, "1: A cable was loose.\n2: We fixed it in place.\n5: 11/10 8:47\n6: 9")
    asked = on.last(LetterKind.MISSING)
    text = " ".join(asked.text.split())
    assert "“11/10 8:47” can be two dates." in text
    assert "“9” can be in the morning or in the evening." in text
    assert "[5]" in text
    assert "[6]" in text
    assert on.got(VALERY, LetterKind.PREVIEW) == []
    on.replies(asked, "5: this morning at 8:47\n6: 24 Nov 9:33")
    shown = " ".join(on.last(LetterKind.PREVIEW).text.split())
    assert "8:47" in shown
    assert "9:33" in shown


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("FIXED by rebooting", "it was over on Tuesday 24 November at"),
        ("FAILOVER to the second line", "it was over on Tuesday 24 November at"),
        ("RESOLVED 9:14 we rebooted it", "at 9:14."),
        ("WORKAROUND 9:14, with webmail", "at 9:14."),
        ("RESOLVED by rebooting at 9:14", "it was over on Tuesday 24 November at"),
        ("RESOLVED whenever", "I could not read “whenever”"),
        ("RESOLVED 9:99 we rebooted it", "9:99"),
    ],
)
def test_how_it_was_resolved_may_be_said_too(tmp_path: Path, said: str, answer: str) -> None:
    """S4.30: resolved, workaround or failover, and how; what is no time is still asked about."""
    with by_hand(tmp_path) as on:
        on.alert()
        on.later(minutes=8)
        on.replies(on.last(LetterKind.OPENED), said)
        assert answer in " ".join(on.last(LetterKind.NOTICE).text.split())
        kept = [
            entry.text
            for entry in on.app.store.records.timeline(1)
            if entry.what in {"resolved", "workaround", "failover"}
        ]
        assert bool(kept) == ("over" in on.last(LetterKind.NOTICE).text)
