"""Calendar files as maintenance windows: vendors' own, odd ones and hostile ones."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailflow.config.ical import MAX_WINDOWS, Calendar, read_ical, read_ical_file
from mailflow.domain.maintenance import Window

CALENDARS = Path(__file__).parent.parent / "fixtures/calendars"
CHICAGO = "America/Chicago"
NOW = datetime(2026, 11, 24, 15, 21, tzinfo=UTC)


def at(text: str, zone: str = CHICAGO) -> datetime:
    """A moment as it is written on a wall."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def read(text: str, timezone: str = CHICAGO) -> Calendar:
    """A calendar's windows."""
    return read_ical(text, "vendor.ics", timezone, "northwind", ("NW-*",), NOW)


def event(*lines: str) -> str:
    """A calendar of one event."""
    return "\r\n".join(["BEGIN:VCALENDAR", "BEGIN:VEVENT", *lines, "END:VEVENT", "END:VCALENDAR", ""])


def test_a_vendors_calendar() -> None:
    """A calendar file gives its windows: zones, all-day events, series with what was moved, left out or called off."""
    found = read_ical_file(CALENDARS / "vendor.ics", "vendor.ics", CHICAGO, "northwind", ("NW-*",), NOW)
    assert found.faults == ()
    assert found.windows[1] == Window(
        client="northwind",
        things=("NW-*",),
        begins=at("2026-11-28 22:00"),
        ends=at("2026-11-29 02:00"),
        why="Firmware of the storage, both shelves",
        source="vendor.ics",
    )
    told = [(f"{w.begins.astimezone(ZoneInfo(CHICAGO)):%y-%m-%d %H:%M}", w.ends - w.begins) for w in found.windows]
    assert told[:6] == [
        ("26-11-10 20:00", timedelta(hours=3)),
        ("26-11-28 22:00", timedelta(hours=4)),
        ("26-12-05 00:00", timedelta(days=2)),
        ("27-01-14 21:00", timedelta(hours=2)),
        ("27-03-09 20:00", timedelta(hours=3)),
        ("27-04-13 20:00", timedelta(hours=3)),
    ]
    assert len(told) == 14  # to the second Tuesday in December 2027, which is within 400 days


def test_zones_of_calendars() -> None:
    """A zone is known by the machine's name, by Windows' or behind a prefix; without one it is the client's."""
    found = read_ical_file(CALENDARS / "windows.ics", "windows.ics", "Asia/Tokyo", "", (), NOW)
    assert found.faults == ()
    assert {w.why: w.begins for w in found.windows} == {
        "A zone by Windows' name": at("2026-11-28 22:00", "Europe/Berlin"),
        "A zone behind a program's prefix": at("2026-11-28 22:00", "America/Argentina/Buenos_Aires"),
        "No zone": at("2026-11-28 22:00", "Asia/Tokyo"),
        "UTC": at("2026-11-28 22:00", "UTC"),
    }
    assert {w.ends - w.begins for w in found.windows} == {timedelta(hours=1)}


def test_what_of_a_calendar_is_not_understood_is_told() -> None:
    """Each event that is not understood is told with its name and a reason, and hides no alert; the others count."""
    found = read_ical_file(CALENDARS / "odd.ics", "odd.ics", CHICAGO, "", (), NOW)
    assert [w.why for w in found.windows] == ["Good"]
    assert [fault.partition(":")[0] for fault in found.faults] == [
        *("event 2 (`Every second`)", "event 3 (`Elsewhere`)", "event 4 (`No such day`)", "event 5 (`No end`)"),
        *(
            "event 6 (`Ends first`)",
            "event 7 (`No beginning`)",
            "event 8",
            "event 9 (`By number`)",
            "event 10 (`Never`)",
        ),
    ]
    assert all("; " in fault and fault.isprintable() for fault in found.faults)


def test_a_zone_that_a_calendar_defines_is_not_believed() -> None:
    """What one calendar calls a zone changes neither its own times nor another calendar's."""
    observed = "BEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0900\nTZOFFSETTO:+0900\nEND:STANDARD\n"
    zone = f"BEGIN:VTIMEZONE\nTZID:{{}}\n{observed}END:VTIMEZONE\n"
    times = "BEGIN:VEVENT\nDTSTART;TZID={}:20261128T220000\nDURATION:PT1H\nEND:VEVENT\n"
    one = f"BEGIN:VCALENDAR\n{zone}{times}END:VCALENDAR"
    known = read(one.format("Europe/London", "Europe/London"))
    assert known.windows[0].begins == at("2026-11-28 22:00", "UTC")
    for _ in range(2):
        own = read(one.format("Server room", "Server room"))
        assert own.windows == ()
        assert "unknown time zone `Server room`" in own.faults[0]


