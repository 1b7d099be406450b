"""The first word, where it waits for a person: promised by a time, reminded of, and kept by whatever leaves first."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from mailflow.domain.incident import Promise, PromiseKind, PromiseState
from mailflow.domain.letters import LetterKind
from tests.house import DANA, JOHN, SHIRLEY, VALERY, ByHand, by_hand

pytestmark = pytest.mark.soak

NOTICE, OPENED, PREVIEW = LetterKind.NOTICE, LetterKind.OPENED, LetterKind.PREVIEW


def day(number: int, hour: int, minute: int = 0) -> datetime:
    """November 2026 in Chicago; the story is on Tuesday, the 24th, at a quarter past nine."""
    return datetime(2026, 11, number, hour, minute, tzinfo=ZoneInfo("America/Chicago"))


def first_word(on: ByHand) -> Promise:
    return next(p for p in on.app.store.promises.of(1) if p.kind is PromiseKind.ACKNOWLEDGEMENT)


def waits(on: ByHand, who: str) -> list[str]:
    return [" ".join(m.text.split()) for m in on.got(who, NOTICE) if "waits for a first word" in m.subject]


def test_a_client_who_wrote_is_not_forgotten(tmp_path: Path) -> None:
    """N.4: Shirley wrote, the letter waits for SEND: at its time the liaison hears of it, later a manager; each once,
    and nothing before its time."""
    with by_hand(tmp_path) as on:
        on.writes(SHIRLEY, "I can't open the Data drive.\n", "Data drive")
        assert first_word(on).state is PromiseState.OPEN
        on.at(day(24, 13))
        assert waits(on, VALERY) == []
        on.at(day(24, 13, 30))
        (reminded,) = waits(on, VALERY)
        assert "Nobody at Northwind has heard from us about Data drive" in reminded
        on.at(day(24, 17, 20))
        on.restart()
        on.later(minutes=10)
        assert len(waits(on, VALERY)) == 1
        assert len(waits(on, DANA)) == 1


def test_an_outage_whose_letter_waits_is_asked_about_once(tmp_path: Path) -> None:
    """S4.18, N.4: the reminder of the first word stands for the flag of an outage that nobody was told of."""
    with by_hand(tmp_path, live='"review"', untold_after='"1h"') as on:
        on.alert()
        on.later(minutes=59)
        assert waits(on, VALERY) == []
        on.later(minutes=40)
        on.later(minutes=40)
        assert len(waits(on, VALERY)) == 1
        assert [m.subject for m in on.got(VALERY, NOTICE) if "not been told" in m.subject] == []


@pytest.mark.parametrize("how", ["send", "update"])
def test_whatever_leaves_first_keeps_it(tmp_path: Path, how: str) -> None:
    """N.4: the acknowledgement, or a word of her own in its place, keeps the promise: nobody is reminded."""
    with by_hand(tmp_path) as on:
        on.writes(SHIRLEY, "I can't open the Data drive.\n", "Data drive")
        if how == "update":
            on.replies(on.last(OPENED), "UPDATE Paul is on his way to you.")
        on.replies(on.last(PREVIEW), "SEND")
        on.later(minutes=4)
        assert first_word(on).state is PromiseState.KEPT
        on.at(day(24, 17, 20))
        assert waits(on, VALERY) == []


def test_what_needs_no_letter_needs_no_reminder(tmp_path: Path) -> None:
    """N.4: NO DEBRIEF, and STOP, end it with the letter that waited."""
    for said in ("NO DEBRIEF she found it", "STOP"):
        folder = tmp_path / said[:4]
        folder.mkdir()
        with by_hand(folder, live='"review"') as on:
            on.alert()
            assert first_word(on).state is PromiseState.OPEN
            on.replies(on.last(OPENED), said)
            promises = [p.state for p in on.app.store.promises.of(1)]
            assert PromiseState.OPEN not in promises


def test_no_form_comes_before_its_time(tmp_path: Path) -> None:
    """DESIGN 1.6: a first word that is due soon asks nobody for the debrief."""
    with by_hand(tmp_path) as on:
        on.writes(SHIRLEY, "I can't open the Data drive.\n", "Data drive")
        on.later(hours=1)
        assert on.got(VALERY, LetterKind.FORM) == []
        assert on.got(JOHN) == []


def test_an_automatic_letter_promises_nothing_of_a_person(tmp_path: Path) -> None:
    """DESIGN 4: what leaves by itself is on nobody's list."""
    with by_hand(tmp_path) as on:
        on.alert()
        assert [p.kind for p in on.app.store.promises.of(1)] == [PromiseKind.DEBRIEF]


def test_done_to_what_is_no_task_says_what_to_do(tmp_path: Path) -> None:
    """S1.13: DONE to a reminder of a letter changes nothing, and names the word that does."""
    with by_hand(tmp_path) as on:
        on.alert()
        on.replies(on.last(OPENED), "DONE")
        assert "NO DEBRIEF and how" in " ".join(on.last(NOTICE).text.split())


def test_more_time_while_the_first_word_rests_is_told(tmp_path: Path) -> None:
    """N.4: SEND, and LATER within its rest: the letter leaves as it was approved, with its day, and the short letter
    about the later one is offered; until that has left, the first day stands."""
    with by_hand(tmp_path) as on:
        on.writes(SHIRLEY, "I can't open the Data drive.\n", "Data drive")
        on.replies(on.last(PREVIEW), "SEND")
        on.replies(on.last(OPENED), "LATER 4 December, the maker is late")
        assert "a short letter that says so waits for your SEND" in " ".join(on.last(NOTICE).text.split())
        on.later(minutes=4)
        assert on.got(SHIRLEY, LetterKind.ACKNOWLEDGEMENT)
        (debrief,) = [p for p in on.app.store.promises.of(1) if p.kind is PromiseKind.DEBRIEF]
        assert debrief.due_at < day(30, 0)
        on.replies(on.last(PREVIEW), "SEND")
        on.later(minutes=4)
        (debrief,) = [p for p in on.app.store.promises.of(1) if p.kind is PromiseKind.DEBRIEF]
        assert debrief.due_at == day(4, 17).replace(month=12)
