"""A client's working hours, by what the client's own wall shows."""

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailflow.domain.hours import ALWAYS, Hours, Stretch, first_showing, is_open, last_showing, next_opening

CHICAGO = "America/Chicago"
MINUTE = timedelta(minutes=1)
# When clocks change: an hour at two in the night, half an hour, at midnight in both directions, and a whole day.
CHANGES = [
    (CHICAGO, datetime(2026, 3, 8, 8, tzinfo=UTC)),
    (CHICAGO, datetime(2026, 11, 1, 7, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
    ("Africa/Cairo", datetime(2026, 4, 23, 22, tzinfo=UTC)),
    ("Africa/Cairo", datetime(2026, 10, 29, 21, tzinfo=UTC)),
    ("America/Havana", datetime(2026, 3, 8, 5, tzinfo=UTC)),
    ("America/Havana", datetime(2026, 11, 1, 5, tzinfo=UTC)),
    ("Pacific/Apia", datetime(2011, 12, 30, 10, tzinfo=UTC)),
    ("Asia/Kolkata", datetime(2026, 3, 8, 8, tzinfo=UTC)),  # where they never do
]


def hours(**days: list[tuple[int, int]]) -> Hours:
    """Working hours, by the first letters of the days, in minutes after midnight."""
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    return Hours(week=tuple(tuple(Stretch(begins=b, ends=e) for b, e in days.get(name, [])) for name in names))


OFFICE = hours(**{day: [(480, 720), (780, 1020)] for day in ("mon", "tue", "wed", "thu", "fri")})


def at(text: str, zone: str = CHICAGO) -> datetime:
    """A moment as it is written on a wall."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        pytest.param("2026-11-24 09:12", "2026-11-24 09:12", id="open"),
        pytest.param("2026-11-24 08:00", "2026-11-24 08:00", id="the-first-minute"),
        pytest.param("2026-11-24 12:00", "2026-11-24 13:00", id="lunch"),
        pytest.param("2026-11-24 17:00", "2026-11-25 08:00", id="the-end-is-not-part"),
        pytest.param("2026-11-27 17:30", "2026-11-30 08:00", id="the-weekend"),
        pytest.param("2026-11-24 03:00:30", "2026-11-24 08:00", id="the-small-hours"),
        pytest.param("2026-10-31 12:00", "2026-11-02 08:00", id="over-the-end-of-summer-time"),
        pytest.param("2026-03-07 12:00", "2026-03-09 08:00", id="over-its-start"),
    ],
)
def test_the_next_opening(moment: str, opens: str) -> None:
    """A deadline in business hours waits for the client's next opening, which is now while it is open."""
    assert next_opening(OFFICE, at(moment), CHICAGO) == at(opens)
    assert is_open(OFFICE, at(moment), CHICAGO) is (moment == opens)


def test_hours_are_the_clients_own() -> None:
    """Monday morning in Auckland is Sunday in Chicago."""
    moment = at("2026-11-23 08:30", "Pacific/Auckland")
    assert is_open(OFFICE, moment, "Pacific/Auckland")
    assert not is_open(OFFICE, moment, CHICAGO)


def test_a_client_that_is_always_or_never_open() -> None:
    """Whoever works around the clock never waits, and whoever never works is not waited for."""
    moment = at("2026-11-01 01:30")
    assert is_open(ALWAYS, moment, CHICAGO)
    assert not is_open(hours(), moment, CHICAGO)
    assert next_opening(ALWAYS, moment, CHICAGO) == next_opening(hours(), moment, CHICAGO) == moment


def test_an_opening_in_the_hour_that_is_skipped() -> None:
    """Who opens at 2:30 on the night that has none opens when the clocks have jumped."""
    early = hours(sun=[(150, 240)])
    assert next_opening(early, at("2026-03-08 00:30"), CHICAGO) == at("2026-03-08 03:00")
    skipped = hours(sun=[(130, 170)])
    assert next_opening(skipped, at("2026-03-08 00:30"), CHICAGO) == at("2026-03-15 02:10")


def test_an_opening_in_the_hour_that_comes_twice() -> None:
    """Who works until 1:30 is open again when the wall shows one for the second time."""
    late = hours(sun=[(30, 90)])
    first_close = datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    assert not is_open(late, first_close, CHICAGO)
    assert next_opening(late, first_close, CHICAGO) == datetime(2026, 11, 1, 7, tzinfo=UTC)


stretches = st.lists(st.integers(0, 1440), min_size=2, max_size=4, unique=True).map(
    lambda edges: list(zip(sorted(edges)[::2], sorted(edges)[1::2], strict=False))
)


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(CHANGES),
    st.integers(-2_000, 1_000),
    st.dictionaries(st.sampled_from(["mon", "wed", "thu", "fri", "sat", "sun"]), stretches, min_size=2),
)
def test_as_somebody_who_looks_at_the_wall(
    change: tuple[str, datetime], minutes: int, week: dict[str, list[tuple[int, int]]]
) -> None:
    """Whatever the clocks do, the next opening is the first minute at which the wall shows working hours."""
    zone, changed = change
    client = hours(**week)
    moment = changed + minutes * MINUTE

    def shows_work(minute: datetime) -> bool:
        wall = minute.astimezone(ZoneInfo(zone))
        begun = [s for s in client.week[wall.weekday()] if s.begins <= wall.hour * 60 + wall.minute]
        return any(wall.hour * 60 + wall.minute < s.ends for s in begun)

    looked_at = (moment + n * MINUTE for n in range(9 * 1440))
    expected = next((minute for minute in looked_at if shows_work(minute)), None)
    found = next_opening(client, moment, zone)
    assert is_open(client, moment, zone) is shows_work(moment)
    assert found.tzinfo is UTC
    if expected is not None:
        assert found == expected
    else:  # only where the clocks left out the one stretch of the week
        assert found > moment + timedelta(days=9)


@cache
def shown(zone: str, change: datetime) -> list[tuple[datetime, datetime]]:
    """Each minute of some days, and what the wall shows at it."""
    minutes = (change + n * MINUTE for n in range(-4_000, 4_000))
    return [(minute, minute.astimezone(ZoneInfo(zone)).replace(tzinfo=None)) for minute in minutes]


@settings(deadline=None, max_examples=100)
@given(st.sampled_from(CHANGES), st.integers(-2_000, 2_000))
def test_when_the_wall_shows_a_time(change: tuple[str, datetime], minutes: int) -> None:
    """From the first showing on the wall shows that time or later; from the last on it never shows an earlier one."""
    zone, changed = change
    wall = changed.astimezone(ZoneInfo(zone)).replace(tzinfo=None) + minutes * MINUTE
    assert first_showing(wall, ZoneInfo(zone)) == next(m for m, s in shown(zone, changed) if s >= wall)
    assert last_showing(wall, ZoneInfo(zone)) == MINUTE + max(m for m, s in shown(zone, changed) if s < wall)
