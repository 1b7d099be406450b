"""When things are due: at the end of a local working day, whatever the clocks do."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailflow.domain.worktime import clock_time, due_by_day, next_local

CHICAGO, AUCKLAND, KOLKATA = "America/Chicago", "Pacific/Auckland", "Asia/Kolkata"
ZONES = [CHICAGO, AUCKLAND, KOLKATA, "UTC", "Europe/London", "America/St_Johns", "Pacific/Kiritimati"]


def at(text: str, zone: str = "UTC") -> datetime:
    """A moment as it is written on a wall."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "days", "zone", "due"),
    [
        pytest.param("2026-11-24 09:12", 2, CHICAGO, "2026-11-26 17:00", id="tuesday-to-thursday"),
        pytest.param("2026-11-24 23:59", 2, CHICAGO, "2026-11-26 17:00", id="late-evening-is-still-tuesday"),
        pytest.param("2026-11-26 09:00", 2, CHICAGO, "2026-11-30 17:00", id="saturday-becomes-monday"),
        pytest.param("2026-11-27 09:00", 2, CHICAGO, "2026-11-30 17:00", id="sunday-becomes-monday"),
        pytest.param("2026-11-27 09:00", 3, CHICAGO, "2026-11-30 17:00", id="monday-itself"),
        pytest.param("2026-11-25 18:30", 1, AUCKLAND, "2026-11-26 17:00", id="ahead-of-utc"),
        pytest.param("2026-11-26 09:00", 1, KOLKATA, "2026-11-27 17:00", id="half-an-hour-off"),
        pytest.param("2026-03-06 12:00", 3, CHICAGO, "2026-03-09 17:00", id="over-the-start-of-summer-time"),
        pytest.param("2026-10-30 12:00", 3, CHICAGO, "2026-11-02 17:00", id="over-its-end"),
        pytest.param("2026-12-31 12:00", 1, CHICAGO, "2027-01-01 17:00", id="over-new-year"),
    ],
)
def test_due_at_the_end_of_the_day(now: str, days: int, zone: str, due: str) -> None:
    """S0.3: "by Thursday" is the end of Thursday on the client's own wall, never a weekend."""
    assert due_by_day(at(now, zone), timedelta(days=days), zone, "17:00") == at(due, zone)


def test_an_hour_that_does_not_exist() -> None:
    """A day that ends in the hour that the clocks skip still has an end: an hour later, as it stands on the wall."""
    # In Cairo the clocks skip from midnight to one on Friday 24 April 2026.
    due = due_by_day(at("2026-04-23 12:00", "Africa/Cairo"), timedelta(days=1), "Africa/Cairo", "00:30")
    assert due.astimezone(ZoneInfo("Africa/Cairo")).strftime("%d %H:%M") == "24 01:30"


def test_an_hour_that_exists_twice() -> None:
    """Of the two 1:30 of 1 November in Chicago a digest at 1:30 means the first."""
    assert next_local(at("2026-11-01 00:30", CHICAGO), CHICAGO, "01:30") == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "zone", "next_"),
    [
        ("2026-11-30 13:00", CHICAGO, "2026-11-30 14:00"),  # 7:00 there: later today
        ("2026-11-30 15:00", CHICAGO, "2026-11-30 14:00"),  # 9:00 there: it was today
        ("2026-11-30 05:00", CHICAGO, "2026-11-29 14:00"),  # still Sunday evening there
        ("2026-11-30 12:00", AUCKLAND, "2026-11-30 19:00"),  # Tuesday there already
    ],
)
def test_the_digests_hour(now: str, zone: str, next_: str) -> None:
    """A digest's hour is today's in the manager's own zone, past or future."""
    assert next_local(at(now), zone, "08:00") == at(next_)


@settings(deadline=None, max_examples=150)
@given(
    st.integers(1_577_836_800, 2_051_222_400).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    st.integers(0, 10),
    st.sampled_from(ZONES),
)
def test_whenever_it_is(now: datetime, days: int, zone: str) -> None:
    """S0.3: always aware UTC, a weekday at 17:00 there, never before what was asked, never three days after it."""
    due = due_by_day(now, timedelta(days=days), zone, "17:00")
    there = due.astimezone(ZoneInfo(zone))
    asked = (now + timedelta(days=days)).astimezone(ZoneInfo(zone)).date()
    assert due.tzinfo is UTC
    assert there.time() == time(17)
    assert there.weekday() < 5
    assert asked <= there.date() <= asked + timedelta(days=2)


@pytest.mark.parametrize(("text", "meant"), [("17:00", time(17)), ("8:05", time(8, 5)), ("00:00", time(0))])
def test_a_time_of_day(text: str, meant: time) -> None:
    """Times of day are written as in the configuration."""
    assert clock_time(text) == meant


@pytest.mark.parametrize("text", ["", "17", "24:00", "8:60", "eight", "8:0x", "-1:00"])
def test_what_is_no_time_of_day(text: str) -> None:
    """What is none is refused, never guessed."""
    with pytest.raises(ValueError, match=r"."):
        clock_time(text)