def test_a_night_on_which_the_clocks_change() -> None:
    """An event from ten to two is so on every wall; one of four hours lasts four hours."""
    series = ("DTSTART;TZID=America/Chicago:20261025T220000", "RRULE:FREQ=WEEKLY;BYDAY=SA;UNTIL=20261107")
    by_the_wall = read(event(*series, "DTEND;TZID=America/Chicago:20261026T020000")).windows
    assert [w.ends - w.begins for w in by_the_wall] == [timedelta(hours=5), timedelta(hours=4)]
    exactly = read(event(*series, "DURATION:PT4H")).windows
    assert [w.ends - w.begins for w in exactly] == [timedelta(hours=4)] * 2
    a_day = read(event("DTSTART;VALUE=DATE:20261101")).windows
    assert [w.ends - w.begins for w in a_day] == [timedelta(hours=25)]


@pytest.mark.parametrize(
    ("lines", "days"),
    [
        (("RRULE:FREQ=DAILY;COUNT=3",), [28, 29, 30]),
        (("RRULE:FREQ=DAILY;INTERVAL=2;UNTIL=20261203T040000Z",), [28, 30, 2]),
        (("RRULE:FREQ=DAILY;UNTIL=20261130T220000",), [28, 29, 30]),
        (("RRULE:FREQ=DAILY;COUNT=5", "EXDATE:20261129T220000,20261201T220000"), [28, 30, 2]),
        (("RRULE:FREQ=DAILY;COUNT=3", "EXDATE;VALUE=DATE:20261129"), [28, 30]),
        (("RDATE:20261130T220000", "RDATE;TZID=Europe/Berlin:20261203T050000"), [28, 30, 2]),
        (("RRULE:FREQ=WEEKLY;BYDAY=MO,WE;COUNT=3;BYHOUR=22;BYMINUTE=0",), [30, 2, 7]),
        (("STATUS:CANCELLED", "RRULE:FREQ=DAILY"), []),
    ],
)
def test_series(lines: tuple[str, ...], days: list[int]) -> None:
    """A series is written out: how often, until when, and what was left out or added."""
    found = read(event("DTSTART;TZID=America/Chicago:20261128T220000", "DURATION:PT2H", *lines))
    assert found.faults == ()
    assert [w.begins.astimezone(ZoneInfo(CHICAGO)).day for w in found.windows] == days


def test_a_newer_version_of_an_event() -> None:
    """Of two versions of an event the one with the higher sequence counts, wherever it stands."""
    versions = ["SEQUENCE:2\nDTSTART:20261128T220000Z", "SEQUENCE:1\nDTSTART:20261129T220000Z"]
    for order in (versions, versions[::-1]):
        text = "".join(f"BEGIN:VEVENT\nUID:1\n{version}\nDURATION:PT1H\nEND:VEVENT\n" for version in order)
        found = read(f"BEGIN:VCALENDAR\n{text}END:VCALENDAR")
        assert [w.begins for w in found.windows] == [datetime(2026, 11, 28, 22, tzinfo=UTC)]


