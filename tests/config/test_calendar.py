"""What an MSP plans by the calendar: working hours, maintenance windows, expected mails."""

import tomllib
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailflow.config import calendar
from mailflow.config.calendar import ClientMaintenanceEntry, ExpectedEntry, MaintenanceEntry, expected, planned
from mailflow.config.report import Report
from mailflow.config.source import RawEntry
from mailflow.config.table import Table
from mailflow.config.wording import validate
from mailflow.domain.expected import Expected
from mailflow.domain.hours import ALWAYS
from mailflow.domain.maintenance import Recurring, Window
from mailflow.domain.vocabulary import Severity

CHICAGO = "America/Chicago"


def at(text: str, zone: str = CHICAGO) -> datetime:
    """A moment as it is written on a wall."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


T = TypeVar("T", bound=Table)


def entry(model: type[T], toml: str) -> tuple[T | None, tuple[str, ...]]:
    """An entry as it is written, and what is wrong with it."""
    report = Report()
    raw = RawEntry(file="c.toml", section="maintenance", index=0, raw=tomllib.loads(toml))
    return validate(model, raw, report), report.problems


@pytest.mark.parametrize(
    ("written", "week"),
    [
        ("Mon-Fri 08:00-17:00", {day: [(480, 1020)] for day in range(5)}),
        (
            "Mon-Tue 08:00-12:00 13:00-17:00, Fri 08:00-15:00",
            {0: [(480, 720), (780, 1020)], 1: [(480, 720), (780, 1020)], 4: [(480, 900)]},
        ),
        ("Mon, Wed 08:00 - 12:00", {0: [(480, 720)], 2: [(480, 720)]}),
        ("monday 13:00–17:00 08:00–12:00", {0: [(480, 720), (780, 1020)]}),
        ("Fri 22:00-06:00", {4: [(1320, 1440)], 5: [(0, 360)]}),
        ("Sun 22:00-06:00", {6: [(1320, 1440)], 0: [(0, 360)]}),
        ("Sat 08:00-24:00", {5: [(480, 1440)]}),
    ],
)
def test_working_hours(written: str, week: dict[int, list[tuple[int, int]]]) -> None:
    """Working hours are written as people write them, with lunch and night shifts."""
    found = calendar.working_hours(written)
    assert {day: [(s.begins, s.ends) for s in one] for day, one in enumerate(found.week) if one} == week


def test_around_the_clock() -> None:
    """A client that always works says so."""
    assert calendar.working_hours("always") == ALWAYS == calendar.working_hours("daily 00:00-24:00")


@pytest.mark.parametrize(
    ("read", "written", "value"),
    [
        (calendar.weekdays, "Mon-Fri", (0, 1, 2, 3, 4)),
        (calendar.weekdays, "Sat - Mon", (0, 5, 6)),
        (calendar.weekdays, "sunday, Wed and fri", (2, 4, 6)),
        (calendar.weekdays, "Mon Wed", (0, 2)),
        (calendar.weekdays, "daily", tuple(range(7))),
        (calendar.every, "Sun 02:00-04:00", calendar.Every(days=(6,), weeks=(), begins="02:00", ends="04:00")),
        (calendar.every, "first Sun 02:00-04:00", calendar.Every(days=(6,), weeks=(1,), begins="02:00", ends="04:00")),
        (
            calendar.every,
            "2nd and last Sat, Sun 22:00-24:00",
            calendar.Every(days=(5, 6), weeks=(2, -1), begins="22:00", ends="00:00"),
        ),
        (
            calendar.every,
            "every day 22:00-02:00",
            calendar.Every(days=tuple(range(7)), weeks=(), begins="22:00", ends="02:00"),
        ),
        (calendar.moment, "2026-12-05 20:00", datetime(2026, 12, 5, 20)),  # noqa: DTZ001
        (calendar.moment, "2026-12-05T20:00:00Z", datetime(2026, 12, 5, 20, tzinfo=UTC)),
        (calendar.day, "2026-12-05", date(2026, 12, 5)),
        (calendar.grace, "6h", timedelta(hours=6)),
        (calendar.calendar_file, " calendars/vendor.ics ", "calendars/vendor.ics"),
        (calendar.calendar_file, "C:\\vendor.ics", "C:\\vendor.ics"),
    ],
)
def test_values_are_understood(read: Callable[[object], object], written: object, value: object) -> None:
    """What an administrator may write means what it looks like."""
    assert read(written) == value


@pytest.mark.parametrize(
    ("read", "written"),
    [
        (
            calendar.working_hours,
            [
                *("", " ", 8, None, "Mon", "08:00-17:00", "Mon-Fri", "Mon 8:00-17:00", "Mon 08:00-25:00", "never"),
                *("Mon 08:00-17:00,", "Mon 08:00-12:00 11:00-13:00", "Mon 08:00-09:00, Mon 10:00-11:00", "Mon 08:00"),
                *(
                    "Mon 08:00-17:00 Tue 09:00-10:00",
                    "Mon 08:00-24:30",
                    "Sun 22:00-06:00, Mon 05:00-09:00",
                    "Mo 08:00-09:00",
                ),
            ],
        ),
        (calendar.weekdays, ["", "Mo", "Mon-", "-Mon", "Mon--Fri", "Mon,,Tue", "Mon,", "weekdays", 1, None]),
        (
            calendar.every,
            [
                *("", "Sun", "Sun 02:00", "02:00-04:00", "Sun 02:00-02:00", "Sun 02:00-04:00 x", 5, None),
                *("fifth Sun 02:00-04:00", "first 02:00-04:00", "last daily 02:00-04:00", "Sun 2:00-4:00"),
            ],
        ),
        (
            calendar.moment,
            [
                "",
                "2026-12-05",
                "20:00",
                "2026-02-30 20:00",
                "9999-12-31 20:00",
                "05/12/2026",
                1,
                None,
                date(2026, 1, 1),
            ],
        ),
        (calendar.day, ["", "2026-02-30", "5 Dec", 1, None, datetime(2026, 1, 1, tzinfo=UTC)]),
        (calendar.grace, ["0m", "7h", "2d", "30", 30, None]),
        (
            calendar.calendar_file,
            [
                *(
                    "https://example.com/c.ics?key=secret",
                    "webcal://example.com/c.ics",
                    "HTTP:example.com",
                    "~/c.ics",
                    "",
                ),
                *("file:///etc/c.ics", "a\nb.ics"),
            ],
        ),
    ],
)
def test_anything_else_is_refused_in_words(read: Callable[[object], object], written: list[object]) -> None:
    """What is not understood says what is wrong and what to do; an address, which may hold a secret, is not told."""
    for value in written:
        with pytest.raises(ValueError, match=r"; |\?$") as refused:
            read(value)
        assert str(refused.value).isprintable()
        assert "secret" not in str(refused.value)


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet="MonTueSatfirstdaily 0128:-,–", max_size=25))
def test_whatever_is_written(text: str) -> None:
    """Any text is a value or is refused in words."""
    for read in (calendar.working_hours, calendar.weekdays, calendar.every, calendar.moment, calendar.day):
        told = "; "
        try:
            read(text)
        except ValueError as error:
            told = str(error)
        assert "; " in told or told.endswith("?")


@pytest.mark.parametrize(
    ("toml", "meant"),
    [
        pytest.param(
            'begins = 2026-12-05T20:00:00\nends = 2026-12-06T06:00:00\nwhy = "move"\nthings = ["NW-*"]',
            Window(
                client="northwind",
                things=("NW-*",),
                begins=at("2026-12-05 20:00"),
                ends=at("2026-12-06 06:00"),
                why="move",
                source="c.toml",
            ),
            id="once",
        ),
        pytest.param(
            'begins = "2026-12-05 20:00"\nends = "2026-12-05 21:00"',
            Window(client="northwind", begins=at("2026-12-05 20:00"), ends=at("2026-12-05 21:00"), source="c.toml"),
            id="in-quotes",
        ),
        pytest.param(
            "begins = 2026-12-05T20:00:00+01:00\nends = 2026-12-05T21:00:00Z",
            Window(
                client="northwind",
                begins=at("2026-12-05 19:00", "UTC"),
                ends=at("2026-12-05 21:00", "UTC"),
                source="c.toml",
            ),
            id="with-an-offset",
        ),
        pytest.param(
            'every = "first Sun 02:00-04:00"\nfirst = 2026-12-01\nlast = "2027-12-01"\nwhy = "patches"',
            Recurring(
                client="northwind",
                days=(6,),
                weeks=(1,),
                begins="02:00",
                ends="04:00",
                timezone=CHICAGO,
                first=date(2026, 12, 1),
                last=date(2027, 12, 1),
                why="patches",
                source="c.toml",
            ),
            id="again-and-again",
        ),
        pytest.param('ical = "vendor.ics"', None, id="by-a-file"),
    ],
)
def test_maintenance_as_it_is_written(toml: str, meant: Window | Recurring | None) -> None:
    """Planned work stands in the settings once, again and again, or as a calendar file, in the client's own time."""
    value, problems = entry(ClientMaintenanceEntry, toml)
    assert problems == ()
    assert value
    assert planned(value, "northwind", CHICAGO, "c.toml") == meant


