"""Times as people write them, read near the incident that they are about."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mailflow.domain.times import parse_time

CHICAGO = "America/Chicago"
ENGLISH = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
GERMAN = ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag")
NEAR = datetime(2026, 11, 24, 9, 21, tzinfo=ZoneInfo(CHICAGO)).astimezone(UTC)  # a Tuesday


def read(text: str, days: tuple[str, ...] = ENGLISH, near: datetime = NEAR) -> str | None:
    """What `text` means, as it stands on the wall in Chicago."""
    found = parse_time(text, near, CHICAGO, days)
    assert found is None or found.tzinfo is UTC
    return f"{found.astimezone(ZoneInfo(CHICAGO)):%d %H:%M}" if found else None


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("9:05", "24 09:05"),
        ("09:05", "24 09:05"),
        ("9.05", "24 09:05"),
        ("9h05", "24 09:05"),
        (" 9:05 ", "24 09:05"),
        ("9:05.", "24 09:05"),
        ("21:05", "24 21:05"),
        ("0:05", "24 00:05"),
        ("9am", "24 09:00"),
        ("9 AM", "24 09:00"),
        ("9:05 a.m.", "24 09:05"),
        ("9:05 pm", "24 21:05"),
        ("9.05pm", "24 21:05"),
        ("12 am", "24 00:00"),
        ("12:30 pm", "24 12:30"),
        ("at 9:05", "24 09:05"),
        ("At 9 am", "24 09:00"),
        ("Tue 9:05", "24 09:05"),
        ("Tue. 9:05", "24 09:05"),
        ("tuesday, 9:05", "24 09:05"),
        ("Tuesday at 9:05", "24 09:05"),
        ("Mon 23:50", "23 23:50"),
        ("Wed 9:05", "18 09:05"),  # the Wednesday before: nothing of an incident lies ahead of it
        ("SUNDAY 6:00 AM", "22 06:00"),
        ("Thurs 9:05", "19 09:05"),
    ],
)
def test_many_spellings(text: str, meant: str) -> None:
    """S1.5: start and end are read however a person writes them, on the incident's day or the weekday before it."""
    assert read(text) == meant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "9",
        "905",
        "24:00",
        "9:60",
        "25 am",
        "13:05 am",
        "0 pm",
        "99:99",
        "this morning",
        "about nine",
        "T 9:05",
        "Foo 9:05",
        "9:05 to 9:21",
        "Tue",
        "9:05:30",
        "2026-11-24 9:05",
        "9:05 Tue",
        "x" * 5_000,
    ],
)
def test_what_is_no_time(text: str) -> None:
    """N.5: what cannot be read for certain is asked about, never guessed."""
    assert read(text) is None


@pytest.mark.parametrize(("text", "meant"), [("Di 9:05", "24 09:05"), ("Do. 9.05", "19 09:05"), ("D 9:05", None)])
def test_in_another_language(text: str, meant: str | None) -> None:
    """S2.13: weekdays are the language's own, as short as they can be told apart."""
    assert read(text, GERMAN) == meant


def test_a_weekday_that_two_days_could_be() -> None:
    """N.5: a word that two weekdays begin with is no weekday."""
    assert read("Su 9:05", ("Sux", "Suy", *ENGLISH[2:])) is None


def test_the_hour_that_is_skipped() -> None:
    """2:30 on the night the clocks go forward does not exist; an hour later stands on the wall."""
    near = datetime(2026, 3, 8, 12, 0, tzinfo=UTC)
    assert read("2:30", near=near) == "08 03:30"


def test_the_hour_that_comes_twice() -> None:
    """1:30 on the night the clocks go back is the one near to which it was said; the first, where that is no help."""
    first, second = datetime(2026, 11, 1, 6, 40, tzinfo=UTC), datetime(2026, 11, 1, 7, 40, tzinfo=UTC)
    assert parse_time("1:30", first, CHICAGO, ENGLISH) == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    assert parse_time("1:30", second, CHICAGO, ENGLISH) == datetime(2026, 11, 1, 7, 30, tzinfo=UTC)
    noon = datetime(2026, 11, 1, 18, 0, tzinfo=UTC)
    assert parse_time("1:30", noon, CHICAGO, ENGLISH) == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)


@settings(deadline=None, max_examples=150)
@given(
    st.integers(1_577_836_800, 2_051_222_400).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    st.sampled_from([CHICAGO, "Pacific/Auckland", "Asia/Kolkata"]),
)
def test_what_a_form_prefills_is_read_as_what_it_was(moment: datetime, zone: str) -> None:
    """S1.5: "Tue 9:12", as forms prefill it, sent back unchanged, is the same minute again (double hours aside)."""
    assume(not moment.astimezone(ZoneInfo(zone)).fold)  # an hour that comes twice is told apart by nobody
    moment = moment.replace(second=0, microsecond=0)
    local = moment.astimezone(ZoneInfo(zone))
    text = f"{ENGLISH[local.weekday()][:3]} {local.hour}:{local:%M}"
    assert parse_time(text, moment, zone, ENGLISH) == moment


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=30))
def test_whatever_stands_there(text: str) -> None:
    """N.5: any text at all is a time or none, never an error."""
    parse_time(text, NEAR, CHICAGO, ENGLISH)
