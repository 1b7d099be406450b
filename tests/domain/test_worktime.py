"""When things are due: in the client's working time, whatever was waited for and whatever the clocks do."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailflow.domain.calendar import Calendar
from mailflow.domain.hours import ALWAYS, WEEKDAYS
from mailflow.domain.vocabulary import Priority
from mailflow.domain.worktime import (
    Clocked,
    Deadlines,
    Extended,
    Paused,
    PriorityChanged,
    Resumed,
    Started,
    Within,
    clock_time,
    due_at,
    due_within,
    next_local,
)
from tests.domain.test_calendar import OFFICE, clients, hours
from tests.domain.wall import CHICAGO, DAY, MINUTE, at, due_after, due_by

AUCKLAND, KOLKATA = "Pacific/Auckland", "Asia/Kolkata"
ZONES = [CHICAGO, AUCKLAND, KOLKATA, "UTC", "Europe/London", "America/St_Johns", "Pacific/Kiritimati"]
P1, P2, P3 = Priority.P1, Priority.P2, Priority.P3
POLICY = Deadlines(
    within={P1: Within(working=timedelta(hours=4)), P2: Within(days=1), P3: Within(days=2)}, day_ends="16:30"
)
Waits = list[tuple[int, int]]  # minutes after the start
AHEAD = 16  # days that the slow way looks ahead


def weekdays(zone: str) -> Calendar:
    """Of a client of whom nobody has said when they work."""
    return Calendar(timezone=zone, hours=WEEKDAYS)


@pytest.mark.parametrize(
    ("now", "days", "zone", "due"),
    [
        pytest.param("2026-11-24 09:12", 2, CHICAGO, "2026-11-26 17:00", id="tuesday-to-thursday"),
        pytest.param("2026-11-24 23:59", 2, CHICAGO, "2026-11-26 17:00", id="late-evening-is-still-tuesday"),
        pytest.param("2026-11-26 09:00", 2, CHICAGO, "2026-11-30 17:00", id="saturday-becomes-monday"),
        pytest.param("2026-11-27 09:00", 2, CHICAGO, "2026-12-01 17:00", id="a-weekend-is-not-counted"),
        pytest.param("2026-11-28 09:00", 1, CHICAGO, "2026-11-30 17:00", id="from-a-weekend"),
        pytest.param("2026-11-25 18:30", 1, AUCKLAND, "2026-11-26 17:00", id="ahead-of-utc"),
        pytest.param("2026-11-26 09:00", 1, KOLKATA, "2026-11-27 17:00", id="half-an-hour-off"),
        pytest.param("2026-03-06 12:00", 1, CHICAGO, "2026-03-09 17:00", id="over-the-start-of-summer-time"),
        pytest.param("2026-10-30 12:00", 1, CHICAGO, "2026-11-02 17:00", id="over-its-end"),
        pytest.param("2026-12-31 12:00", 1, CHICAGO, "2027-01-01 17:00", id="over-new-year"),
    ],
)
def test_due_at_the_end_of_the_day(now: str, days: int, zone: str, due: str) -> None:
    """S0.3: "by Thursday" is the end of Thursday on the client's own wall, never a weekend."""
    assert due_within(at(now, zone), Within(days=days), "17:00", weekdays(zone)) == at(due, zone)


def test_a_client_who_always_works() -> None:
    """A promise to a client who works around the clock is due on a Saturday too."""
    due = due_within(at("2026-11-26 09:00"), Within(days=2), "17:00", Calendar(timezone=CHICAGO, hours=ALWAYS))
    assert due == at("2026-11-28 17:00")


def test_an_hour_that_does_not_exist() -> None:
    """A day that would end in its first hour, and has none, is no working day: the next one is."""
    # In Cairo the clocks skip from midnight to one on Friday 24 April 2026.
    cairo = Calendar(timezone="Africa/Cairo", hours=ALWAYS)
    due = due_within(at("2026-04-23 12:00", "Africa/Cairo"), Within(days=1), "00:30", cairo)
    assert due.astimezone(ZoneInfo("Africa/Cairo")).strftime("%d %H:%M") == "25 00:30"


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
    assert next_local(at(now, "UTC"), zone, "08:00") == at(next_, "UTC")


