"""Planned work: which thing is in a window at which moment, whatever the clocks do."""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailflow.domain.maintenance import Recurring, Window, covering, ending_between, spelt_like
from tests.domain.wall import CHANGES, CHICAGO, MINUTE, at

FILE_SERVER = ("file server", "NW-FS01", "nw-fs01.northwind.example")


def window(begins: str, ends: str, client: str = "northwind", things: tuple[str, ...] = (), why: str = "") -> Window:
    """Work that is planned once, by the wall in Chicago."""
    return Window(client=client, things=things, begins=at(begins), ends=at(ends), why=why)


SATURDAY = window("2026-11-28 22:00", "2026-11-29 02:00")
FIRST_SUNDAY = Recurring(
    client="northwind", days=(6,), weeks=(1,), begins="02:00", ends="04:00", timezone=CHICAGO, why="patches"
)
NIGHTLY = Recurring(days=tuple(range(7)), begins="22:00", ends="02:00", timezone=CHICAGO)


@pytest.mark.parametrize(
    ("moment", "covered"),
    [
        ("2026-11-28 21:59:59", False),
        ("2026-11-28 22:00", True),
        ("2026-11-29 01:59:59", True),
        ("2026-11-29 02:00", False),
    ],
)
def test_a_window_has_no_last_moment(moment: str, covered: bool) -> None:
    """What happens at the end happens after the work, so it is told."""
    assert (covering([SATURDAY], "northwind", FILE_SERVER, at(moment)) is not None) is covered


@pytest.mark.parametrize(
    ("client", "things", "covered"),
    [
        pytest.param("northwind", (), True, id="everything"),
        pytest.param("", (), True, id="every-client"),
        pytest.param("contoso", (), False, id="another-client"),
        pytest.param("northwind", ("file server",), True, id="by-name"),
        pytest.param("northwind", ("nw-FS??",), True, id="by-pattern"),
        pytest.param("northwind", ("*.northwind.example",), True, id="by-domain"),
        pytest.param("northwind", ("mail server", "NW-FS01"), True, id="one-of-several"),
        pytest.param("northwind", ("mail server",), False, id="another-thing"),
        pytest.param("northwind", ("NW-FS",), False, id="a-part-of-a-name"),
        pytest.param("", ("sw-*",), False, id="another-thing-of-every-client"),
    ],
)
def test_a_window_covers_what_it_names(client: str, things: tuple[str, ...], covered: bool) -> None:
    """One client's planned work never hides another's trouble, nor one thing's another's."""
    planned = window("2026-11-28 22:00", "2026-11-29 02:00", client, things)
    assert (covering([planned], "northwind", FILE_SERVER, at("2026-11-28 23:00")) is not None) is covered


def test_a_thing_that_nobody_can_name_is_covered_by_windows_for_everything_alone() -> None:
    """An alert without a host is in a client's window, but not in that of one host."""
    night = at("2026-11-28 23:00")
    assert covering([SATURDAY], "northwind", (), night) is SATURDAY
    named = window("2026-11-28 22:00", "2026-11-29 02:00", things=("*",))
    assert covering([named], "northwind", ("", ""), night) is None


def test_of_overlapping_windows_the_one_that_ends_last() -> None:
    """Trouble waits until the last of the planned work is over."""
    longer = window("2026-11-28 20:00", "2026-11-29 06:00", client="")
    later = window("2026-11-28 23:00", "2026-11-29 05:00")
    assert covering([SATURDAY, longer, later], "northwind", FILE_SERVER, at("2026-11-28 23:30")) is longer


@pytest.mark.parametrize(
    ("pattern", "spelling", "fits"),
    [
        ("nw-*", "NW-FS01", True),
        ("STRASSE", "straße", True),
        ("nw-[f]s01", "nw-fs01", False),
        ("disk [1]", "disk [1]", True),
        ("a.c", "abc", False),
        ("*", "line\nbreak", True),
        ("*" + "a*" * 30 + "b", "a" * 200, False),
    ],
)
def test_patterns_are_plain(pattern: str, spelling: str, fits: bool) -> None:
    """Only * and ? are special, whatever characters a host's name holds."""
    assert spelt_like([pattern], [spelling]) is fits


@pytest.mark.parametrize(
    ("planned", "moment", "begins", "ends"),
    [
        pytest.param(FIRST_SUNDAY, "2026-12-06 03:00", "2026-12-06 02:00", "2026-12-06 04:00", id="first-sunday"),
        pytest.param(FIRST_SUNDAY, "2026-12-13 03:00", None, None, id="second-sunday"),
        pytest.param(FIRST_SUNDAY, "2026-11-01 03:00", "2026-11-01 02:00", "2026-11-01 04:00", id="end-of-summer-time"),
        pytest.param(NIGHTLY, "2026-11-24 23:00", "2026-11-24 22:00", "2026-11-25 02:00", id="before-midnight"),
        pytest.param(NIGHTLY, "2026-11-25 01:00", "2026-11-24 22:00", "2026-11-25 02:00", id="after-midnight"),
        pytest.param(NIGHTLY, "2026-11-25 02:00", None, None, id="over"),
        pytest.param(NIGHTLY, "2026-11-25 12:00", None, None, id="by-day"),
    ],
)
def test_recurring_work_is_answered_with_its_window(
    planned: Recurring, moment: str, begins: str | None, ends: str | None
) -> None:
    """Whoever is told of planned work is told from when to when it is this time."""
    found = covering([planned], "northwind", FILE_SERVER, at(moment))
    expected = (at(begins), at(ends), planned.why) if begins and ends else None
    assert (found and (found.begins, found.ends, found.why)) == expected


