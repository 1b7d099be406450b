"""How moments are spoken of, and that a language's words are whole."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailflow.writing.words import Times, Words, WordsError, parse_words
from tests.writing.cast import english

CHICAGO = ZoneInfo("America/Chicago")


def at(text: str) -> datetime:
    """A moment as it stands on the wall in Chicago: a day of November 2026 (the 24th is a Tuesday) and a time."""
    day, _, time = text.partition(" ")
    hour, _, minute = time.partition(":")
    return datetime(2026, 11, int(day), int(hour), int(minute), tzinfo=CHICAGO).astimezone(UTC)


def times(now: str) -> Times:
    """How the shipped English speaks, seen from `now`."""
    return Times.in_zone(english(), "America/Chicago", at(now))


@pytest.mark.parametrize(
    ("now", "moment", "said"),
    [
        ("24 9:16", "24 9:12", "at about ten past nine this morning"),
        ("24 9:12", "24 9:12", "at about ten past nine this morning"),  # always, and never still to come
        ("24 9:16", "24 9:00", "at about nine this morning"),
        ("24 9:16", "24 9:07", "at about five past nine this morning"),
        ("24 9:16", "24 9:04", "at about nine this morning"),
        ("24 9:16", "24 8:52", "at about ten to nine this morning"),
        ("24 9:16", "24 8:59", "at about five to nine this morning"),
        ("24 9:16", "24 6:31", "at about half past six this morning"),
        ("24 9:16", "24 2:30", "at about half past two this morning"),
        ("24 9:16", "24 0:15", "at about quarter past midnight this morning"),
        ("24 9:16", "24 0:02", "at about midnight"),
        ("24 0:05", "23 23:55", "at about five to midnight last night"),
        ("24 13:00", "24 11:45", "at about quarter to noon this morning"),
        ("24 13:00", "24 11:55", "at about five to noon this morning"),
        ("24 13:00", "24 12:04", "at about noon"),
        ("24 13:00", "24 12:30", "at about half past noon this afternoon"),
        ("25 9:00", "24 12:00", "at about noon yesterday"),
        ("24 17:00", "24 15:40", "at about twenty to four this afternoon"),
        ("24 20:00", "24 18:00", "at about six this evening"),
        ("24 23:40", "24 23:30", "at about half past eleven tonight"),
        ("25 7:00", "24 23:30", "at about half past eleven last night"),
        ("25 7:00", "24 19:00", "at about seven yesterday evening"),
        ("25 7:00", "24 14:00", "at about two yesterday afternoon"),
        ("25 7:00", "24 3:00", "at about three yesterday morning"),
        ("27 9:00", "24 9:12", "on Tuesday morning"),
        ("27 9:00", "24 1:00", "on Tuesday morning"),
        ("27 9:00", "24 23:00", "on Tuesday night"),
        ("30 9:00", "24 9:12", "on Tuesday morning"),
        ("30 9:00", "23 9:12", "on Monday 23 November"),
        ("24 23:59", "25 0:01", "on Wednesday morning"),  # a server's clock is ahead of ours
    ],
)
def test_when(now: str, moment: str, said: str) -> None:
    """S0.2: a moment is said as a person says it, rounded, in the client's zone, and never a day off."""
    assert times(now).when(at(moment)) == said


@pytest.mark.parametrize(
    ("now", "due", "said"),
    [
        ("24 9:16", "24 17:00", "the end of today"),
        ("24 9:16", "25 17:00", "the end of tomorrow"),
        ("24 9:16", "26 17:00", "Thursday"),
        ("24 9:16", "30 17:00", "Monday"),
        ("23 9:16", "30 17:00", "Monday 30 November"),
        ("27 9:16", "26 17:00", "Thursday"),
        ("30 9:16", "23 17:00", "Monday 23 November"),
    ],
)
def test_by(now: str, due: str, said: str) -> None:
    """S0.3: what is promised has a day, with its date where the weekday could be mistaken."""
    assert times(now).by(at(due)) == said


@pytest.mark.parametrize(
    ("moment", "clock", "stamp", "earlier"),
    [
        ("24 0:05", "12:05 am", "0:05", "Tue 0:05"),
        ("24 9:05", "9:05", "9:05", "Tue 9:05"),
        ("24 11:59", "11:59", "11:59", "Tue 11:59"),
        ("24 12:00", "12:00 pm", "12:00", "Tue 12:00"),
        ("24 15:40", "3:40 pm", "15:40", "Tue 15:40"),
        ("24 23:59", "11:59 pm", "23:59", "Tue 23:59"),
    ],
)
def test_exact_times(moment: str, clock: str, stamp: str, earlier: str) -> None:
    """S0.7: exact times as clients read them, and as our own people do, with the day where it is not today."""
    assert times("24 9:16").clock(at(moment)) == clock
    assert times("24 9:16").stamp(at(moment)) == stamp
    assert times("25 9:16").stamp(at(moment)) == earlier
    assert times("24 9:16").day_stamp(at(moment)) == earlier