@settings(deadline=None, max_examples=150)
@given(
    st.integers(1_577_836_800, 2_051_222_400).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    st.integers(1, 10),
    st.sampled_from(ZONES),
)
def test_whenever_it_is(now: datetime, days: int, zone: str) -> None:
    """S0.3: always aware UTC, a weekday at 17:00 there, with as many weekdays in between as were promised."""
    due = due_within(now, Within(days=days), "17:00", weekdays(zone))
    there, begun = due.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone)).date()
    assert due.tzinfo is UTC
    assert there.time() == time(17)
    assert there.weekday() < 5
    passed = [begun + n * DAY for n in range(1, (there.date() - begun).days + 1)]
    assert sum(day.weekday() < 5 for day in passed) == days


def story(*events: tuple[str, str]) -> list[Clocked]:
    """A log, written as (when, what happened)."""
    log: list[Clocked] = []
    for when, what in events:
        word, _, rest = what.partition(" ")
        moment = at(f"2026-{when}")
        if word == "begins":
            log.append(Started(at=moment, priority=Priority(rest)))
        elif word == "priority":
            log.append(PriorityChanged(at=moment, priority=Priority(rest)))
        elif word == "waits":
            log.append(Paused(at=moment, why=rest))
        elif word == "goes-on":
            log.append(Resumed(at=moment, why=rest))
        else:
            log.append(Extended(at=moment, to=at(f"2026-{rest}")))
    return log


TUE = "11-24"  # Thursday the 26th is a holiday, Thursday 24 December a half day
BEGINS = (f"{TUE} 09:00", "begins P1")