def test_a_series_that_began_long_ago() -> None:
    """A series from 1990 is there today, 400 days ahead and a month back, and no farther."""
    found = read(event("DTSTART:19900101T220000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY"))
    assert found.faults == ()
    assert NOW - timedelta(days=33) < found.windows[0].begins < NOW - timedelta(days=31)
    assert NOW + timedelta(days=399) < found.windows[-1].begins <= NOW + timedelta(days=400)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("", "no calendar", id="empty"),
        pytest.param("<html><body>Please log in</body></html>", "no calendar", id="a-login-page"),
        pytest.param("BEGIN:VCARD\nEND:VCARD", "no calendar", id="a-card"),
        pytest.param("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:2026", "broken off", id="half"),
        pytest.param("BEGIN:VCALENDAR\nEND:VEVENT\nEND:VCALENDAR", "broken", id="crossed"),
        pytest.param("BEGIN:VCALENDAR\n" + "BEGIN:VEVENT\n" * 30_000, "too deep", id="nested"),
        pytest.param("x" * 1_000_001, "characters", id="long"),
        pytest.param(event("END:VEVENT\r\nBEGIN:VEVENT\r\n" * 6_000), "events", id="many"),
    ],
)
def test_what_is_no_calendar(text: str, words: str) -> None:
    """What is no calendar, or more than one can be, is refused in words, at once."""
    with pytest.raises(ValueError, match=words) as refused:
        read(text)
    assert "; " in str(refused.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing file, a folder or another encoding is told as what it is."""
    (tmp_path / "latin.ics").write_bytes(event("SUMMARY:Büro").encode("latin-1"))
    for name, words in (("none.ics", "cannot be read"), ("", "cannot be read"), ("latin.ics", "not in UTF-8")):
        with pytest.raises(ValueError, match=words):
            read_ical_file(tmp_path / name, name, CHICAGO, "", (), NOW)


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(["RRULE:FREQ=SECONDLY"], id="every-second"),
        pytest.param(["RRULE:FREQ=MINUTELY;COUNT=1000000"], id="every-minute"),
        pytest.param(["RRULE:FREQ=HOURLY"], id="every-hour"),
        pytest.param(["RRULE:FREQ=DAILY;BYHOUR=1,2,3;BYSECOND=0"], id="hours-of-a-day"),
        pytest.param(["RRULE:FREQ=DAILY;INTERVAL=2147483647"], id="a-huge-interval"),
        pytest.param(["RRULE:FREQ=DAILY;COUNT=0"], id="no-times"),
        pytest.param(["RRULE:FREQ=DAILY;BYDAY=1MO"], id="the-first-monday-of-a-day"),
        pytest.param(["RRULE:FREQ=DAILY;BYDAY=XX"], id="no-weekday"),
        pytest.param(["RRULE:FREQ=DAILY;UNTIL=soon"], id="no-until"),
        pytest.param(["RRULE:"], id="nothing"),
        pytest.param(["RRULE:FREQ=DAILY", "RRULE:FREQ=WEEKLY"], id="two-rules"),
        pytest.param(["EXRULE:FREQ=DAILY"], id="exrule"),
        pytest.param(["RDATE;VALUE=PERIOD:20261128T220000Z/PT1H"], id="periods"),
        pytest.param(["RDATE:soon"], id="no-date"),
        pytest.param(["RECURRENCE-ID;RANGE=THISANDFUTURE:20261128T220000Z"], id="all-later-ones"),
        pytest.param(['SUMMARY;X="a:b'], id="an-open-quote"),
    ],
)
def test_events_that_are_not_understood(lines: list[str]) -> None:
    """An event that is odd or hostile is told, and opens no window."""
    found = read(event("DTSTART:20261128T220000Z", "DURATION:PT1H", *lines))
    assert found.windows == ()
    assert len(found.faults) == 1
    assert "; " in found.faults[0]


def test_a_hostile_calendar_is_bounded() -> None:
    """Thousands of rules that never come true end with words, and not more of them than anybody reads."""
    never = "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=9"
    one = f"BEGIN:VEVENT\nDTSTART:19700101T220000Z\nDURATION:PT1H\n{never}\nEND:VEVENT\n"
    found = read("BEGIN:VCALENDAR\n" + one * 4_000 + "END:VCALENDAR")
    assert found.windows == ()
    assert "repeats for too long" in found.faults[0]
    assert len(found.faults) == 21


def test_too_many_windows() -> None:
    """Of more windows than can be kept, those that begin first are, and it is told."""
    one = "BEGIN:VEVENT\nDTSTART:20261001T220000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY\nEND:VEVENT\n"
    found = read("BEGIN:VCALENDAR\n" + one * 4 + "END:VCALENDAR")
    assert len(found.windows) == MAX_WINDOWS
    assert "left out" in found.faults[0]
    assert found.windows[-1].begins < NOW + timedelta(days=230)


VENDOR = (CALENDARS / "vendor.ics").read_text("utf-8").splitlines()
pieces = st.sampled_from(VENDOR) | st.sampled_from(
    [
        *(
            "DTSTART:",
            "DTSTART;TZID=:20261128T220000",
            "DTSTART;TZID=a,b:20261128T220000",
            "DTSTART;VALUE=DATE:20261128",
        ),
        *("DTEND:20261128T246060", "DURATION:-P1D", "DURATION:P99999999W", "RRULE:FREQ=DAILY;BYSETPOS=0;BYMONTH=99"),
        *(
            "EXDATE:,,",
            "RECURRENCE-ID;VALUE=DATE:20261208",
            "UID:",
            "SEQUENCE:x",
            " folded",
            ";",
            ":",
            "SUMMARY",
            "\x00",
        ),
    ]
)


@settings(deadline=None, max_examples=200)
@given(st.lists(pieces | st.text(max_size=12), max_size=12))
def test_whatever_stands_in_a_calendar(lines: list[str]) -> None:
    """Any lines at all are a calendar or none, and every fault is told in words: nothing else is ever raised."""
    try:
        faults = read(event(*lines)).faults
    except ValueError as error:
        faults = (str(error),)
    assert all("; " in fault for fault in faults)