def test_weeks_of_the_month() -> None:
    """The first to fourth and the last of a month's days, and only between the dates that are given."""
    work = Recurring(days=(6,), weeks=(2, -1), begins="02:00", ends="04:00", timezone=CHICAGO)
    sundays = [day for day in (date(2026, 11, n) for n in range(1, 31)) if work.begins_on(day)]
    assert sundays == [date(2026, 11, 8), date(2026, 11, 29)]
    bounded = Recurring(
        days=(6,), begins="02:00", ends="04:00", timezone=CHICAGO, first=date(2026, 11, 8), last=date(2026, 11, 15)
    )
    sundays = [day for day in (date(2026, 11, n) for n in range(1, 31)) if bounded.begins_on(day)]
    assert sundays == [date(2026, 11, 8), date(2026, 11, 15)]


def test_the_night_on_which_the_clocks_change() -> None:
    """A window is what the wall shows: an hour shorter in spring, an hour longer in autumn, none if it is skipped."""
    spring, autumn = NIGHTLY.window(date(2026, 3, 7)), NIGHTLY.window(date(2026, 10, 31))
    assert spring
    assert autumn
    assert (spring.ends - spring.begins, autumn.ends - autumn.begins) == (timedelta(hours=4), timedelta(hours=5))
    twice = Recurring(days=(5,), begins="22:00", ends="01:30", timezone=CHICAGO).window(date(2026, 10, 31))
    assert twice
    assert twice.ends == datetime(2026, 11, 1, 7, 30, tzinfo=UTC)  # the second half past one
    skipped = Recurring(days=(6,), begins="02:10", ends="02:50", timezone=CHICAGO)
    assert skipped.window(date(2026, 3, 8)) is None
    assert skipped.window(date(2026, 3, 15)) is not None


def test_windows_that_have_ended() -> None:
    """At a window's end, seen once, what is still open can be told: (after, until], oldest first."""
    ended = ending_between([NIGHTLY, SATURDAY], at("2026-11-28 02:00"), at("2026-11-30 02:00"))
    assert [w.ends for w in ended] == [at("2026-11-29 02:00"), at("2026-11-29 02:00"), at("2026-11-30 02:00")]
    assert ending_between([SATURDAY], at("2026-11-28 00:00"), at("2026-11-29 01:59")) == ()


def test_after_a_very_long_standstill() -> None:
    """Even if the service last looked years ago, no more than the last 400 days are gone through."""
    ended = ending_between([NIGHTLY], datetime(2001, 1, 1, tzinfo=UTC), at("2026-11-24 12:00"))
    assert len(ended) == 400


@cache
def around(zone: str, change: datetime) -> list[tuple[datetime, datetime]]:
    """Each minute of some days, and what the wall shows at it."""
    minutes = (change + n * MINUTE for n in range(-4_500, 4_500))
    return [(minute, minute.astimezone(ZoneInfo(zone)).replace(tzinfo=None)) for minute in minutes]


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from(CHANGES),
    st.integers(0, 1439),
    st.integers(0, 1439),
    st.sets(st.integers(0, 6), min_size=1),
    st.integers(-1_400, 1_400),
)
def test_as_somebody_who_looks_at_the_wall(
    change: tuple[str, datetime], begins: int, ends: int, days: set[int], minutes: int
) -> None:
    """A recurring window is all from the first to the last minute at which the wall shows a time within it."""
    zone, changed = change
    planned = Recurring(
        days=tuple(days),
        begins=f"{begins // 60:02}:{begins % 60:02}",
        ends=f"{ends // 60:02}:{ends % 60:02}",
        timezone=zone,
    )
    middle = datetime.combine(changed.astimezone(ZoneInfo(zone)).date(), datetime.min.time())
    seen = []
    for day in (middle + timedelta(days=n) for n in range(-3, 3)):
        if day.weekday() in days:
            first = day + begins * MINUTE
            last = day + ends * MINUTE + timedelta(days=ends <= begins)
            within = [minute for minute, wall in around(zone, changed) if first <= wall < last]
            if within:
                seen.append((within[0], within[-1] + MINUTE))
    moment = changed + minutes * MINUTE
    found = covering([planned], "northwind", (), moment)
    expected = max((w for w in seen if w[0] <= moment < w[1]), key=lambda w: w[1], default=None)
    assert (found and (found.begins, found.ends)) == expected
    ended = ending_between([planned], changed - timedelta(days=1), moment)
    assert [w.ends for w in ended] == sorted(e for _, e in seen if changed - timedelta(days=1) < e <= moment)
