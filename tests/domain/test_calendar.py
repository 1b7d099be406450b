"""A client's working calendar, by what the client's own wall shows."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailflow.domain.calendar import Calendar, Holidays
from mailflow.domain.hours import ALWAYS, WEEKDAYS, Hours, Stretch
from tests.domain.wall import CHANGES, CHICAGO, DAY, MINUTE, MINUTE_AFTER, at, tally

HOUR = timedelta(hours=1)
AHEAD = 14  # days that the slow way looks ahead
CHRISTMAS = Holidays(
    days=frozenset({date(2026, 11, 26), date(2026, 12, 25), date(2027, 1, 1)}),
    half_days={date(2026, 12, 24): 12 * 60, date(2026, 12, 31): 15 * 60},
)


def hours(**days: list[tuple[int, int]]) -> Hours:
    """Working hours, by the first letters of the days, in minutes after midnight."""
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    return Hours(week=tuple(tuple(Stretch(begins=b, ends=e) for b, e in days.get(name, [])) for name in names))


OFFICE_HOURS = hours(**{day: [(480, 720), (780, 1020)] for day in ("mon", "tue", "wed", "thu", "fri")})
OFFICE = Calendar(timezone=CHICAGO, hours=OFFICE_HOURS, holidays=CHRISTMAS)


def calendar(week: Hours, zone: str = CHICAGO) -> Calendar:
    """Without holidays."""
    return Calendar(timezone=zone, hours=week)


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
        pytest.param("2026-11-26 10:00", "2026-11-27 08:00", id="a-holiday"),
        pytest.param("2026-12-24 11:59", "2026-12-24 11:59", id="a-half-day"),
        pytest.param("2026-12-24 12:00", "2026-12-28 08:00", id="its-end-and-a-holiday-and-the-weekend"),
        pytest.param("2026-12-31 13:00", "2026-12-31 13:00", id="a-half-day-after-lunch"),
    ],
)
def test_the_next_opening(moment: str, opens: str) -> None:
    """S4.7: what helps nobody at night or on a holiday waits for the client's next opening, which may be now."""
    assert OFFICE.next_opening(at(moment)) == at(opens)
    assert OFFICE.is_open(at(moment)) is (moment == opens)


def test_hours_are_the_clients_own() -> None:
    """S4.7: Monday morning in Auckland is Sunday in Chicago."""
    moment = at("2026-11-23 08:30", "Pacific/Auckland")
    assert calendar(OFFICE_HOURS, "Pacific/Auckland").is_open(moment)
    assert not OFFICE.is_open(moment)


def test_a_client_that_is_always_or_never_open() -> None:
    """Whoever works around the clock never waits, and whoever never works is not waited for."""
    moment = at("2026-11-01 01:30")
    always, never = calendar(ALWAYS), calendar(hours())
    assert always.is_open(moment)
    assert not never.is_open(moment)
    assert always.next_opening(moment) == never.next_opening(moment) == moment
    assert always.add(moment, 9 * HOUR) == never.add(moment, 9 * HOUR) == moment + 9 * HOUR
    assert always.working_between(moment, moment + 9 * HOUR) == 9 * HOUR
    assert never.working_between(moment, moment + 9000 * HOUR) == timedelta()
    assert always.working_day_after(moment, 2) == never.working_day_after(moment, 2) == date(2026, 11, 3)
    assert always.end_of_day(date(2026, 11, 3)) == never.end_of_day(date(2026, 11, 3)) == at("2026-11-04 00:00")


def test_plain_weekdays() -> None:
    """Where nobody has said when a client works, Monday to Friday are counted on."""
    assert calendar(WEEKDAYS).working_day_after(at("2026-11-27 09:00"), 1) == date(2026, 11, 30)
    assert calendar(WEEKDAYS).until(17 * 60).end_of_day(date(2026, 11, 30)) == at("2026-11-30 17:00")


def test_an_opening_in_the_hour_that_is_skipped() -> None:
    """Who opens at 2:30 on the night that has none opens when the clocks have jumped."""
    early = calendar(hours(sun=[(150, 240)]))
    assert early.next_opening(at("2026-03-08 00:30")) == at("2026-03-08 03:00")
    skipped = calendar(hours(sun=[(130, 170)]))
    assert skipped.next_opening(at("2026-03-08 00:30")) == at("2026-03-15 02:10")
    assert skipped.working_day_after(at("2026-03-07 12:00"), 1) == date(2026, 3, 15)