@pytest.mark.parametrize(
    ("toml", "where", "words"),
    [
        ('why = "x"', "", "does not say when"),
        ('every = "Sun 02:00-04:00"\nical = "a.ics"', ".ical", "says when beside `every`"),
        ('begins = 2026-12-05T20:00:00\nevery = "Sun 02:00-04:00"', ".every", "says when beside `begins`"),
        ("begins = 2026-12-05T20:00:00", ".ends", "missing"),
        ("ends = 2026-12-05T20:00:00", ".begins", "missing"),
        ("begins = 2026-12-05T20:00:00\nends = 2026-12-05T20:00:00", ".ends", "not after `begins`"),
        ("begins = 2026-12-05T20:00:00\nends = 2062-12-05T21:00:00", ".ends", "correct the year"),
        ("begins = 2026-12-05T20:00:00\nends = 2026-12-05T21:00:00Z", ".ends", "write both alike"),
        ('ical = "a.ics"\nfirst = 2026-12-01', ".first", "only used with `every`"),
        ('every = "Sun 02:00-04:00"\nfirst = 2026-12-02\nlast = 2026-12-01', ".last", "before `first`"),
        ('ical = "https://example.com/a.ics"', ".ical", "nothing is fetched"),
        ('every = "Sun"', ".every", "no days and times"),
        ('every = "Sun 02:00-04:00"\nthing = ["x"]', "", "did you mean `things`?"),
    ],
)
def test_maintenance_that_cannot_be_meant(toml: str, where: str, words: str) -> None:
    """A fault is told at its key, in words that say what to do."""
    _, problems = entry(MaintenanceEntry, toml)
    assert any(p.startswith(f"c.toml: maintenance[1]{where}: ") and words in p for p in problems), problems