def test_the_zone_is_the_readers() -> None:
    """S0.2: the same moment is another time of day, and another day, elsewhere."""
    there = Times.in_zone(english(), "Pacific/Auckland", at("24 9:16"))
    assert there.when(at("24 9:12")) == "at about ten past four this morning"
    assert there.stamp(at("23 9:12")) == "Tue 4:12"


@pytest.mark.parametrize(
    ("now", "exact", "of"),
    [
        ("24 9:16", "at 9:12", "this morning"),
        ("25 9:16", "at 9:12 on Tuesday", "on Tuesday morning"),
        ("30 9:16", "at 9:12 on Tuesday", "on Tuesday morning"),
        ("23 9:16", "at 9:12 on 24 November", "on Tuesday morning"),  # a server's clock is ahead of ours
    ],
)
def test_what_is_read_today_or_later(now: str, exact: str, of: str) -> None:
    """S0.2: our own people read figures; a debrief of the same day says "this morning", a later one the weekday."""
    assert times(now).exact(at("24 9:12")) == exact
    assert times(now).of(at("24 9:12")) == of


HOURS = "midnight|one|two|three|four|five|six|seven|eight|nine|ten|eleven|noon"
PARTS = {"": 0, "five": 5, "ten": 10, "quarter": 15, "twenty": 20, "twenty-five": 25, "half": 30}
ROUGH = re.compile(rf"about (?:([a-z-]+) (past|to) )?({HOURS})")


def test_every_minute_of_the_day_has_words() -> None:
    """S0.2: all 1,440 minutes are said in a whole phrase, rounded down by less than five."""
    minutes = [at("24 0:00") + timedelta(minutes=n) for n in range(1_440)]
    speaking = times("25 9:00")
    said = [speaking.rough(minute) for minute in minutes]
    assert all(ROUGH.fullmatch(phrase) for phrase in said)
    hours = HOURS.split("|")
    for minute, phrase in enumerate(said):
        found = ROUGH.fullmatch(phrase)
        assert found
        part = PARTS[found[1] or ""] * (-1 if found[2] == "to" else 1)
        assert (minute - hours.index(found[3]) * 60 - part) % 720 < 5


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 60 * 24 * 30), st.integers(-60 * 24 * 9, 60 * 24 * 30), st.sampled_from(["UTC", "Asia/Kolkata"]))
def test_every_moment_has_words(now: int, ago: int, zone: str) -> None:
    """S0.2: whenever it was and whenever it is read, every way to say it says something, with no hole in it."""
    here = at("1 0:00") + timedelta(minutes=now)
    speaking = Times.in_zone(english(), zone, here)
    moment = here - timedelta(minutes=ago)
    for say in (
        speaking.when,
        speaking.of,
        speaking.part,
        speaking.on,
        speaking.by,
        speaking.clock,
        speaking.stamp,
        speaking.day,
        speaking.exact,
    ):
        said = say(moment)
        assert said == said.strip() != ""
        assert not re.search(r"[{}]|  |None", said)


WORDS = Words(language="en", table={"a": {"b": "hello {name}", "ways": ["one", "two"], "bare": "one", "none": []}})


def test_a_phrase_gets_its_values() -> None:
    """Words are found by their path; a value with braces in it stays as it is."""
    assert WORDS.phrase("a.b", name="{x} {0} {{") == "hello {x} {0} {{"
    assert [WORDS.choose("a.ways", n) for n in range(3)] == ["one", "two", "one"]


@pytest.mark.parametrize("path", ["b", "a.c", "a.b.c", ""])
def test_what_is_missing_is_named(path: str) -> None:
    """What a words.toml lacks is said with file and key."""
    with pytest.raises(WordsError, match=rf"letters/en/words.toml: {path} is missing"):
        WORDS.phrase(path)


def test_a_sentence_that_wants_too_much() -> None:
    """A sentence that wants a value which nobody gives is named, not sent with a hole."""
    with pytest.raises(WordsError, match=r"a\.b wants 'name'"):
        WORDS.phrase("a.b")


@pytest.mark.parametrize("path", ["a.bare", "a.none"])
def test_ways_are_a_list(path: str) -> None:
    """S1.2: one sentence without brackets would be taken letter by letter; it is refused instead."""
    with pytest.raises(WordsError, match="must be a list"):
        WORDS.choose(path, 0)


def test_broken_toml_is_named() -> None:
    """A words.toml that is no TOML is said with its place."""
    with pytest.raises(WordsError, match=r"letters/xx/words.toml: .*line 2"):
        parse_words("xx", "a = 1\nb = = 2\n")