def test_an_opening_in_the_hour_that_comes_twice() -> None:
    """Who works until 1:30 is open again when the wall shows one for the second time."""
    late = calendar(hours(sun=[(30, 90)]))
    first_close = datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    assert not late.is_open(first_close)
    assert late.next_opening(first_close) == datetime(2026, 11, 1, 7, tzinfo=UTC)
    assert late.working_between(at("2026-11-01 00:00"), at("2026-11-02 00:00")) == 90 * MINUTE
    assert late.end_of_day(date(2026, 11, 1)) == datetime(2026, 11, 1, 7, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "working", "until"),
    [
        pytest.param("2026-11-24 09:00", 2, "2026-11-24 11:00", id="before-lunch"),
        pytest.param("2026-11-24 09:00", 3, "2026-11-24 12:00", id="until-lunch"),
        pytest.param("2026-11-24 09:00", 4, "2026-11-24 14:00", id="over-lunch"),
        pytest.param("2026-11-24 16:00", 1, "2026-11-24 17:00", id="the-closing-is-the-day's"),
        pytest.param("2026-11-24 20:00", 1, "2026-11-25 09:00", id="from-the-night"),
        pytest.param("2026-11-25 16:00", 2, "2026-11-27 09:00", id="over-a-holiday"),
        pytest.param("2026-12-24 09:00", 4, "2026-12-28 09:00", id="over-a-half-day"),
        pytest.param("2026-11-24 20:00", 0, "2026-11-24 20:00", id="nothing"),
    ],
)
def test_working_time_passes(start: str, working: int, until: str) -> None:
    """N.4: hours that are promised are hours in which the client works; between both moments lies just that."""
    assert OFFICE.add(at(start), working * HOUR) == at(until)
    assert OFFICE.working_between(at(start), at(until)) == working * HOUR
    assert OFFICE.working_between(at(until), at(start)) == timedelta()


def test_an_answer_is_in_the_zone_of_the_question() -> None:
    """Moments of one zone are compared by the moment, also in the hour that comes twice."""
    zone = ZoneInfo(CHICAGO)
    first, second = (datetime(2026, 11, 1, 1, 30, tzinfo=zone, fold=fold) for fold in (0, 1))
    always = calendar(ALWAYS)
    assert always.working_between(first, second) == HOUR
    assert always.add(first, HOUR).astimezone(UTC) == second.astimezone(UTC)
    assert always.add(first, HOUR).tzinfo is zone
    assert always.next_opening(second).tzinfo is zone


@pytest.mark.parametrize(
    ("week", "day", "ends"),
    [
        pytest.param({"tue": [(480, 1020)]}, "2026-11-24", "2026-11-24 16:00", id="cut"),
        pytest.param({"tue": [(480, 900)]}, "2026-11-24", "2026-11-24 15:00", id="closed-before"),
        pytest.param({"tue": [(480, 720), (970, 1020)]}, "2026-11-24", "2026-11-24 12:00", id="in-a-break"),
        pytest.param({"tue": [(1200, 1440)]}, "2026-11-24", "2026-11-25 00:00", id="a-night-shift"),
        pytest.param({"thu": [(480, 1020)]}, "2026-12-24", "2026-12-24 12:00", id="a-half-day"),
        pytest.param({"sun": [(60, 150)]}, "2026-03-08", "2026-03-08 03:00", id="into-the-hour-that-is-skipped"),
        pytest.param({"sun": [(60, 90), (130, 170)]}, "2026-03-08", "2026-03-08 01:30", id="a-skipped-stretch"),
    ],
)
def test_the_end_of_a_day(week: dict[str, list[tuple[int, int]]], day: str, ends: str) -> None:
    """S0.3: "by Thursday" is the day's end at 16:00, but never after the client has gone home."""
    client = Calendar(timezone=CHICAGO, hours=hours(**week), holidays=CHRISTMAS).until(16 * 60)
    assert client.end_of_day(date.fromisoformat(day)) == at(ends)


def test_a_day_that_the_clocks_skip_is_no_working_day() -> None:
    """Samoa had no 30 December 2011."""
    samoa = calendar(ALWAYS, "Pacific/Apia")
    assert samoa.working_day_after(at("2011-12-29 12:00", "Pacific/Apia"), 1) == date(2011, 12, 31)