def test_maintenance_of_one_client_or_all() -> None:
    """`[[maintenance]]` may name a client; at a client there is nothing to name."""
    value, problems = entry(MaintenanceEntry, 'client = "northwind"\nevery = "Sun 02:00-04:00"')
    assert not problems
    assert value
    assert value.client == "northwind"
    assert entry(ClientMaintenanceEntry, 'client = "northwind"\nevery = "Sun 02:00-04:00"')[1]


def test_an_expected_mail() -> None:
    """N.12: what is expected is written with its job, its time and its days."""
    value, problems = entry(
        ExpectedEntry,
        'name = "nightly backup"\nrecipe = "veeam"\nmatch = ["Nightly*"]\nby = "08:00"\ndays = "Mon-Fri"\ngrace = "1h"',
    )
    assert problems == ()
    assert value
    assert expected(value, "northwind", CHICAGO) == Expected(
        name="nightly backup",
        client="northwind",
        recipe="veeam",
        matches=("Nightly*",),
        by="08:00",
        days=(0, 1, 2, 3, 4),
        timezone=CHICAGO,
        grace=timedelta(hours=1),
        severity=Severity.MEDIUM,
    )


@pytest.mark.parametrize(
    ("toml", "where", "words"),
    [
        ('by = "08:00"\nrecipe = "veeam"', ".name", "missing"),
        ('name = "x"\nrecipe = "veeam"', ".by", "missing"),
        ('name = "x"\nby = "08:00"', ".match", "no `recipe` is named"),
        ('name = "x"\nby = "8"\nrecipe = "veeam"', ".by", "no time of day"),
        ('name = "x"\nby = "08:00"\nrecipe = "veeam"\ngrace = "1d"', ".grace", "make it shorter"),
        ('name = "x"\nby = "08:00"\nrecipe = "veeam"\ndays = "weekdays"', ".days", "no day"),
        ('name = "x"\nby = "08:00"\nrecipe = "veeam"\nseverity = "bad"', ".severity", "write `critical`"),
    ],
)
def test_an_expected_mail_that_cannot_be_meant(toml: str, where: str, words: str) -> None:
    """N.12: an expectation that nothing or anything would fulfil is refused, in words that say what to do."""
    _, problems = entry(ExpectedEntry, toml)
    assert any(p.startswith(f"c.toml: maintenance[1]{where}: ") and words in p for p in problems), problems