@pytest.mark.parametrize(
    ("events", "due"),
    [
        pytest.param([BEGINS], "11-24 14:00", id="four-hours-and-lunch"),
        pytest.param([(f"{TUE} 18:00", "begins P1")], "11-25 12:00", id="from-the-evening"),
        pytest.param([("11-25 15:00", "begins P1")], "11-27 10:00", id="over-a-holiday"),
        pytest.param([("12-24 10:00", "begins P1")], "12-28 10:00", id="over-a-half-day"),
        pytest.param([(f"{TUE} 09:00", "begins P2")], "11-25 16:30", id="a-day"),
        pytest.param([(f"{TUE} 09:00", "begins P3")], "11-27 16:30", id="two-days-and-a-holiday"),
        pytest.param([("12-23 09:00", "begins P2")], "12-24 12:00", id="the-half-day-ends-early"),
        pytest.param(
            [BEGINS, (f"{TUE} 10:00", "waits client"), (f"{TUE} 11:30", "goes-on client")],
            "11-24 15:30",
            id="a-pause",
        ),
        pytest.param(
            [BEGINS, (f"{TUE} 11:30", "waits client"), (f"{TUE} 13:30", "goes-on")],
            "11-24 15:00",
            id="a-pause-over-lunch",
        ),
        pytest.param(
            [BEGINS, (f"{TUE} 12:10", "waits client"), (f"{TUE} 12:50", "goes-on")],
            "11-24 14:00",
            id="a-pause-in-lunch",
        ),
        pytest.param(
            [
                BEGINS,
                (f"{TUE} 09:30", "waits client"),
                (f"{TUE} 10:00", "waits vendor"),
                (f"{TUE} 10:30", "goes-on client"),
                (f"{TUE} 11:00", "goes-on vendor"),
            ],
            "11-24 15:30",
            id="two-are-waited-for",
        ),
        pytest.param(
            [
                BEGINS,
                (f"{TUE} 09:30", "waits client"),
                (f"{TUE} 10:00", "goes-on"),
                (f"{TUE} 10:30", "waits client"),
                (f"{TUE} 11:00", "goes-on"),
            ],
            "11-24 15:00",
            id="two-pauses",
        ),
        pytest.param([BEGINS, (f"{TUE} 10:00", "waits client")], None, id="it-still-waits"),
        pytest.param([BEGINS, (f"{TUE} 14:00", "waits client")], "11-24 14:00", id="too-late-to-wait"),
        pytest.param(
            [BEGINS, (f"{TUE} 10:00", "waits client"), (f"{TUE} 11:00", "goes-on vendor")], None, id="another-one-came"
        ),
        pytest.param(
            [(f"{TUE} 09:00", "begins P2"), (f"{TUE} 10:00", "waits client"), (f"{TUE} 10:01", "goes-on")],
            "11-27 16:30",
            id="a-day-is-not-a-day-any-more",
        ),
        pytest.param(
            [(f"{TUE} 09:00", "begins P2"), (f"{TUE} 16:30", "waits client"), ("11-25 08:00", "goes-on")],
            "11-25 16:30",
            id="a-night's-pause-costs-nothing",
        ),
        pytest.param([(f"{TUE} 09:00", "begins P3"), ("11-25 09:00", "priority P2")], "11-25 16:30", id="worse"),
        pytest.param(
            [(f"{TUE} 09:00", "begins P3"), ("11-25 09:00", "priority P1")], "11-24 14:00", id="worse-and-late"
        ),
        pytest.param([BEGINS, (f"{TUE} 10:00", "priority P3")], "11-27 16:30", id="better"),
        pytest.param(
            [
                (f"{TUE} 09:00", "begins P3"),
                (f"{TUE} 09:00", "waits vendor"),
                (f"{TUE} 10:00", "goes-on"),
                (f"{TUE} 11:00", "priority P1"),
            ],
            "11-24 15:00",
            id="a-pause-before-it-got-worse",
        ),
        pytest.param([BEGINS, (f"{TUE} 10:00", "until 11-28 20:00")], "11-28 20:00", id="extended-as-said"),
        pytest.param(
            [
                BEGINS,
                (f"{TUE} 09:30", "waits client"),
                (f"{TUE} 10:00", "until 11-25 16:00"),
                (f"{TUE} 11:00", "goes-on"),
            ],
            "11-25 17:00",
            id="only-what-is-paused-after-it",
        ),
        pytest.param(
            [
                BEGINS,
                (f"{TUE} 10:00", "until 11-25 16:00"),
                (f"{TUE} 11:00", "waits client"),
                (f"{TUE} 14:00", "goes-on"),
            ],
            "11-27 09:00",
            id="extended-and-paused",
        ),
        pytest.param(
            [
                BEGINS,
                (f"{TUE} 10:00", "until 11-28 20:00"),
                ("11-27 16:00", "waits client"),
                ("11-30 10:00", "goes-on"),
            ],
            "11-30 11:00",
            id="paused-over-a-weekend's-extension",
        ),
        pytest.param(
            [(f"{TUE} 09:00", "begins P2"), (f"{TUE} 10:00", "until 11-30 16:30"), (f"{TUE} 11:00", "priority P3")],
            "11-27 16:30",
            id="a-new-priority-brings-it-forward",
        ),
        pytest.param(
            [BEGINS, (f"{TUE} 10:00", "until 11-25 09:00"), (f"{TUE} 11:00", "priority P3")],
            "11-25 09:00",
            id="but-never-back",
        ),
        pytest.param(
            [BEGINS, (f"{TUE} 10:00", "until 11-25 09:00"), (f"{TUE} 11:00", "until 11-27 09:00")],
            "11-27 09:00",
            id="extended-again",
        ),
        pytest.param(
            [BEGINS, (f"{TUE} 10:00", "waits client"), ("11-27 10:00", "begins P1")], "11-27 15:00", id="it-begins-anew"
        ),
    ],
)
def test_due_by_the_log(events: list[tuple[str, str]], due: str | None) -> None:
    """N.4: a due time follows from what happened: pauses, priorities, extensions, hours and holidays together."""
    assert due_at(story(*events), POLICY, OFFICE) == (at(f"2026-{due}") if due else None)