def test_midnight_is_the_end_of_the_day_before() -> None:
    """What is done by midnight is done on that day, not on the next."""
    assert calendar(ALWAYS).day_of(at("2026-11-25 00:00")) == date(2026, 11, 24)
    assert calendar(ALWAYS).day_of(at("2026-11-25 00:01")) == date(2026, 11, 25)


def stretches() -> st.SearchStrategy[tuple[Stretch, ...]]:
    """A day's work, with a break or without, sometimes to midnight or from it."""
    edges = st.lists(st.integers(0, 1440) | st.sampled_from([0, 60, 120, 1440]), min_size=2, max_size=4, unique=True)
    return edges.map(
        lambda found: tuple(
            Stretch(begins=b, ends=e) for b, e in zip(sorted(found)[::2], sorted(found)[1::2], strict=False)
        )
    )


def weeks() -> st.SearchStrategy[Hours]:
    """Any week with some work in it."""
    days = st.lists(st.just(()) | stretches(), min_size=7, max_size=7).filter(any)
    return st.just(ALWAYS) | days.map(lambda week: Hours(week=tuple(week)))


@st.composite
def clients(draw: st.DrawFn, around: int) -> tuple[Calendar, datetime]:
    """Any client, and a moment so many minutes around a change of its clocks at most."""
    zone, changed = draw(st.sampled_from([*CHANGES, *MINUTE_AFTER]))
    start = changed + draw(st.integers(-around, around)) * MINUTE
    near = st.integers(-3, AHEAD).map(lambda n: (start + n * DAY).date())
    half = draw(st.dictionaries(near, st.integers(1, 1439), max_size=3))
    days = draw(st.frozensets(near, max_size=6)) - half.keys()
    return Calendar(timezone=zone, hours=draw(weeks()), holidays=Holidays(days=days, half_days=half)), start


def assert_as_on_the_wall(client: Calendar, start: datetime, count: int, days: int) -> None:
    """Every answer is that of somebody who looks at the wall minute by minute."""
    worked = tally(client, start, AHEAD)
    wall = start.astimezone(ZoneInfo(client.timezone)).date()
    ends = start + count * MINUTE
    assert client.is_open(start) is (worked[:1] == [(start, wall)])
    assert client.working_between(start, ends) == sum(m < ends for m, _ in worked) * MINUTE
    if worked:
        assert client.next_opening(start) == worked[0][0]
    if len(worked) >= count:
        assert client.add(start, count * MINUTE) == worked[count - 1][0] + MINUTE
    coming = sorted({day for _, day in worked if day > wall})
    if len(coming) > days:  # one more, so that the last one is there to its end
        day = coming[days - 1]
        assert client.working_day_after(start, days) == day
        assert client.end_of_day(day) == max(m for m, d in worked if d == day) + MINUTE
        assert client.day_of(client.end_of_day(day)) == day


@settings(deadline=None, max_examples=80)
@given(clients(around=4_000), st.integers(1, 3_000), st.integers(1, 4))
def test_as_somebody_who_looks_at_the_wall(found: tuple[Calendar, datetime], count: int, days: int) -> None:
    """N.4, S4.7: whatever the clocks do, every answer is that of somebody who looks at the wall minute by minute."""
    assert_as_on_the_wall(*found, count, days)


@pytest.mark.soak
@settings(deadline=None, max_examples=600)
@given(clients(around=300_000), st.integers(1, 6_000), st.integers(1, 6))
def test_as_somebody_who_looks_at_the_wall_all_year(found: tuple[Calendar, datetime], count: int, days: int) -> None:
    """N.4, S4.7: the same anywhere in a year."""
    assert_as_on_the_wall(*found, count, days)


@pytest.mark.soak
@pytest.mark.parametrize("zone", sorted({zone for zone, changed in CHANGES if changed.year == 2026} - {"Asia/Kolkata"}))
def test_a_whole_year(zone: str) -> None:
    """N.4: over a whole year with both changes of its clocks not a minute of a client's work is lost or made up."""
    client = Calendar(timezone=zone, hours=OFFICE_HOURS, holidays=CHRISTMAS)
    nights = Calendar(timezone=zone, hours=hours(sat=[(1320, 1440)], sun=[(0, 240)]), holidays=CHRISTMAS)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for one in (client, nights):
        worked = tally(one, start, 365)
        assert one.working_between(start, start + 366 * DAY) == len(worked) * MINUTE
        for count in range(1, len(worked), 4_999):
            assert one.add(start, count * MINUTE) == worked[count - 1][0] + MINUTE