def test_a_new_policy_counts_from_the_start() -> None:
    """N.4: the same log under another policy or another calendar is due as if it had always been so."""
    log = story(BEGINS)
    assert due_at(log, Deadlines(within={P1: Within(days=3)}, day_ends="17:00"), OFFICE) == at("2026-11-30 17:00")
    mornings = Calendar(timezone=CHICAGO, hours=hours(tue=[(480, 600)], wed=[(480, 600)]))
    assert due_at(log, POLICY, mornings) == at("2026-12-01 09:00")


def test_a_log_must_begin() -> None:
    """Nothing is due of what never began: whoever asks is wrong, and hears so."""
    with pytest.raises(ValueError, match=r"."):
        due_at([], POLICY, OFFICE)


@pytest.mark.parametrize(("days", "hours_"), [(0, 0), (1, 1), (-1, 0), (0, -1), (-1, 1)])
def test_a_promise_is_in_days_or_in_hours(days: int, hours_: int) -> None:
    """Neither, both or less than none is no promise."""
    with pytest.raises(ValueError, match=r"."):
        Within(days=days, working=timedelta(hours=hours_))


def pauses() -> st.SearchStrategy[Waits]:
    """Some pauses, in minutes after the start."""
    edges = st.lists(st.integers(0, 6_000), max_size=6, unique=True).map(sorted)
    return edges.map(lambda found: list(zip(found[::2], found[1::2], strict=False)))


def assert_due_as_tallied(
    found: tuple[Calendar, datetime], count: int, days: int, waited: Waits, day_ends: int
) -> None:
    """With any hours, holidays, pauses and clocks it is due when somebody who keeps a tally says so."""
    client, start = found
    waits = [(start + begins * MINUTE, start + ends * MINUTE) for begins, ends in waited]
    log: list[Clocked] = [Started(at=start, priority=P1)]
    for begins, ends in waits:
        log += [Paused(at=begins, why="client"), Resumed(at=ends, why="client")]
    within = {P1: Within(working=count * MINUTE), P2: Within(days=days)}
    policy = Deadlines(within=within, day_ends=f"{day_ends // 60:02}:{day_ends % 60:02}")
    tallied = (
        due_after(client, start, count * MINUTE, waits, AHEAD),
        due_by(client, start, days, day_ends, waits, AHEAD),
    )
    changed = PriorityChanged(at=start + AHEAD * DAY, priority=P2)
    for one, expected in zip((log, [*log, changed]), tallied, strict=True):
        due = due_at(one, policy, client)
        assert due is not None
        assert client.is_open(due - MINUTE)  # never outside working hours
        assert expected in (due, None)  # None: later than anybody looked


@settings(deadline=None, max_examples=60)
@given(clients(around=4_000), st.integers(1, 2_000), st.integers(1, 3), pauses(), st.integers(1, 1439))
def test_due_as_somebody_tallies_it(
    found: tuple[Calendar, datetime], count: int, days: int, waited: Waits, day_ends: int
) -> None:
    """N.4: with any hours, holidays, pauses and clocks it is due when somebody who keeps a tally says so."""
    assert_due_as_tallied(found, count, days, waited, day_ends)


@pytest.mark.soak
@settings(deadline=None, max_examples=600)
@given(clients(around=300_000), st.integers(1, 2_000), st.integers(1, 3), pauses(), st.integers(1, 1439))
def test_due_as_somebody_tallies_it_all_year(
    found: tuple[Calendar, datetime], count: int, days: int, waited: Waits, day_ends: int
) -> None:
    """N.4: the same anywhere in a year."""
    assert_due_as_tallied(found, count, days, waited, day_ends)


@pytest.mark.parametrize(("text", "meant"), [("17:00", time(17)), ("8:05", time(8, 5)), ("00:00", time(0))])
def test_a_time_of_day(text: str, meant: time) -> None:
    """Times of day are written as in the configuration."""
    assert clock_time(text) == meant


@pytest.mark.parametrize("text", ["", "17", "24:00", "8:60", "eight", "8:0x", "-1:00"])
def test_what_is_no_time_of_day(text: str) -> None:
    """What is none is refused, never guessed."""
    with pytest.raises(ValueError, match=r"."):
        clock_time(text)
